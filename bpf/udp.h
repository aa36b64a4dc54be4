/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What is kept of UDP sockets and of the flows through them. */
#ifndef CASSINI_UDP_H
#define CASSINI_UDP_H

#include "report.h"

/* A flow that rests for longer is another one when it goes on: as conntrack has it. */
#define FLOW_IDLE (120 * SECOND)
/* A socket may have so many peers anew in so long. */
#define PEERS 4096
#define PEERS_TIME (3600 * SECOND)
/* A source address is looked up by a socket that lives for microseconds. */
#define IN_USE (SECOND / 10)
/* net/sock.h, SK_DEFAULT_STAMP: sk_stamp before a datagram was read. */
#define NEVER_STAMPED (-1000000000LL)
/*
 * In place of an edge: this flow has none, or nobody has read from it yet, and so many datagrams
 * wait, modulo 2^24. There are fewer places for edges than that.
 */
#define NO_EDGE 0xffffffff
#define MEANT_FOR_ALL 0xfffffffe /* none unless it is answered */
#define EDGE_TO_COME 0xfe000000
#define THAT_WAIT 0x00ffffff

enum connected {
	NOT_CONNECTED = 0,
	CONNECTED_WAITING = 1, /* nothing tells yet that it is used */
	CONNECTED_FAILED = 2,  /* only errors did */
	CONNECTED_HEARD = 3,   /* it counts on its edge */
};

/* The socket's lock is held by every program that writes to it. */
struct udp_socket {
	__u64 sk; /* the socket's address, as a number */
	__u64 cookie;
	__u64 last_ns; /* of the flow that went last ... */
	__u64 flow;    /* ... which is this one, ... */
	__u32 edge;    /* ... counts here, ... */
	__u32 life;
	__u8 peer[16]; /* ... and goes there */
	__u64 connected_ns;
	__u64 peers_ns;
	__u32 peers; /* since then */
	__u32 netns;
	__u32 connected; /* enum connected */
	__u32 connected_edge;
	__u32 connected_life;
	__be16 port;     /* of peer */
	__be16 all_port; /* where it sent to a multicast or broadcast address */
	__u8 bound;      /* to a port that the program chose */
	__u8 serves;     /* or received first, when it had sent nothing */
	__u8 sent;       /* it sent first, to somebody */
	__u8 old;        /* nothing is known of its past */
	__u8 asked;      /* somebody sent first, to it */
	__u8 pad[3];
	__u32 scope; /* of peer, where it is link-local: index of the interface */
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct udp_socket);
} udp_sockets SEC(".maps");

/* Between one socket and one address and port. */
struct flow {
	__u64 id; /* of flow_id(); 0: this place is free */
	__u64 last_ns;
	union {
		struct {
			__u32 edge; /* place in the edges' array, NO_EDGE, or EDGE_TO_COME and more */
			__u32 life; /* of that edge; bytes that wait for one to come */
		};
		__u64 where; /* both */
	};
};

struct flow_bucket {
	struct flow way[WAYS];
};

/* The one that rests longest makes room. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct flow_bucket);
} flows SEC(".maps");

/* Of flows, a power of two; set before the program is loaded. */
const volatile __u32 flow_buckets = 8192;

/* Steps of MurmurHash's finalizer. */
static __always_inline __u64 mix(__u64 h)
{
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccdULL;
	h ^= h >> 33;
	h *= 0xc4ceb9fe1a85ec53ULL;
	return h ^ h >> 33;
}

/* A link-local address has no bits where the interface's index is put. */
static __always_inline __u64 flow_id(__u64 cookie, const __u8 peer[16], __u32 scope, __be16 port)
{
	__u64 to = *(__u64 *)peer ^ (__u64)scope << 32;
	__u64 id = mix(mix(mix(cookie << 16 ^ port) ^ to) ^ *(__u64 *)(peer + 8));

	return id ? id : 1;
}

/* Global functions, as find_way() is. */
__noinline int find_flow_way(const struct flow_bucket *b, __u64 id)
{
	if (!b)
		return WAYS;
	for (int i = 0; i < WAYS; i++)
		if (b->way[i].id == id)
			return i;
	return WAYS;
}

__noinline int oldest_way(const struct flow_bucket *b)
{
	int oldest = 0;

	if (!b)
		return 0;
	for (int i = 1; i < WAYS; i++)
		if (b->way[i].last_ns < b->way[oldest & (WAYS - 1)].last_ns)
			oldest = i;
	return oldest;
}

static __always_inline struct flow_bucket *flow_bucket_of(__u64 id)
{
	__u32 i = id & (flow_buckets - 1);

	return bpf_map_lookup_elem(&flows, &i);
}

static __always_inline struct flow *find_flow(__u64 id)
{
	struct flow_bucket *b = flow_bucket_of(id);
	__u32 i = find_flow_way(b, id);

	if (!b || i >= WAYS)
		return NULL;
	barrier_var(i);
	return &b->way[i & (WAYS - 1)];
}

/*
 * The place of a flow; *fresh says that another one had it, of which there stands what it left.
 * NULL: another CPU was faster, and the flow is forgotten.
 */
static __always_inline struct flow *take_flow(__u64 id, __u64 now, bool *fresh)
{
	struct flow *f = find_flow(id);

	if (!f) {
		struct flow_bucket *b = flow_bucket_of(id);
		__u32 i = oldest_way(b);

		if (!b)
			return NULL;
		barrier_var(i);
		f = &b->way[i & (WAYS - 1)];

		__u64 was = f->id;
		bool young = was && now - f->last_ns < FLOW_IDLE;

		if (young)
			COUNT(count(), flows_full);
		if (__sync_val_compare_and_swap(&f->id, was, id) != was) {
			if (!young)
				COUNT(count(), flows_full);
			return NULL;
		}
		f->last_ns = now;
		*fresh = true;
	}
	return f;
}

/* Whether nobody has read from the flow yet, of which this is said where. */
static __always_inline bool to_come(__u64 where)
{
	return ((__u32)where & ~THAT_WAIT) == EDGE_TO_COME;
}

/* Notes whose edge a flow has; returns what its place said before, of bytes and datagrams that waited. */
static __always_inline __u64 keep_flow(__u64 id, __u64 now, __u32 edge, __u32 life)
{
	bool fresh = false;
	struct flow *f = take_flow(id, now, &fresh);
	__u64 was;

	if (!f)
		return 0;
	f->last_ns = now;
	was = __sync_lock_test_and_set(&f->where, (__u64)life << 32 | edge);
	return !fresh && to_come(was) ? was : 0;
}

static __always_inline bool same_address(const __u8 a[16], const __u8 b[16])
{
	return *(__u64 *)a == *(__u64 *)b && *(__u64 *)(a + 8) == *(__u64 *)(b + 8);
}

/* A multicast or broadcast address. */
static __always_inline bool to_all(const __u8 addr[16])
{
	if (is_v4(addr))
		return (addr[12] & 0xf0) == 0xe0 || *(__u32 *)(addr + 12) == 0xffffffff;
	return addr[0] == 0xff;
}

static __always_inline struct edge *connected_edge(const struct udp_socket *u)
{
	return edge_at(u->connected_edge, u->connected_life);
}

#endif
