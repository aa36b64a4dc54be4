/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The table of open connections: a socket's place in it is found, taken and left. */
#ifndef CASSINI_PLACES_H
#define CASSINI_PLACES_H

#include "sockets.h"

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

/* The peer's port and the last four bytes of its address. */
static __always_inline __u64 peer_of(const struct sock *sk)
{
	__u32 addr = sk->__sk_common.skc_family == AF_INET6 ?
			     sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[3] :
			     sk->__sk_common.skc_daddr;

	return (__u64)addr << 16 | sk->__sk_common.skc_dport;
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

#endif
