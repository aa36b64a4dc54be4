//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * SCTP associations that existed before the programs were attached, put into the same
 * maps, once: those of every open file. The kernel's own have none and are not found. What the
 * programs already know is left alone, so the walk may run again.
 */
#include "association.h"
#include "shareholders.h"

/* Of one socket. */
#define MOST 65536

struct search {
	__u64 at;   /* the list_head of the next */
	__u64 head; /* of the list */
	__u64 sk;
	struct owner owner;
};

/* What it had sent again before is told apart, as TCP's is; its bytes nobody knows. */
static __always_inline void adopt(struct edge *edge, __u64 retransmits)
{
	if (retransmits)
		ADD(edge->adopted_retransmits, retransmits);
	ADD(edge->adopted, 1);
}

static __always_inline void leave(struct edge *edge, __u64 retransmits)
{
	if (retransmits)
		ADD(edge->retransmits, retransmits);
	ADD(edge->closed, 1);
}

static __always_inline void found_association(struct sctp_association *asoc,
					      const struct search *search)
{
	bool connecting = BPF_CORE_READ(asoc, state) <= SCTP_STATE_COOKIE_ECHOED;
	struct association a = { .role = connecting ? ROLE_CLIENT : ROLE_COUNTED };
	__u64 id = (__u64)asoc, retransmits = BPF_CORE_READ(asoc, stats.rtxchunks);
	struct edge_key key = {};
	bool fresh = false;
	struct edge *edge;

	describe_association(&key, asoc, (struct sock *)search->sk);
	edge_owner(&key, &search->owner);
	edge = find_edge(&key, &a.edge, false);
	if (!edge)
		edge = make_edge(&key, &search->owner, &a.edge, &fresh, false);
	if (!edge) {
		COUNT(count(), edges_full);
		return;
	}
	a.life = edge->life;
	a.vtag = BPF_CORE_READ(asoc, c.my_vtag);
	if (bpf_map_update_elem(&associations, &id, &a, BPF_NOEXIST))
		return; /* another file of the same socket, or it has just begun */
	if (connecting)
		ADD(edge->attempts, 1);
	else
		adopt(edge, retransmits);
	/* Did it end before the program could find it here? */
	if (!BPF_CORE_READ(asoc, base.dead) || bpf_map_delete_elem(&associations, &id))
		return;
	if (connecting)
		ADD(edge->aborted, 1);
	else
		leave(edge, retransmits);
}

static long each_association(__u32 i, struct search *search)
{
	struct list_head *at = (struct list_head *)search->at;
	struct sctp_association *asoc =
		(void *)(search->at - bpf_core_field_offset(struct sctp_association, asocs));
	__u64 id = (__u64)asoc;

	if (!search->at || search->at == search->head)
		return 1;
	search->at = (__u64)BPF_CORE_READ(at, next);
	/* Nothing is locked: an association may leave the list meanwhile. */
	if ((__u64)BPF_CORE_READ(asoc, base.sk) != search->sk)
		return 1;
	if (BPF_CORE_READ(asoc, state) != SCTP_STATE_CLOSED &&
	    !bpf_map_lookup_elem(&associations, &id))
		found_association(asoc, search);
	return 0;
}

SEC("iter/task_file")
int scan_associations(struct bpf_iter__task_file *ctx)
{
	struct sock *sk = open_socket(ctx);
	struct task_struct *task = ctx->task;
	struct search search = {};
	struct sctp_endpoint *ep;
	struct sctp_sock *sp;

	if (!sk || !task || sk->sk_protocol != IPPROTO_SCTP)
		return 0;
	search.sk = plain(sk);
	sp = (struct sctp_sock *)search.sk;
	ep = BPF_CORE_READ(sp, ep);
	if (!ep)
		return 0;
	search.head = (__u64)ep + bpf_core_field_offset(struct sctp_endpoint, asocs);
	search.at = (__u64)BPF_CORE_READ(ep, asocs.next);
	if (!whose(&search.owner, sk, ctx, task))
		return 0;
	bpf_loop(MOST, each_association, &search, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
