/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Maps and the small steps on them that the tracepoint and the bootstrap share. */
#ifndef CASSINI_SOCKETS_H
#define CASSINI_SOCKETS_H

#include "kernel.h"
#include "process.h"

/* Places of edges, a power of two; set before the program is loaded. */
const volatile __u32 edge_places = 65536;

/* Which place of the array an edge of TCP has. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct edge_key);
	__type(value, __u32);
} edge_ids SEC(".maps");

/*
 * Likewise of UDP. A datagram costs its sender nothing, whatever address it bears: so
 * this map is smaller than the array, and what it has no room for leaves places to TCP.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 32768);
	__type(key, struct edge_key);
	__type(value, __u32);
} udp_edge_ids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct edge);
} edges SEC(".maps");

/* Places that evicted edges left, and those that found no room in their map. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 65536);
	__type(value, __u32);
} spare_edges SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct table_state);
} table_states SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64); /* socket cookie */
	__type(value, struct listener);
} listeners SEC(".maps");

struct port_key {
	__u32 netns;
	__u32 port;
	__u32 ifindex; /* that sockets are bound to; 0: to none */
	__u32 pad;
	__u8 addr[16];
};

/* Who serves an address: several sockets may, and the latest to listen is named. */
struct port {
	struct owner owner;
	__s64 sockets;
};

/* Tells whose an accepted socket is, and which way an older connection went. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct port_key);
	__type(value, struct port);
} ports SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counters);
} counters SEC(".maps");

static __always_inline struct counters *count(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

/* Counters of an edge are shared by all CPUs. */
#define ADD(field, n) __sync_fetch_and_add(&(field), (n))
/* Those of a CPU too are added to atomically: an interrupt may run the program again. */
#define COUNT(c, field)                                                                            \
	do {                                                                                       \
		struct counters *counted = (c);                                                    \
		if (counted)                                                                       \
			ADD(counted->field, 1);                                                    \
	} while (0)

static __always_inline void v4_mapped(__u8 out[16], __be32 addr)
{
	*(__u64 *)out = 0;
	*(__u32 *)(out + 8) = bpf_htonl(0xffff);
	*(__u32 *)(out + 12) = addr;
}

static __always_inline bool is_v4(const __u8 addr[16])
{
	return !*(__u64 *)addr && *(__u32 *)(addr + 8) == bpf_htonl(0xffff);
}

static __always_inline void local_address(__u8 out[16], const struct sock *sk)
{
	if (sk->__sk_common.skc_family == AF_INET6)
		__builtin_memcpy(out, &sk->__sk_common.skc_v6_rcv_saddr, 16);
	else
		v4_mapped(out, sk->__sk_common.skc_rcv_saddr);
}

static __always_inline void peer_address(__u8 out[16], const struct sock *sk)
{
	if (sk->__sk_common.skc_family == AF_INET6)
		__builtin_memcpy(out, &sk->__sk_common.skc_v6_daddr, 16);
	else
		v4_mapped(out, sk->__sk_common.skc_daddr);
}

/* fe80::/10 (RFC 4291): it means something on one link alone. */
static __always_inline bool is_link_local(const __u8 addr[16])
{
	return addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

/* The interface of a link-local peer: the kernel binds the socket of a connection to it. */
static __always_inline __u32 peer_scope(const __u8 peer[16], const struct sock *sk)
{
	return is_link_local(peer) ? sk->__sk_common.skc_bound_dev_if : 0;
}

static __always_inline struct owner *serves(struct port_key *key, __u32 ifindex)
{
	struct port *port = NULL;

	if (ifindex) {
		key->ifindex = ifindex;
		port = bpf_map_lookup_elem(&ports, key);
		key->ifindex = 0;
	}
	if (!port)
		port = bpf_map_lookup_elem(&ports, key);
	return port && port->sockets > 0 ? &port->owner : NULL;
}

/*
 * Whose the listener on a local address is. The most specific address wins, and on that a
 * listener that is bound to the interface: one that was accepted is bound as its listener, or
 * to that of its link-local address.
 */
static __always_inline struct owner *server_at(__u32 netns, __u16 port, const __u8 addr[16],
					       __u32 ifindex, bool v4, bool v6)
{
	struct port_key key = { .netns = netns, .port = port };
	struct owner *owner;

	__builtin_memcpy(key.addr, addr, 16);
	owner = serves(&key, ifindex);
	if (!owner && v4) {
		v4_mapped(key.addr, 0);
		owner = serves(&key, ifindex);
	}
	if (!owner && v6) {
		__builtin_memset(key.addr, 0, 16);
		owner = serves(&key, ifindex);
	}
	return owner;
}

static __always_inline void port_of(struct port_key *key, const struct listener *l)
{
	key->netns = l->netns;
	key->port = l->port;
	key->ifindex = l->ifindex;
	__builtin_memcpy(key->addr, l->addr, 16);
}

/* Counts a listening socket on its port. */
static __always_inline void open_port(const struct listener *l)
{
	struct port_key key = {};
	struct port fresh = { .owner = l->owner, .sockets = 1 };

	port_of(&key, l);
	if (bpf_map_update_elem(&ports, &key, &fresh, BPF_NOEXIST) == 0)
		return;
	struct port *port = bpf_map_lookup_elem(&ports, &key);

	if (!port) {
		COUNT(count(), listeners_full);
		return;
	}
	port->owner = l->owner;
	ADD(port->sockets, 1);
}

static __always_inline void close_port(const struct listener *l)
{
	struct port_key key = {};

	port_of(&key, l);
	struct port *port = bpf_map_lookup_elem(&ports, &key);

	if (!port)
		return;
	ADD(port->sockets, -1);
	if (port->sockets <= 0)
		bpf_map_delete_elem(&ports, &key);
}

static __always_inline void edge_owner(struct edge_key *key, const struct owner *owner)
{
	key->cgroup = owner->cgroup;
	key->exe_ino = owner->exe_ino;
	key->exe_dev = owner->exe_dev;
}

static __always_inline struct table_state *shared(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&table_states, &zero);
}

/* The pointer as a number, which the verifier lets be read from the stack by a helper. */
static __always_inline __u64 plain(const void *pointer)
{
	__u64 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), &pointer);
	return number;
}

/*
 * A process's MPTCP socket hides one TCP socket a path behind it, each of which
 * looks like the kernel's own. Go's listeners are such by default.
 */
static __always_inline bool is_subflow(struct tcp_sock *tp)
{
	return tp && bpf_core_field_exists(tp->is_mptcp) && tp->is_mptcp;
}

/* A listening socket's place in the map, from the socket itself. */
static __always_inline void describe_listener(struct listener *l, const struct sock *sk, __u8 proto)
{
	l->proto = proto;
	local_address(l->addr, sk);
	l->netns = sk->__sk_common.skc_net.net->ns.inum;
	l->port = sk->__sk_common.skc_num;
	l->ifindex = sk->__sk_common.skc_bound_dev_if;
	l->dual_stack = sk->__sk_common.skc_family == AF_INET6 &&
			!BPF_CORE_READ_BITFIELD(&sk->__sk_common, skc_ipv6only);
	l->many = proto == IPPROTO_SCTP && sk->sk_type == SOCK_SEQPACKET;
}

#endif
