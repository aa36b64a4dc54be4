//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What existed before the programs were attached, put into the same maps, once.
 * Two passes: listeners, then connections. Each pass walks the open files of
 * every process (that tells the owner) and then the tables of TCP and UDP of each network
 * namespace (that finds the sockets without a file: the kernel's own, the paths
 * of MPTCP, those not yet accepted).
 * What the tracepoint already knows is left alone, so a pass may run again.
 */
#include "shareholders.h"
#include "steered.h"
#include "traffic.h"
#include "udp.h"

/* Set by user space between the passes. */
enum pass {
	PASS_LISTENERS = 1,
	PASS_CONNECTIONS = 2,
};
__u32 pass;

/* Whether UDP's programs are attached; without them nobody would see a socket's end. */
const volatile bool with_udp = true;
/* Likewise SCTP's. */
const volatile bool with_sctp = false;

/*
 * Whether user space asks whose it is, since it was handed over: as if it were init's. A
 * listener too is that of the oldest process that holds it.
 */
static __always_inline bool is_searched(const struct listener *l)
{
	return l->scanned && l->owner.tgid == 1;
}

static __always_inline void found_listener(struct sock *sk, const struct owner *owner, __u8 proto)
{
	__u64 cookie = bpf_get_socket_cookie(sk);
	struct listener *known = bpf_map_lookup_elem(&listeners, &cookie);
	struct listener l = { .owner = *owner, .scanned = 1 };
	struct port_key key = {};

	describe_listener(&l, sk, proto);
	if (!known) {
		if (bpf_map_update_elem(&listeners, &cookie, &l, BPF_NOEXIST))
			COUNT(count(), listeners_full);
		if (proto == IPPROTO_TCP) {
			open_port(&l);
			may_be_steered_to(sk, cookie);
		}
		return;
	}
	if (!known->scanned || !better_owner(&known->owner, owner))
		return;
	known->owner = *owner;
	if (proto != IPPROTO_TCP)
		return;
	port_of(&key, &l);
	struct port *port = bpf_map_lookup_elem(&ports, &key);
	if (port)
		port->owner = *owner;
}

/*
 * Who called whom. A port that connect() chose stands in a bucket that nothing
 * else may share, marked by a negative fastreuse (net/ipv4/inet_hashtables.c,
 * __inet_hash_connect), and an accepted socket never keeps the lock of an
 * explicitly bound port (net/core/sock.c, sk_clone): both mean the client. Else
 * a listener on the local address means the server. Else nothing tells.
 */
static __always_inline __u8 direction_of(struct sock *sk, const struct edge_key *key)
{
	struct inet_bind_bucket *bucket = BPF_CORE_READ((struct inet_connection_sock *)sk,
							icsk_bind_hash);

	if (BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks) & SOCK_BINDPORT_LOCK)
		return DIR_OUT;
	if (bucket && BPF_CORE_READ(bucket, fastreuse) < 0)
		return DIR_OUT;
	if (server_at(key->netns, sk->__sk_common.skc_num, key->local,
		      sk->__sk_common.skc_bound_dev_if, true, true))
		return DIR_IN;
	if (server_at(key->netns, bpf_ntohs(sk->__sk_common.skc_dport), key->peer,
		      sk->__sk_common.skc_bound_dev_if, true, true))
		return DIR_OUT;
	return DIR_UNKNOWN;
}

/* What it moved before is told apart: an earlier run of the agent may have told of it. */
static __always_inline void adopt(struct edge *edge, struct sock *sk)
{
	struct traffic t = {};

	ADD(edge->adopted, 1);
	read_traffic(&t, (struct tcp_sock *)sk, edge->key.direction == DIR_OUT);
	ADD(edge->adopted_sent, t.sent);
	ADD(edge->adopted_received, t.received);
	ADD(edge->adopted_retransmits, t.retransmits);
}

static __always_inline void found_connection(struct sock *sk, const struct owner *owner)
{
	bool connecting = sk->__sk_common.skc_state == TCP_SYN_SENT;
	__u64 id = id_of(sk);
	struct edge_key key = {};
	__u32 place = 0;
	bool fresh = false;

	if (!id || find_connection(id))
		return;
	edge_owner(&key, owner);
	key.netns = sk->__sk_common.skc_net.net->ns.inum;
	peer_address(key.peer, sk);
	local_address(key.local, sk);
	key.scope = peer_scope(key.peer, sk);
	key.proto = IPPROTO_TCP;
	key.direction = direction_of(sk, &key);
	key.port = key.direction == DIR_OUT ? bpf_ntohs(sk->__sk_common.skc_dport) :
					      sk->__sk_common.skc_num;

	struct edge *edge = find_edge(&key, &place, false);
	if (!edge)
		edge = make_edge(&key, owner, &place, &fresh, false);
	if (!edge) {
		COUNT(count(), edges_full);
		return;
	}
	struct connection *conn = take_place(id);
	if (!conn) {
		COUNT(count(), sockets_full);
		return;
	}
	conn->peer = peer_of(sk);
	conn->edge = place;
	conn->life = edge->life;
	conn->role = connecting ? ROLE_CLIENT : ROLE_COUNTED;
	conn->start_us = 0;
	if (connecting)
		ADD(edge->attempts, 1);
	else
		adopt(edge, sk);
	/* Did it end before the tracepoint could find it here? */
	if (sk->__sk_common.skc_state != TCP_CLOSE || !leave_place(id))
		return;
	if (connecting)
		ADD(edge->aborted, 1);
	else
		ADD(edge->closed, 1);
}

/* Whose a socket is that belongs to no open file. */
static __always_inline void hidden_owner(struct owner *owner, struct sock *sk, struct tcp_sock *tp)
{
	struct socket *socket = sk->sk_socket;
	struct owner *known = NULL;

	if (is_subflow(tp) && bpf_core_type_exists(struct mptcp_subflow_context)) {
		struct mptcp_subflow_context *subflow = BPF_CORE_READ(
			(struct inet_connection_sock *)sk, icsk_ulp_data);
		__u64 key = (__u64)BPF_CORE_READ(subflow, conn);

		known = bpf_map_lookup_elem(&holders, &key);
	} else if (!socket) {
		/* Not yet accepted: its listener's. */
		struct edge_key at = {};

		local_address(at.local, sk);
		known = server_at(sk->__sk_common.skc_net.net->ns.inum, sk->__sk_common.skc_num,
				  at.local, sk->__sk_common.skc_bound_dev_if, true, true);
	}
	if (known) {
		*owner = *known;
	} else if (socket && !BPF_CORE_READ(socket, file) && !is_subflow(tp)) {
		kernel_owner(owner);
	} else {
		owner->kind = OWNER_UNKNOWN;
		owner->uid = BPF_CORE_READ(sk, sk_uid.val);
	}
}

static __always_inline bool is_connection(__u8 tcp_state)
{
	return tcp_state != TCP_LISTEN && tcp_state != TCP_CLOSE && tcp_state != TCP_SYN_RECV &&
	       tcp_state != TCP_TIME_WAIT && tcp_state != TCP_NEW_SYN_RECV;
}

/*
 * A connected UDP socket whose port nobody chose is a client's: no peer could know
 * where to send to. A socket that is bound to a port that was chosen serves, unless it
 * is connected; then nothing tells.
 */
static __always_inline void found_udp_connection(struct sock *sk, const struct owner *owner,
						 bool bound)
{
	struct edge_key key = {};
	__u32 place = 0;
	bool fresh = false;
	struct udp_socket *u = bpf_sk_storage_get(&udp_sockets, sk, NULL,
						  BPF_SK_STORAGE_GET_F_CREATE);

	if (!u || u->sk)
		return;
	u->sk = id_of(sk);
	u->cookie = bpf_get_socket_cookie(sk);
	u->netns = sk->__sk_common.skc_net.net->ns.inum;
	u->bound = bound;
	u->old = 1;
	u->edge = NO_EDGE;

	edge_owner(&key, owner);
	key.netns = u->netns;
	peer_address(key.peer, sk);
	local_address(key.local, sk);
	key.scope = u->scope = peer_scope(key.peer, sk);
	key.proto = IPPROTO_UDP;
	key.direction = bound ? DIR_UNKNOWN : DIR_OUT;
	key.port = bound ? sk->__sk_common.skc_num : bpf_ntohs(sk->__sk_common.skc_dport);

	struct edge *edge = find_edge(&key, &place, true);
	if (!edge)
		edge = make_edge(&key, owner, &place, &fresh, true);
	if (!edge) {
		COUNT(count(), udp_edges_full);
		return;
	}
	u->edge = u->connected_edge = place;
	u->life = u->connected_life = edge->life;
	u->port = sk->__sk_common.skc_dport;
	__builtin_memcpy(u->peer, key.peer, 16);
	u->connected = CONNECTED_HEARD;
	ADD(edge->adopted, 1);
}

static __always_inline void found_udp(struct sock *sk, const struct owner *owner)
{
	bool bound = BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks) & SOCK_BINDPORT_LOCK;

	if (!with_udp)
		return;
	if (sk->__sk_common.skc_dport) {
		if (pass == PASS_CONNECTIONS)
			found_udp_connection(sk, owner, bound);
	} else if (bound && pass == PASS_LISTENERS) {
		found_listener(sk, owner, IPPROTO_UDP);
	}
}

/* Whether this pass looks for it: most sockets are connections, and most of a pass is these. */
static __always_inline bool is_looked_for(struct sock *sk)
{
	__u8 state = sk->__sk_common.skc_state;

	return pass == PASS_LISTENERS ? state == TCP_LISTEN : is_connection(state);
}

static __always_inline void found_tcp(struct sock *sk, const struct owner *owner)
{
	if (pass == PASS_LISTENERS)
		found_listener(sk, owner, IPPROTO_TCP);
	else
		found_connection(sk, owner);
}

SEC("iter/task_file")
int scan_files(struct bpf_iter__task_file *ctx)
{
	struct sock *sk = open_socket(ctx);
	struct task_struct *task = ctx->task;
	struct owner owner = {};

	if (!sk || !task)
		return 0;
	if (sk->__sk_common.skc_family != AF_INET && sk->__sk_common.skc_family != AF_INET6)
		return 0;
	if (sk->sk_protocol == IPPROTO_MPTCP) {
		/* Its paths, which have no files, are found by it. */
		task_owner(&owner, task);
		note_holder((__u64)sk, &owner);
		return 0;
	}
	if (sk->sk_protocol != IPPROTO_UDP && !is_looked_for(sk))
		return 0;
	if (pass == PASS_LISTENERS) /* which compares owners itself */
		task_owner(&owner, task);
	else if (!whose(&owner, sk, ctx, task))
		return 0;
	if (sk->sk_protocol == IPPROTO_UDP)
		found_udp(sk, &owner);
	if (sk->sk_protocol == IPPROTO_TCP)
		found_tcp(sk, &owner);
	if (sk->sk_protocol == IPPROTO_SCTP && with_sctp && pass == PASS_LISTENERS)
		found_listener(sk, &owner, IPPROTO_SCTP); /* sctpscan.c finds associations */
	return 0;
}

SEC("iter/tcp")
int scan_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct owner owner = {};

	if (!skc)
		return 0;
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(skc);
	if (!tp)
		return 0;
	struct sock *sk = (struct sock *)tp;

	if (!is_looked_for(sk))
		return 0;
	if (pass == PASS_LISTENERS) {
		__u64 cookie = bpf_get_socket_cookie(sk);
		struct listener *known = bpf_map_lookup_elem(&listeners, &cookie);

		if (known && !is_searched(known))
			return 0;
	} else if (find_connection(id_of(sk))) {
		return 0;
	}
	hidden_owner(&owner, sk, tp);
	found_tcp(sk, &owner);
	return 0;
}

SEC("iter/udp")
int scan_udp(struct bpf_iter__udp *ctx)
{
	struct sock *sk = (struct sock *)ctx->udp_sk;
	struct owner owner = {};

	if (!sk)
		return 0;
	__u64 cookie = bpf_get_socket_cookie(sk);

	if (bpf_map_lookup_elem(&listeners, &cookie))
		return 0;
	if (BPF_CORE_READ_BITFIELD(sk, sk_kern_sock)) {
		kernel_owner(&owner);
	} else {
		owner.kind = OWNER_UNKNOWN;
		owner.uid = BPF_CORE_READ(sk, sk_uid.val);
	}
	found_udp(sk, &owner);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
