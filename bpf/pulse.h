/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What is known of one neighbour, and what is told of it. Programs of sockets may not lock,
 * so that all that two CPUs may meet in is changed by compare and swap.
 */
#ifndef CASSINI_PULSE_H
#define CASSINI_PULSE_H

#include "datagram.h"
#include "kernel.h"

#define WORDS 8 /* of the replay window, 16 nonces each */
#define BUCKETS 16

#define LOOK(field) (*(volatile __typeof__(field) *)&(field))
#define SWAP(field, from, to) __sync_val_compare_and_swap(&(field), (from), (to))

/* uapi/linux/bpf.h; known to the kernel by its name */
struct bpf_timer {
	__u64 opaque[2];
} __attribute__((aligned(8)));

enum pulse_state {
	PULSE_NEW = 0,
	PULSE_ARMED = 1,
	PULSE_EXPIRED = 2,
	PULSE_REARMED = 3,  /* a new window after it expired: a heartbeat is a return */
	PULSE_EXPIRING = 4, /* the timer is about to tell: it tells also of a return meanwhile */
};

/* One neighbour. Times are CLOCK_MONOTONIC. */
struct pulse {
	struct bpf_timer timer;
	__u64 window[WORDS];
	__u64 last_ns;  /* arrival of the latest heartbeat */
	__u64 since_ns; /* the deadline counts from here, or from last_ns */
	__u64 due_ns;   /* when the timer was to run */
	__u64 incarnation;
	__u64 progress;
	__u64 heartbeats;
	__u32 state; /* enum pulse_state */
	__u32 flags; /* of the latest */
	__u32 expiries;
	__u32 late;              /* timers that were kept from running */
	__u32 spacing[BUCKETS];  /* between arrivals: below 1 ms, 2 ms, 4 ms, ... */
	__u32 lateness[BUCKETS]; /* beyond the interval: below 64 us, 128 us, ... */
};

enum pulse_event_kind {
	PULSE_EVENT_EXPIRED = 1,
	PULSE_EVENT_RESUMED = 2,
	PULSE_EVENT_INCARNATION = 3, /* the first heartbeat of one */
	PULSE_EVENT_LATE = 4,        /* a timer was kept from running: a new window */
};

struct pulse_event {
	__u32 kind;
	__u32 set;
	__u64 at_ns;
	__u64 silent_ns;
	__u64 incarnation;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct pulse);
} pulses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} pulse_events SEC(".maps");

/* Takes each nonce once. A word is a block's number and its 16 bits, and only grows. */
static __always_inline bool fresh(struct pulse *p, __u64 nonce)
{
	__u64 block = nonce >> 4, bit = 1ULL << (nonce & 15);
	__u64 *word = &p->window[block & (WORDS - 1)];

	for (int tries = 0; tries < 4; tries++) { /* another CPU may be faster */
		__u64 was = LOOK(*word), now;

		if (block < was >> 16)
			return false;
		now = block > was >> 16 ? block << 16 | bit : was | bit;
		if (now == was)
			return false;
		if (SWAP(*word, was, now) == was)
			return true;
	}
	return false;
}

/* 0 for 0, else the place of the highest bit, counted from 1; at most BUCKETS - 1. */
static __always_inline __u32 bucket_of(__u64 n)
{
	__u32 bucket = 1;

	if (!n)
		return 0;
	if (n >> (BUCKETS - 2))
		return BUCKETS - 1;
	if (n >> 8) {
		n >>= 8;
		bucket += 8;
	}
	if (n >> 4) {
		n >>= 4;
		bucket += 4;
	}
	if (n >> 2) {
		n >>= 2;
		bucket += 2;
	}
	return bucket + (n >> 1);
}

static __always_inline bool tell(__u32 kind, __u32 set, __u64 now, __u64 silent, __u64 incarnation)
{
	struct pulse_event *e = bpf_ringbuf_reserve(&pulse_events, sizeof(*e), 0);

	if (!e) {
		COUNT(ring_full);
		return false;
	}
	e->kind = kind;
	e->set = set;
	e->at_ns = now;
	e->silent_ns = silent;
	e->incarnation = incarnation;
	bpf_ringbuf_submit(e, 0);
	return true;
}

/* Notes a heartbeat; returns when the one before came, 0 for the first. */
static __always_inline __u64 note(struct pulse *p, const struct heartbeat *h, __u64 interval,
				  __u64 now)
{
	__u64 last = LOOK(p->last_ns), spacing, late = 0;

	if (now > last) /* else another CPU heard a later one */
		SWAP(p->last_ns, last, now);
	p->progress = h->progress;
	p->flags = h->flags;
	ADD(p->heartbeats, 1);
	if (!last || now < last)
		return last;
	spacing = now - last;
	if (spacing > interval)
		late = spacing - interval;
	ADD(p->spacing[bucket_of(spacing / 1000000) & (BUCKETS - 1)], 1);
	ADD(p->lateness[bucket_of(late / 64000) & (BUCKETS - 1)], 1);
	return last;
}

#endif
