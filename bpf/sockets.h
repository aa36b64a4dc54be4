/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Maps and the small steps on them that the tracepoint and the bootstrap share. */
#ifndef CASSINI_SOCKETS_H
#define CASSINI_SOCKETS_H

#include "kernel.h"
#include "process.h"

enum role {
	ROLE_CLIENT = 1,    /* connecting */
	ROLE_COUNTED = 2,   /* established and counted on its edge */
	ROLE_UNCOUNTED = 3, /* its edge found no room */
};

/* A connection's socket, while it is open: which edge it counts on. */
struct connection {
	__u64 sk;   /* the socket's address; 0: this place is free */
	__u64 peer; /* of peer_of(): tells this socket from an earlier one at its address */
	__u32 edge; /* place in the edges' array ... */
	__u32 life; /* ... and whose it was then */
	__u64 role : 8;
	__u64 start_us : 56; /* when it was established, CLOCK_MONOTONIC; 0: not known */
};

#define WAYS 8

struct bucket {
	struct connection way[WAYS];
};

/*
 * Open connections by the address of their socket. A hash map or socket-local
 * storage would serve as well, but making and freeing an entry of theirs costs
 * more than everything else that is done for a connection (docs/benchmarks.md).
 * So this is an array of buckets, whose places are taken and left by compare and
 * swap; what finds its bucket full goes to a hash map.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 32768);
	__type(key, __u32);
	__type(value, struct bucket);
} connections SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct connection);
} overflow SEC(".maps");

/* Of connections, a power of two; set before the program is loaded. */
const volatile __u32 buckets = 32768;
/* Likewise, of edges. */
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

/* The peer's port and the last four bytes of its address. */
static __always_inline __u64 peer_of(const struct sock *sk)
{
	__u32 addr = sk->__sk_common.skc_family == AF_INET6 ?
			     sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[3] :
			     sk->__sk_common.skc_daddr;

	return (__u64)addr << 16 | sk->__sk_common.skc_dport;
}

static __always_inline struct owner *serves(struct port_key *key)
{
	struct port *port = bpf_map_lookup_elem(&ports, key);

	return port && port->sockets > 0 ? &port->owner : NULL;
}

/* Whose the listener on a local address is. The most specific address wins. */
static __always_inline struct owner *server_at(__u32 netns, __u16 port, const __u8 addr[16],
					       bool v4, bool v6)
{
	struct port_key key = { .netns = netns, .port = port };
	struct owner *owner;

	__builtin_memcpy(key.addr, addr, 16);
	owner = serves(&key);
	if (!owner && v4) {
		v4_mapped(key.addr, 0);
		owner = serves(&key);
	}
	if (!owner && v6) {
		__builtin_memset(key.addr, 0, 16);
		owner = serves(&key);
	}
	return owner;
}

static __always_inline void port_of(struct port_key *key, const struct listener *l)
{
	key->netns = l->netns;
	key->port = l->port;
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

/*
 * The socket's address as a plain number, or 0: the verifier lets nothing be
 * computed from a pointer, but forgets what it is in a map. An interrupt in between
 * puts back what it found; where another task may come in between, what was read
 * may be another socket's, and is read again.
 */
static __always_inline __u64 id_of(const struct sock *sk)
{
	volatile struct counters *c = count();

	for (int tries = 0; c && tries < 3; tries++) {
		__u64 before = c->sk, id, plain;

		c->sk = (__u64)sk;
		id = c->sk;
		c->sk = before;
		plain = id;
		barrier_var(plain); /* else the compiler returns the pointer */
		if (id == (__u64)sk)
			return plain;
	}
	return 0;
}

/* The pointer as a number, which the verifier lets be read from the stack by a helper. */
static __always_inline __u64 plain(const void *pointer)
{
	__u64 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), &pointer);
	return number;
}

/*
 * Which place of a bucket is the socket's, or WAYS. A global function: the
 * verifier looks at it once, and not at each of eight outcomes wherever it is used.
 */
__noinline int find_way(const struct bucket *b, __u64 id)
{
	if (!b)
		return WAYS;
	for (int i = 0; i < WAYS; i++)
		if (b->way[i].sk == id)
			return i;
	return WAYS;
}

static __always_inline struct connection *way_of(struct bucket *b, __u64 id)
{
	__u32 i = find_way(b, id);

	if (i >= WAYS)
		return NULL;
	barrier_var(i); /* keeps the mask, which the verifier wants to see */
	return &b->way[i & (WAYS - 1)];
}

static __always_inline struct bucket *bucket_of(__u64 id)
{
	/* Fibonacci hashing: Knuth, The Art of Computer Programming 3, 6.4. */
	__u32 i = (id * 0x9e3779b97f4a7c15ULL) >> 40 & (buckets - 1);

	return bpf_map_lookup_elem(&connections, &i);
}

static __always_inline struct connection *find_connection(__u64 id)
{
	struct bucket *b = bucket_of(id);
	struct connection *conn = b ? way_of(b, id) : NULL;
	struct table_state *t;

	if (conn)
		return conn;
	t = shared();
	return t && t->overflow ? bpf_map_lookup_elem(&overflow, &id) : NULL;
}

/* A place for a socket that has none yet; NULL: there is no room. */
static __always_inline struct connection *take_place(__u64 id)
{
	struct bucket *b = bucket_of(id);
	struct connection fresh = { .sk = id };
	struct table_state *t = shared();

	if (!b || !t)
		return NULL;
	for (int tries = 0; tries < 3; tries++) { /* another CPU may be faster */
		struct connection *free = way_of(b, 0);

		if (!free)
			break;
		if (!__sync_val_compare_and_swap(&free->sk, 0, id))
			return free;
	}
	if (bpf_map_update_elem(&overflow, &id, &fresh, BPF_NOEXIST))
		return NULL;
	ADD(t->overflow, 1);
	return bpf_map_lookup_elem(&overflow, &id);
}

/* Says whether the place was left by this very call: then it may be another's already. */
static __always_inline bool leave_place(__u64 id)
{
	struct bucket *b = bucket_of(id);
	struct connection *conn = b ? way_of(b, id) : NULL;
	struct table_state *t;

	if (conn)
		return __sync_val_compare_and_swap(&conn->sk, id, 0) == id;
	t = shared();
	if (!t || !t->overflow || bpf_map_delete_elem(&overflow, &id))
		return false;
	ADD(t->overflow, -1);
	return true;
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
	l->dual_stack = sk->__sk_common.skc_family == AF_INET6 &&
			!BPF_CORE_READ_BITFIELD(&sk->__sk_common, skc_ipv6only);
}

#endif
