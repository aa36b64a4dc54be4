//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * UDP, from programs at the root of the cgroup v2 hierarchy that run when a socket
 * is bound, connects, sends to an address, receives with the sender's address asked
 * for, and ends. All of them run in the process that asks, with its socket locked.
 *
 * Who is client and who server: in a flow between a socket and a peer the client is
 * who sent first. An edge remembers that for as long as it is there. A socket that
 * is bound to a port of its program's choice serves; so does one that received
 * before it ever sent. Nothing is read from the numbers of ports.
 *
 * A connected socket's datagrams pass no program, which costs nothing, but neither
 * tells that there are any: and name resolution connects sockets only to see their
 * source address. So a connection counts once there is a sign of use (connection.h).
 */
#define EDGES_OF_UDP true

#include "broadcast.h"
#include "connection.h"
#include "scope.h"
#include "serving.h"

/* One datagram, or the address of a connect(). */
struct message {
	__u8 peer[16] __attribute__((aligned(8)));
	__u32 scope; /* of a link-local peer: index of the interface; 0 of others */
	__be16 port;
	bool sent;
};

/* All of the key but the direction and the port. */
static __always_inline void fill_key(struct edge_key *key, const struct udp_socket *u,
				     const struct message *m)
{
	current_program(key, bpf_get_current_task_btf(), kernel_asks(u));
	key->netns = u->netns;
	key->proto = IPPROTO_UDP;
	__builtin_memcpy(key->peer, m->peer, 16);
	key->scope = m->scope;
	own_address(key->local, u);
	if (is_v4(key->peer) && !*(__u64 *)key->local && !*(__u64 *)(key->local + 8))
		v4_mapped(key->local, 0);
}

static __always_inline bool asked(struct edge_key *key, const struct udp_socket *u,
				  const struct message *m, enum direction direction)
{
	struct sock *s = (void *)u->sk;

	key->direction = direction;
	key->port = direction == DIR_OUT ? bpf_ntohs(m->port) :
					   BPF_CORE_READ(s, __sk_common.skc_num);
	return bpf_map_lookup_elem(&udp_edge_ids, key);
}

/*
 * Who asked first, between a socket and a peer; false: this flow has no edge. What some
 * hear may be meant for all (hears_all), which no program is told: who sent it is a client once it
 * is answered.
 */
static __always_inline bool find_direction(struct edge_key *key, struct udp_socket *u,
					   const struct message *m, __u32 *place)
{
	if (m->sent) {
		if (*place == MEANT_FOR_ALL) {
			asked(key, u, m, DIR_IN);
			return true;
		}
		if ((u->bound || u->serves) && asked(key, u, m, DIR_IN))
			return true;
		if (u->old && asked(key, u, m, DIR_UNKNOWN))
			return true;
		asked(key, u, m, DIR_OUT);
		u->sent = 1;
		return true;
	}
	if (asked(key, u, m, DIR_OUT))
		return true; /* an answer */
	if (u->all_port == m->port)
		goto stray; /* an answer to what went to everybody, or what a fellow sends to all */
	if (u->bound || u->serves || !(u->old || u->sent)) {
		if (!asked(key, u, m, DIR_IN) && hears_all(u)) {
			*place = MEANT_FOR_ALL;
			goto stray;
		}
		if (!u->serves)
			serve(u);
		if (u->sent && !u->asked)
			only_asks(u, false);
		u->asked = 1;
		return true;
	}
	if (!u->sent) {
		asked(key, u, m, DIR_UNKNOWN);
		return true;
	}
stray:
	COUNT(count(), stray);
	return false;
}

static __always_inline bool may_have_peer(struct udp_socket *u, __u64 now)
{
	if (now - u->peers_ns > PEERS_TIME) {
		u->peers_ns = now;
		u->peers = 0;
	}
	if (u->peers >= PEERS) {
		COUNT(count(), peers_full);
		return false;
	}
	u->peers++;
	return true;
}

/* Finds or makes the edge; NULL: it may not be or there is no room. */
static __always_inline struct edge *edge_for(struct edge_key *key, struct udp_socket *u,
					     __u32 *place, __u64 now)
{
	struct edge *edge = find_edge(key, place, true);

	if (edge)
		return edge;
	if (key->direction == DIR_OUT && is_v4(key->peer) &&
	    is_broadcast(u->sk, *(__be32 *)(key->peer + 12))) {
		u->all_port = bpf_htons(key->port);
		COUNT(count(), to_all);
		return NULL;
	}
	if (!may_have_peer(u, now))
		return NULL;
	return new_edge_of_current(key, kernel_asks(u), place);
}

/* The socket goes on with another flow than before. */
static __always_inline void turn_to(struct udp_socket *u, const struct message *m, __u64 flow,
				    const struct edge *edge, __u32 place, __u64 now)
{
	u->flow = flow;
	u->last_ns = now;
	u->edge = place;
	u->life = edge ? edge->life : 0;
	u->port = m->port;
	u->scope = m->scope;
	__builtin_memcpy(u->peer, m->peer, 16);
}

/* A datagram of another flow than the one before. */
static __noinline int other_flow(struct udp_socket *u, const struct message *m)
{
	__u64 now = bpf_ktime_get_ns(), id;
	struct edge_key key = {};
	struct edge *edge;
	struct flow *flow;
	__u32 place = NO_EDGE;
	__u64 waited;

	if (m->sent && to_all(m->peer)) {
		u->all_port = m->port;
		u->sent = 1;
		COUNT(count(), to_all);
		return 0;
	}
	if (u->flow) {
		flow = find_flow(u->flow);
		if (flow)
			flow->last_ns = u->last_ns;
	}
	id = flow_id(u->cookie, m->peer, m->scope, m->port);
	flow = find_flow(id);
	if (flow && !to_come(flow->where) && now - flow->last_ns < FLOW_IDLE) {
		edge = edge_at(flow->edge, flow->life);
		if (flow->edge == MEANT_FOR_ALL && m->sent)
			place = MEANT_FOR_ALL;
		else if (flow->edge >= MEANT_FOR_ALL ||
			 (edge && same_address(edge->key.peer, m->peer))) {
			turn_to(u, m, id, edge, flow->edge, now);
			flow->last_ns = now;
			if (edge)
				edge->last_ns = now;
			return 0;
		}
	}
	fill_key(&key, u, m);
	edge = find_direction(&key, u, m, &place) ? edge_for(&key, u, &place, now) : NULL;
	turn_to(u, m, id, edge, place, now);
	waited = keep_flow(id, now, u->edge, u->life);
	if (!edge)
		return 0;
	if (waited) {
		ADD(edge->bytes_received, waited >> 32);
		ADD(edge->datagrams_received, waited & THAT_WAIT);
	}
	if (key.direction == DIR_OUT) {
		ADD(edge->attempts, 1);
		if (u->bound && !u->asked)
			only_asks(u, true);
	}
	ADD(edge->connections, 1);
	ADD(edge->closed, 1);
	edge->last_ns = now;
	return 0;
}

static __always_inline void on_datagram(struct udp_socket *u, struct message *m)
{
	if (u->port != m->port || u->scope != m->scope || !same_address(u->peer, m->peer)) {
		other_flow(u, m);
		return;
	}
	__u64 now = bpf_ktime_get_coarse_ns();
	struct edge *edge = edge_at(u->edge, u->life);

	u->last_ns = now;
	if (u->connected && u->connected != CONNECTED_HEARD)
		connection_heard(u);
	if (edge)
		edge->last_ns = now;
	else if (u->edge < MEANT_FOR_ALL || (m->sent && u->edge == MEANT_FOR_ALL))
		other_flow(u, m); /* its edge was evicted, or this answers */
}

static __noinline int on_connect(struct udp_socket *u, struct message *m)
{
	__u64 now = bpf_ktime_get_ns();
	struct edge_key key = {};
	__u32 place = NO_EDGE;

	end_connection(u, now);
	if (u->bound || u->serves) {
		end_listening(u->cookie); /* it hears one peer alone now */
		u->serves = 0;
	}
	if (!m->port)
		return 0;
	if (to_all(m->peer)) {
		u->all_port = m->port;
		u->sent = 1;
		COUNT(count(), to_all);
		return 0;
	}
	fill_key(&key, u, m);
	find_direction(&key, u, m, &place);

	struct edge *edge = edge_for(&key, u, &place, now);

	turn_to(u, m, 0, edge, place, now);
	if (edge)
		begin_connection(u, edge, now);
	return 0;
}

static __always_inline void address4(struct message *m, const struct bpf_sock_addr *ctx)
{
	v4_mapped(m->peer, ctx->user_ip4);
	m->port = ctx->user_port;
}

static __always_inline void address6(struct message *m, const struct bpf_sock_addr *ctx)
{
	__u32 *to = (__u32 *)m->peer;

	to[0] = ctx->user_ip6[0];
	to[1] = ctx->user_ip6[1];
	to[2] = ctx->user_ip6[2];
	to[3] = ctx->user_ip6[3];
	m->port = ctx->user_port;
}

/* Who leaves the interface to the kernel means the one of the flow that goes on. */
static __always_inline void find_scope(struct message *m, const struct udp_socket *u,
				       const struct bpf_sock_addr *ctx)
{
	if (!is_link_local(m->peer))
		return;
	m->scope = scope_of(plain(ctx), u->sk);
	if ((!m->scope || !u->scope) && u->port == m->port && same_address(u->peer, m->peer))
		m->scope = u->scope;
}

/* All of them let happen what happens: they return 1. */
#define ON_ADDRESS(section, name, address, is_sent, handle)                                        \
	SEC("cgroup/" section)                                                                     \
	int name(struct bpf_sock_addr *ctx)                                                        \
	{                                                                                          \
		struct message m = { .sent = is_sent };                                            \
		struct udp_socket *u;                                                              \
                                                                                                   \
		if (ctx->protocol != IPPROTO_UDP || !ctx->sk)                                      \
			return 1;                                                                  \
		u = SOCKET(ctx, ctx->sk);                                                          \
		if (!u)                                                                            \
			return 1;                                                                  \
		address(&m, ctx);                                                                  \
		find_scope(&m, u, ctx);                                                            \
		if (is_sent)                                                                       \
			no_address_is_loopback(m.peer);                                            \
		handle(u, &m);                                                                     \
		return 1;                                                                          \
	}

ON_ADDRESS("connect4", udp_connect4, address4, true, on_connect)
ON_ADDRESS("connect6", udp_connect6, address6, true, on_connect)
ON_ADDRESS("sendmsg4", udp_sendmsg4, address4, true, on_datagram)
ON_ADDRESS("sendmsg6", udp_sendmsg6, address6, true, on_datagram)
ON_ADDRESS("recvmsg4", udp_recvmsg4, address4, false, on_datagram)
ON_ADDRESS("recvmsg6", udp_recvmsg6, address6, false, on_datagram)

static __always_inline int on_bind(struct bpf_sock_addr *ctx)
{
	struct udp_socket *u;

	if (ctx->protocol != IPPROTO_UDP || !ctx->sk)
		return 1;
	u = SOCKET(ctx, ctx->sk);
	if (!u)
		return 1;
	u->bound = ctx->user_port != 0;
	u->old = 0;
	return 1;
}

SEC("cgroup/bind4")
int udp_bind4(struct bpf_sock_addr *ctx)
{
	return on_bind(ctx);
}

SEC("cgroup/bind6")
int udp_bind6(struct bpf_sock_addr *ctx)
{
	return on_bind(ctx);
}

static __always_inline int on_bound(struct bpf_sock *ctx)
{
	struct udp_socket *u;

	if (ctx->protocol != IPPROTO_UDP)
		return 1;
	u = bpf_sk_storage_get(&udp_sockets, ctx, NULL, 0);
	if (u && u->bound)
		serve(u);
	return 1;
}

SEC("cgroup/post_bind4")
int udp_bound4(struct bpf_sock *ctx)
{
	return on_bound(ctx);
}

SEC("cgroup/post_bind6")
int udp_bound6(struct bpf_sock *ctx)
{
	return on_bound(ctx);
}

SEC("cgroup/sock_release")
int udp_release(struct bpf_sock *ctx)
{
	struct udp_socket *u;

	if (ctx->protocol != IPPROTO_UDP)
		return 1;
	u = bpf_sk_storage_get(&udp_sockets, ctx, NULL, 0);
	if (u)
		end_connection(u, bpf_ktime_get_ns());
	end_listening(bpf_get_socket_cookie(ctx));
	return 1;
}

/* An ICMP error on a connected socket: nobody is there. */
SEC("tp_btf/inet_sk_error_report")
int BPF_PROG(udp_error, struct sock *sk)
{
	struct udp_socket *u;

	if (sk->sk_protocol != IPPROTO_UDP)
		return 0;
	u = bpf_sk_storage_get(&udp_sockets, sk, NULL, 0);
	if (u)
		connection_failed(u, sk->sk_err);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
