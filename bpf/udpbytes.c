//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Bytes and datagrams of UDP, from programs at the root of the cgroup v2 that meet every packet which a
 * socket sends or is handed: those of other protocols too, which they let go at once. They are
 * attached where somebody asks for that (decision 0060).
 *
 * Whose a datagram is has been found out by udp.c when it was sent. What comes in
 * is met before the process reads it: the bytes of a flow that nobody has read from wait in
 * its place for the edge.
 */
#include "udp.h"

#define EXTENSIONS 4 /* of IPv6, that a datagram may have */
#define LOOPBACK 1   /* net/net_namespace.h: the index of lo */

/* A datagram as it is on its way, or several that were gathered or are yet to be cut apart. */
struct packet {
	__u8 peer[16] __attribute__((aligned(8)));
	__u32 scope; /* of a link-local peer: index of the interface */
	__be16 port;
	__u32 payload; /* bytes */
	__u32 datagrams;
};

struct ports {
	__be16 source;
	__be16 dest;
};

static __always_inline bool read_ports(struct packet *p, const struct __sk_buff *skb, __u32 at,
				       bool sent)
{
	struct ports ports;

	if (bpf_skb_load_bytes(skb, at, &ports, sizeof(ports)) || skb->len < at + UDP_SIZE)
		return false;
	p->port = sent ? ports.dest : ports.source;
	p->payload = skb->len - at - UDP_SIZE;
	p->datagrams = skb->gso_segs ? skb->gso_segs : 1;
	return true;
}

static __always_inline bool read_ipv4(struct packet *p, const struct __sk_buff *skb, bool sent)
{
	__u8 length;
	__be32 peer;

	if (bpf_skb_load_bytes(skb, 0, &length, sizeof(length)) ||
	    bpf_skb_load_bytes(skb, sent ? 16 : 12, &peer, sizeof(peer)))
		return false;
	v4_mapped(p->peer, peer);
	return read_ports(p, skb, (length & 0xf) * 4, sent);
}

static __always_inline bool read_ipv6(struct packet *p, const struct __sk_buff *skb, bool sent)
{
	__u8 next, extension[2];
	__u32 at = 40;

	if (bpf_skb_load_bytes(skb, 6, &next, sizeof(next)) ||
	    bpf_skb_load_bytes(skb, sent ? 24 : 8, p->peer, sizeof(p->peer)))
		return false;
	for (int i = 0; i < EXTENSIONS && next != IPPROTO_UDP; i++) {
		if (bpf_skb_load_bytes(skb, at, extension, sizeof(extension)))
			return false;
		next = extension[0];
		at += (extension[1] + 1) * 8;
	}
	return next == IPPROTO_UDP && read_ports(p, skb, at, sent);
}

/* What a machine sends to itself passes loopback: then the interface is that of the latest flow there. */
static __always_inline void find_scope(struct packet *p, const struct __sk_buff *skb,
				       const struct udp_socket *u)
{
	if (!is_link_local(p->peer))
		return;
	p->scope = skb->ifindex;
	if ((p->scope == LOOPBACK || !u->scope) && same_address(u->peer, p->peer))
		p->scope = u->scope;
}

static __always_inline bool read_packet(struct packet *p, const struct __sk_buff *skb,
					const struct udp_socket *u, bool sent)
{
	if (skb->protocol == bpf_htons(ETHERTYPE_IP))
		return read_ipv4(p, skb, sent);
	if (skb->protocol != bpf_htons(ETHERTYPE_IPV6) || !read_ipv6(p, skb, sent))
		return false;
	find_scope(p, skb, u);
	return true;
}

/* What is kept of the socket, if it is one of UDP. */
static __always_inline struct udp_socket *socket_of(const struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	if (!sk)
		return NULL;
	sk = bpf_sk_fullsock(sk);
	if (!sk || sk->protocol != IPPROTO_UDP)
		return NULL;
	return bpf_sk_storage_get(&udp_sockets, sk, NULL, 0);
}

/* The edge at a place, if it leads to where the packet is from or goes. */
static __always_inline struct edge *edge_to(const struct packet *p, __u64 where)
{
	struct edge *edge = edge_at(where, where >> 32);

	if (!edge || !same_address(edge->key.peer, p->peer) ||
	    (edge->key.direction == DIR_OUT && edge->key.port != bpf_ntohs(p->port)))
		return NULL;
	return edge;
}

/* The edge of the flow that went last, if this is it: nobody keeps the socket from turning. */
static __always_inline struct edge *latest_edge(const struct udp_socket *u, const struct packet *p)
{
	if (u->port != p->port || u->scope != p->scope || !same_address(u->peer, p->peer))
		return NULL;
	return edge_to(p, (__u64)u->life << 32 | u->edge);
}

SEC("cgroup_skb/egress")
int udp_bytes_sent(struct __sk_buff *skb)
{
	struct udp_socket *u = socket_of(skb);
	struct packet p = {};
	struct edge *edge;
	struct flow *flow;

	if (!u || !read_packet(&p, skb, u, true) || to_all(p.peer))
		return 1;
	edge = latest_edge(u, &p);
	if (!edge) {
		flow = find_flow(flow_id(u->cookie, p.peer, p.scope, p.port));
		if (flow)
			edge = edge_to(&p, flow->where);
		else if (u->connected)
			edge = connected_edge(u);
		else /* it was translated on its way: to the flow that asked for it */
			edge = edge_at(u->edge, u->life);
	}
	if (edge) {
		ADD(edge->bytes_sent, p.payload);
		ADD(edge->datagrams_sent, p.datagrams);
	}
	return 1;
}

static __always_inline void count_received(struct edge *edge, const struct packet *p)
{
	ADD(edge->bytes_received, p->payload);
	ADD(edge->datagrams_received, p->datagrams);
}

/* What waits when p came in behind what waited before. */
static __always_inline __u64 also_waits(__u64 where, const struct packet *p)
{
	__u32 datagrams = ((__u32)where + p->datagrams) & THAT_WAIT;

	return ((where >> 32) + p->payload) << 32 | EDGE_TO_COME | datagrams;
}

/*
 * What comes in for another flow than the latest. What came of one that nobody has read from, or
 * whose edge was evicted, waits for an edge.
 */
static __always_inline void count_later(const struct packet *p, __u64 id)
{
	bool fresh = false;
	struct flow *flow = take_flow(id, bpf_ktime_get_coarse_ns(), &fresh);
	__u64 was, now = also_waits(0, p);
	struct edge *edge;

	if (!flow)
		return;
	was = flow->where;
	if (!fresh) {
		edge = edge_to(p, was);
		if (edge)
			count_received(edge, p);
		if (edge || (__u32)was >= MEANT_FOR_ALL)
			return;
		if (to_come(was))
			now = also_waits(was, p);
	}
	if (__sync_val_compare_and_swap(&flow->where, was, now) != was)
		COUNT(count(), bytes_lost); /* another CPU was faster */
}

SEC("cgroup_skb/ingress")
int udp_bytes_received(struct __sk_buff *skb)
{
	struct udp_socket *u = socket_of(skb);
	struct packet p = {};
	struct edge *edge;
	__u64 id = 0;

	if (!u || !read_packet(&p, skb, u, false))
		return 1;
	edge = latest_edge(u, &p);
	if (!edge) {
		id = flow_id(u->cookie, p.peer, p.scope, p.port);
		if (u->connected && !find_flow(id))
			edge = connected_edge(u);
	}
	if (edge)
		count_received(edge, &p);
	else
		count_later(&p, id);
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
