/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How the connections of an edge fared: smoothed round-trip times and lifetimes, counted
 * in buckets as they close. A bucket ends at a power of two of a microsecond: whoever
 * adds two histograms adds their counts. agent/capture/health.go has the same bounds.
 *
 * An edge has room for a few counts beside its others, which takes an eighth of what all
 * buckets would. Where these are more, or much is counted, the rest is in a map of its own:
 * what a bucket counts is the sum of both.
 */
#ifndef CASSINI_HEALTH_H
#define CASSINI_HEALTH_H

#include "report.h"

#define RTT_LOWEST 4       /* the first bucket ends at 2^4 us */
#define LIFETIME_LOWEST 10 /* likewise */
#define LIFETIME_COARSE 32 /* from 2^32 us on, each is four times as wide as the one before */
#define HALF_ROUND 0x80000000U

/*
 * What cells have no room for. By place, of the first places: an array is the fastest to find
 * one in, and the busiest edges are seldom the last.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct health);
} healths SEC(".maps");

/* Of the places beyond, those that have any. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct health);
} more_healths SEC(".maps");

static const struct health no_health;

/*
 * How many bits a number below 2^63 has. Without a branch: the verifier would follow each of
 * 64 ways on.
 */
static __always_inline __u32 bit_length(__u64 n)
{
	__u64 bits = 0, half;

#pragma unroll
	for (int width = 32; width; width /= 2) {
		half = ((1ULL << width) - 1 - n) >> 63; /* whether any bit above is set */
		half *= width;
		bits += half;
		n >>= half;
	}
	return bits + n;
}

static __always_inline __u32 rtt_bucket(__u32 us)
{
	__u32 bits = bit_length(us), i = bits > RTT_LOWEST ? bits - RTT_LOWEST : 0;

	return i < RTT_BUCKETS ? i : RTT_BUCKETS - 1;
}

static __always_inline __u32 lifetime_bucket(__u64 us)
{
	__u32 bits = bit_length(us), i;

	if (bits > LIFETIME_COARSE)
		bits = LIFETIME_COARSE + (bits - LIFETIME_COARSE + 1) / 2;
	i = bits > LIFETIME_LOWEST ? bits - LIFETIME_LOWEST : 0;
	return i < LIFETIME_BUCKETS ? i : LIFETIME_BUCKETS - 1;
}

/* A global function, as find_way() is: what is rare stays out of what is not. */
__noinline int make_health(__u32 place)
{
	return bpf_map_update_elem(&more_healths, &place, &no_health, BPF_NOEXIST);
}

static __always_inline struct health *health_of(__u32 place)
{
	struct health *health = bpf_map_lookup_elem(&healths, &place);

	if (health)
		return health;
	health = bpf_map_lookup_elem(&more_healths, &place);
	if (health)
		return health;
	make_health(place);
	health = bpf_map_lookup_elem(&more_healths, &place);
	if (!health)
		COUNT(count(), health_full);
	return health;
}

__noinline int tell_many(const struct edge_key *key)
{
	if (key)
		report(EVENT_MANY, 0, key);
	return 0;
}

/* Counts one; a count that may run over before anybody reads it is reported. */
static __always_inline void count_bucket(__u32 *bucket, const struct edge_key *key)
{
	if ((__sync_fetch_and_add(bucket, 1) & (HALF_ROUND - 1)) == HALF_ROUND - 1)
		tell_many(key);
}

/* A packet's time costs nothing, where one ends the connection: not where it is reset. */
static __always_inline __u64 ended_at(const struct tcp_sock *tp, int oldstate)
{
	switch (oldstate) {
	case TCP_FIN_WAIT2:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		return tp->tcp_mstamp;
	default:
		return bpf_ktime_get_ns() / 1000;
	}
}

/*
 * Counts one in the cell of a bucket, or in a free one; false: there is none, or it is full.
 * A global function, as find_way() is.
 */
__noinline int count_cell(struct edge *edge, __u32 bucket)
{
	__u32 mine = bucket << CELL_BITS, cell;

	if (!edge)
		return false;
	for (int i = 0; i < CELLS; i++) {
		cell = *(volatile __u32 *)&edge->cells[i];
		if (!cell) {
			cell = __sync_val_compare_and_swap(&edge->cells[i], 0, mine | 1);
			if (!cell)
				return true;
		}
		if ((cell & ~CELL_COUNT) != mine)
			continue;
		if ((cell & CELL_COUNT) >= CELL_FULL)
			return false;
		__sync_fetch_and_add(&edge->cells[i], 1);
		return true;
	}
	return false;
}

/* Counts one that no cell has. A global function: most edges never come here. */
__noinline int count_wide(struct edge *edge, __u32 place, __u32 bucket)
{
	__u32 i = bucket - 1;
	struct health *health;

	if (!edge)
		return 0;
	edge->wide = 1; /* before anything is counted there */
	health = health_of(place);
	barrier_var(i); /* the comparison is of what the verifier sees below */
	if (!health || i >= RTT_BUCKETS + LIFETIME_BUCKETS)
		return 0;
	count_bucket((__u32 *)health + i, &edge->key); /* one array lies behind the other */
	return 0;
}

/* Counts one in a bucket of an edge, as cells have them. */
static __always_inline void count_in(struct edge *edge, __u32 place, __u32 bucket)
{
	if (!count_cell(edge, bucket))
		count_wide(edge, place, bucket);
}

/* A connection closes. What was never measured, or began unseen, is 0 and not counted. */
static __always_inline void count_health(struct edge *edge, __u32 place, __u32 rtt_us,
					 __u64 start_us, __u64 end_us)
{
	if (rtt_us)
		count_in(edge, place, 1 + rtt_bucket(rtt_us));
	if (start_us && end_us >= start_us)
		count_in(edge, place, 1 + RTT_BUCKETS + lifetime_bucket(end_us - start_us));
}

#endif
