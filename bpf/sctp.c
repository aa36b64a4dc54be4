//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * SCTP, where the kernel allows trampolines, at functions that run for SCTP alone and only
 * where something begins or ends: no packet and no other protocol passes here. They are the
 * same for sockets of one association and of many.
 *
 * A client's association is registered in the context of the process that asks; a server's
 * is its listener's. Every program is attached more than once, as TCP's is (tcp.c), and leaves a mark
 * by which the second of two runs finds nothing to do.
 */
#include "association.h"
#include "health.h"

static __always_inline bool kernel_asks(struct sock *sk)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return task->flags & PF_KTHREAD || BPF_CORE_READ_BITFIELD_PROBED(sk, sk_kern_sock);
}

SEC("fexit/sctp_hash_endpoint")
int BPF_PROG(sctp_listen, struct sctp_endpoint *ep, int failed)
{
	struct listener l = { .started_ns = bpf_ktime_get_ns() };
	struct sock *sk = ep->base.sk;
	__u64 cookie;

	if (failed || !sk)
		return 0;
	cookie = cookie_of(sk);
	if (!cookie || bpf_map_lookup_elem(&listeners, &cookie))
		return 0;
	COUNT(count(), listen);
	current_owner(&l.owner, kernel_asks(sk));
	describe_listener(&l, sk, IPPROTO_SCTP);
	begin_listening(&l, cookie);
	return 0;
}

/* Endpoints are in a list while they listen, and no others. */
static __always_inline bool listens(struct sctp_endpoint *ep)
{
	if (bpf_core_field_exists(ep->node))
		return BPF_CORE_READ(ep, node.pprev);
	return BPF_CORE_READ((struct sctp_endpoint___old *)ep, base.node.pprev);
}

/*
 * It runs at the end of every socket. On Debian's Linux 7.2 one that was accepted bears the cookie of
 * its listener, which goes on.
 */
SEC("fentry/sctp_unhash_endpoint")
int BPF_PROG(sctp_unlisten, struct sctp_endpoint *ep)
{
	if (listens(ep))
		end_listening(cookie_of(BPF_CORE_READ(ep, base.sk)));
	return 0;
}

static __always_inline void keep(__u64 id, struct association *a, const struct edge *edge)
{
	a->life = edge->life;
	if (bpf_map_update_elem(&associations, &id, a, BPF_ANY))
		COUNT(count(), associations_full);
}

static __always_inline void on_dial(struct sctp_association *asoc, struct sock *sk, __u64 id,
				    struct association *a)
{
	struct task_struct *task = bpf_get_current_task_btf();
	bool kernel = kernel_asks(sk);
	struct edge_key key = {};
	struct edge *edge;

	describe_association(&key, asoc, sk);
	current_program(&key, task, kernel);
	edge = find_edge(&key, &a->edge, false);
	if (!edge)
		edge = new_edge_of_current(&key, kernel, &a->edge);
	if (!edge)
		return;
	a->role = ROLE_CLIENT;
	ADD(edge->attempts, 1);
	edge->owner.tgid = task->tgid;
	edge->owner.start_ns = task->group_leader->start_boottime;
	keep(id, a, edge);
}

static __always_inline void count_association(struct association *a, struct edge *edge)
{
	__u64 now = bpf_ktime_get_ns();

	a->start_us = now / 1000;
	ADD(edge->connections, 1);
	edge->last_ns = now;
}

static __always_inline void on_accept(struct sctp_endpoint *ep, struct sctp_association *asoc,
				      struct sock *sk, __u64 id, struct association *a)
{
	__u64 cookie = cookie_of(sk);
	struct listener *l = bpf_map_lookup_elem(&listeners, &cookie);
	struct edge_key key = {};
	struct edge *edge;

	if (!l) {
		COUNT(count(), unattributed);
		return;
	}
	describe_association(&key, asoc, sk);
	dialled_address(&key, ep);
	edge_owner(&key, &l->owner);
	edge = find_edge(&key, &a->edge, false);
	if (!edge)
		edge = new_edge(&key, &l->owner, &a->edge);
	if (!edge)
		return;
	a->role = ROLE_COUNTED;
	count_association(a, edge);
	keep(id, a, edge);
}

SEC("fentry/sctp_endpoint_add_asoc")
int BPF_PROG(sctp_added, struct sctp_endpoint *ep, struct sctp_association *asoc)
{
	struct sock *sk = BPF_CORE_READ(ep, base.sk);
	struct association a = {}, *known;
	__u64 id = plain(asoc);

	/* A server answers who dials with the help of one that is never added. */
	if (BPF_CORE_READ_BITFIELD_PROBED(asoc, temp))
		return 0;
	if (BPF_CORE_READ(asoc, state) > SCTP_STATE_COOKIE_WAIT)
		return 0; /* accept() gives it a socket of its own, or the program does */
	a.vtag = BPF_CORE_READ(asoc, c.my_vtag);
	known = bpf_map_lookup_elem(&associations, &id);
	if (known && known->vtag == a.vtag)
		return 0;
	if (known)
		count_stale(known->edge, known->life, known->role);
	if (side_of(asoc) == DIR_IN)
		on_accept(ep, asoc, sk, id, &a);
	else
		on_dial(asoc, sk, id, &a);
	return 0;
}

/* The client hears that the server has accepted. */
SEC("fexit/security_sctp_assoc_established")
int BPF_PROG(sctp_established, struct sctp_association *asoc, void *skb, int forbidden)
{
	__u64 id = plain(asoc);
	struct association *a;
	struct edge *edge;

	if (forbidden)
		return 0;
	a = bpf_map_lookup_elem(&associations, &id);
	if (!a || a->role != ROLE_CLIENT)
		return 0;
	a->role = ROLE_COUNTED;
	edge = edge_at(a->edge, a->life);
	if (!edge) {
		COUNT(count(), edge_lost);
		return 0;
	}
	count_association(a, edge);
	return 0;
}

SEC("fentry/sctp_icmp_proto_unreachable")
int BPF_PROG(sctp_unreachable, struct sock *sk, struct sctp_association *asoc)
{
	__u64 id = plain(asoc);
	struct association *a = bpf_map_lookup_elem(&associations, &id);

	if (a)
		a->unreachable = true;
	return 0;
}

/* Before it counts as closed: whoever sees that sees this. */
static __always_inline void count_traffic(struct edge *edge, const struct association *a,
					  struct sctp_association *asoc, __u64 now)
{
	__u64 retransmits = BPF_CORE_READ(asoc, stats.rtxchunks);

	count_health(edge, a->edge, a->srtt >> 3, a->start_us, now / 1000);
	if (a->sent)
		ADD(edge->bytes_sent, a->sent);
	if (a->received)
		ADD(edge->bytes_received, a->received);
	if (retransmits)
		ADD(edge->retransmits, retransmits);
	ADD(edge->rtt_us, a->srtt >> 3);
}

static __always_inline void count_end(struct edge *edge, const struct association *a,
				      struct sctp_association *asoc)
{
	__u64 now = bpf_ktime_get_ns();

	if (a->role == ROLE_CLIENT && !was_established(asoc)) {
		attempt_failed(edge, why_failed(asoc, a->unreachable));
		return;
	}
	edge->last_ns = now;
	if (a->role == ROLE_CLIENT)
		ADD(edge->connections, 1);
	count_traffic(edge, a, asoc, now);
	ADD(edge->closed, 1);
}

SEC("fentry/sctp_association_free")
int BPF_PROG(sctp_ended, struct sctp_association *asoc)
{
	__u64 id = plain(asoc);
	struct association *a = bpf_map_lookup_elem(&associations, &id), was;
	struct edge *edge;

	if (!a)
		return 0;
	was = *a;
	if (bpf_map_delete_elem(&associations, &id))
		return 0;
	edge = edge_at(was.edge, was.life);
	if (edge)
		count_end(edge, &was, asoc);
	else
		COUNT(count(), edge_lost);
	return 0;
}

/* Kept in BTF for bpf2go. */
const struct association *unused_association __attribute__((unused));

char LICENSE[] SEC("license") = "Dual BSD/GPL";
