//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * TCP, from the one tracepoint that sees every state change of every socket in
 * every network namespace. Connections are folded into edges here; user space
 * hears of a new listener, an ended one and the first connection of an edge.
 *
 * Only CLOSE->SYN_SENT and CLOSE->LISTEN run in the context of the process that
 * asked. Everywhere else `current` is whatever the interrupt hit. So an outbound
 * connection is the process's that called connect(), and an inbound one is that
 * listener's on whose address it arrived.
 *
 * The kernel does not run a program again on a CPU that is inside it: a state
 * change in an interrupt that hits a connect() would be lost, about one in ten
 * thousand at full rate. So the program is there twice. An interrupt finds a CPU
 * inside one of them at most, and the other runs. From Linux 7.0 on, a task may
 * also be preempted inside a program and keep it from its CPU for a while; there
 * a third copy is attached. Every step leaves a mark, so that the second of two
 * runs finds nothing to do.
 */
#include "dial.h"
#include "health.h"
#include "steered.h"
#include "traffic.h"

static __always_inline void on_listen(struct sock *sk)
{
	struct counters *c = count();
	struct listener l = { .started_ns = bpf_ktime_get_ns() };
	__u64 cookie = bpf_get_socket_cookie(sk);

	if (bpf_map_lookup_elem(&listeners, &cookie))
		return;
	COUNT(c, listen);
	current_owner(&l.owner, kernel_asks(bpf_get_current_task_btf(), sk));
	describe_listener(&l, sk, IPPROTO_TCP);
	open_port(&l);
	may_be_steered_to(sk, cookie);
	begin_listening(&l, cookie);
}

static __always_inline void on_unlisten(struct sock *sk)
{
	struct counters *c = count();
	__u64 cookie = bpf_get_socket_cookie(sk);
	struct listener *known = bpf_map_lookup_elem(&listeners, &cookie), l;

	if (!known)
		return;
	l = *known; /* as it was when it began: it may be bound to another interface now */
	if (bpf_map_delete_elem(&listeners, &cookie))
		return;
	COUNT(c, unlisten);
	close_port(&l);
	report(EVENT_UNLISTEN, cookie, NULL);
}

static __always_inline void fill_key(struct edge_key *key, const struct sock *sk,
				     enum direction direction)
{
	key->netns = sk->__sk_common.skc_net.net->ns.inum;
	peer_address(key->peer, sk);
	local_address(key->local, sk);
	key->scope = peer_scope(key->peer, sk);
	key->port = direction == DIR_OUT ? bpf_ntohs(sk->__sk_common.skc_dport) :
					   sk->__sk_common.skc_num;
	key->proto = IPPROTO_TCP;
	key->direction = direction;
}

static __always_inline void on_connect(struct sock *sk, __u64 id, struct counters *c)
{
	struct connection *conn = find_connection(id);
	struct edge_key key = {};
	__u64 peer = peer_of(sk);
	__u32 place = 0;

	if (conn) {
		if (conn->peer == peer && conn->role != ROLE_COUNTED)
			return; /* the other copy of the program was here */
		count_stale(conn->edge, conn->life, conn->role);
	} else {
		conn = take_place(id);
	}
	if (!conn) {
		COUNT(c, sockets_full);
		return;
	}
	fill_key(&key, sk, DIR_OUT);

	struct edge *edge = count_attempt(&key, sk, &place);

	conn->peer = peer;
	conn->edge = place;
	conn->life = edge ? edge->life : 0;
	conn->role = edge ? ROLE_CLIENT : ROLE_UNCOUNTED;
}

static __always_inline __u64 last_packet_us(struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	return tp ? tp->tcp_mstamp : 0;
}

static __always_inline void count_connection(struct connection *conn, struct edge *edge,
					     struct sock *sk)
{
	__u64 now_us = last_packet_us(sk);

	conn->role = ROLE_COUNTED;
	conn->start_us = now_us;
	ADD(edge->connections, 1);
	edge->last_ns = now_us * 1000;
}

static __always_inline void on_accepted(struct sock *sk, __u64 id, struct counters *c, bool again)
{
	bool v6 = sk->__sk_common.skc_family == AF_INET6;
	struct edge_key key = {};
	__u32 place = 0;

	fill_key(&key, sk, DIR_IN);
	struct owner *owner = steered_to(sk);
	if (!owner)
		owner = server_at(key.netns, key.port, key.local, sk->__sk_common.skc_bound_dev_if,
				  !v6, v6);
	if (!owner) {
		if (!again)
			COUNT(c, unattributed);
		return;
	}
	edge_owner(&key, owner);

	struct connection *conn = take_place(id);
	if (!conn) {
		COUNT(c, sockets_full);
		return;
	}
	struct edge *edge = find_edge(&key, &place, false);
	if (!edge)
		edge = new_edge(&key, owner, &place);
	conn->peer = peer_of(sk);
	conn->edge = place;
	conn->role = ROLE_UNCOUNTED;
	if (!edge)
		return;
	conn->life = edge->life;
	count_connection(conn, edge, sk);
}

static __always_inline void on_established(struct sock *sk, __u64 id, struct counters *c,
					   int oldstate, bool again)
{
	struct connection *conn = find_connection(id);

	if (conn && conn->peer != peer_of(sk)) {
		count_stale(conn->edge, conn->life, conn->role);
		leave_place(id);
		conn = NULL;
	}
	if (!conn) {
		if (oldstate == TCP_SYN_RECV)
			on_accepted(sk, id, c, again);
		else if (!again)
			COUNT(c, unattributed);
		return;
	}
	if (conn->role != ROLE_CLIENT)
		return;

	struct edge *edge = edge_at(conn->edge, conn->life);
	if (!edge) {
		conn->role = ROLE_COUNTED;
		COUNT(c, edge_lost);
		return;
	}
	count_connection(conn, edge, sk);
}

static __always_inline void count_close(struct edge *edge, const struct connection *was,
					struct sock *sk, struct tcp_sock *tp, int oldstate)
{
	__u64 sent, received;

	/* Before it counts as closed: whoever sees that sees this. */
	if (tp)
		count_health(edge, was->edge, tp->srtt_us >> 3, was->start_us,
			     ended_at(tp, oldstate));
	ADD(edge->closed, 1);
	if (!tp)
		return;
	edge->last_ns = tp->tcp_mstamp * 1000;
	sent = sent_payload(
		tp->bytes_acked, edge->key.direction == DIR_OUT,
		fin_acknowledged(sk->__sk_common.skc_state, tp->snd_una, tp->write_seq));
	if (sent)
		ADD(edge->bytes_sent, sent);
	received = received_payload(tp->bytes_received, sk->__sk_common.skc_flags);
	if (received)
		ADD(edge->bytes_received, received);
	if (tp->total_retrans)
		ADD(edge->retransmits, tp->total_retrans);
	ADD(edge->rtt_us, tp->srtt_us >> 3);
}

static __always_inline void on_close(struct sock *sk, __u64 id, struct counters *c, int oldstate,
				     bool again)
{
	struct connection *conn = find_connection(id);

	if (oldstate == TCP_SYN_SENT)
		dial_ends(sk); /* it is counted here */
	if (!conn) {
		if (again)
			return;
		if (oldstate == TCP_SYN_RECV)
			COUNT(c, handshake_aborted);
		else
			COUNT(c, unattributed_closed);
		return;
	}
	struct connection was = *conn;

	if (!leave_place(id) || was.role == ROLE_UNCOUNTED)
		return;
	if (was.peer != peer_of(sk)) {
		count_stale(was.edge, was.life, was.role);
		return;
	}
	struct edge *edge = edge_at(was.edge, was.life);
	if (!edge) {
		COUNT(c, edge_lost);
	} else if (was.role == ROLE_CLIENT) {
		attempt_failed(edge, sk->sk_err);
	} else {
		count_close(edge, &was, sk, bpf_skc_to_tcp_sock(sk), oldstate);
	}
}

static __always_inline int on_state(struct sock *sk, int oldstate, int newstate, bool again)
{
	switch (newstate) {
	case TCP_SYN_SENT:
	case TCP_ESTABLISHED:
	case TCP_CLOSE:
	case TCP_LISTEN:
		break;
	default:
		return 0;
	}
	struct counters *c = count();

	if (!c)
		return 0;
	if (again) {
		if (c->last_sk == (__u64)sk && c->last_state == newstate)
			return 0;
	} else {
		c->last_sk = (__u64)sk;
		c->last_state = newstate;
	}
	if (sk->sk_protocol != IPPROTO_TCP) {
		/* SCTP's programs, which may not ask for it, find it there (sctp.c). */
		if (newstate == TCP_LISTEN)
			bpf_get_socket_cookie(sk);
		return 0;
	}
	if (newstate == TCP_LISTEN) {
		on_listen(sk);
		return 0;
	}
	if (oldstate == TCP_LISTEN) {
		on_unlisten(sk);
		return 0;
	}
	__u64 id = id_of(sk);

	if (!id)
		return 0;
	if (newstate == TCP_SYN_SENT)
		on_connect(sk, id, c);
	else if (newstate == TCP_ESTABLISHED)
		on_established(sk, id, c, oldstate, again);
	else
		on_close(sk, id, c, oldstate, again);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tcp_state, struct sock *sk, int oldstate, int newstate)
{
	return on_state(sk, oldstate, newstate, false);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tcp_state_again, struct sock *sk, int oldstate, int newstate)
{
	return on_state(sk, oldstate, newstate, true);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tcp_state_third, struct sock *sk, int oldstate, int newstate)
{
	return on_state(sk, oldstate, newstate, true);
}

/* Kept in BTF for bpf2go. */
const struct event *unused_event __attribute__((unused));
const struct owner *unused_owner __attribute__((unused));
const enum event_kind *unused_kind __attribute__((unused));
const enum owner_kind *unused_owner_kind __attribute__((unused));
const enum direction *unused_direction __attribute__((unused));
const struct table_state *unused_table_state __attribute__((unused));
const struct health *unused_health __attribute__((unused));
const struct sample *unused_sample __attribute__((unused));

char LICENSE[] SEC("license") = "Dual BSD/GPL";
