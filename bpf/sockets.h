/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Maps and the small steps on them that the tracepoint and the bootstrap share. */
#ifndef CASSINI_SOCKETS_H
#define CASSINI_SOCKETS_H

#include "kernel.h"
#include "shared.h"

enum role {
	ROLE_NONE = 0,
	ROLE_LISTENER = 1,  /* also a child that is not yet established: cloned from its listener */
	ROLE_CLIENT = 2,    /* connecting */
	ROLE_COUNTED = 3,   /* established and counted on its edge */
	ROLE_UNCOUNTED = 4, /* its edge found no room */
};

/* What a socket carries: whose it is and which edge it counts on. */
struct sock_state {
	struct edge_key key;
	struct owner owner;
	__u32 role;
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct sock_state);
} sock_states SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct edge_key);
	__type(value, struct edge);
} edges SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64); /* socket cookie */
	__type(value, struct listener);
} listeners SEC(".maps");

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

static __always_inline void edge_owner(struct edge_key *key, const struct owner *owner)
{
	key->cgroup = owner->cgroup;
	key->exe_ino = owner->exe_ino;
	key->exe_dev = owner->exe_dev;
}

/* Finds or makes the edge; *fresh says that it was made. NULL: the map is full. */
static __always_inline struct edge *edge_of(const struct edge_key *key, const struct owner *owner,
					    __u64 now, bool *fresh)
{
	struct edge *edge = bpf_map_lookup_elem(&edges, key);

	if (edge)
		return edge;
	struct edge zero = { .first_ns = now, .last_ns = now };

	zero.owner = *owner;
	/* Another CPU may have been first: then only it reports the edge. */
	*fresh = bpf_map_update_elem(&edges, key, &zero, BPF_NOEXIST) == 0;
	return bpf_map_lookup_elem(&edges, key);
}

static __always_inline void kernel_owner(struct owner *owner)
{
	owner->kind = OWNER_KERNEL;
	__builtin_memcpy(owner->comm, "kernel", 7);
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
static __always_inline void describe_listener(struct listener *l, const struct sock *sk)
{
	local_address(l->addr, sk);
	l->netns = sk->__sk_common.skc_net.net->ns.inum;
	l->port = sk->__sk_common.skc_num;
	l->dual_stack = sk->__sk_common.skc_family == AF_INET6 &&
			!BPF_CORE_READ_BITFIELD(&sk->__sk_common, skc_ipv6only);
}

#endif
