/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Timers of neighbours. Heartbeats, the timer and user space may meet in one neighbour, each
 * on its own CPU. Whoever changes its state tells of it, so that a return is never told
 * before the expiry that it ends: a heartbeat that finds the timer telling leaves its
 * return to it.
 */
#ifndef CASSINI_WATCH_H
#define CASSINI_WATCH_H

#include "kernel.h"
#include "pulse.h"

#define RETRY_NS 100000000ULL /* when a record found no room */

#define CLOCK_MONOTONIC 1

static __always_inline __u64 heard_at(struct pulse *p)
{
	__u64 last = LOOK(p->last_ns), since = LOOK(p->since_ns);

	return last > since ? last : since;
}

/* 0 where nothing was heard, or another CPU heard it after now. */
static __always_inline __u64 silence(__u64 last, __u64 now)
{
	return last && now > last ? now - last : 0;
}

static __always_inline long start(struct pulse *p, __u64 now, __u64 ns)
{
	p->due_ns = now + ns;
	return bpf_timer_start(&p->timer, ns, 0);
}

/* Sets the timer off anew; the kernel refuses when nobody holds the map any more. */
static __always_inline long arm(struct pulse *p, const struct heartbeat_set *set, __u64 now)
{
	return set->silence_ns ? start(p, now, set->silence_ns) : 0;
}

/* The state is PULSE_ARMED. What finds no room is told at the next heartbeat. */
static __always_inline void resume(struct pulse *p, __u32 set, __u64 now, __u64 silent,
				   __u64 incarnation)
{
	if (!tell(PULSE_EVENT_RESUMED, set, now, silent, incarnation))
		SWAP(p->state, PULSE_ARMED, PULSE_REARMED);
}

static __always_inline void expire(struct pulse *p, __u32 set, __u64 now, __u64 from)
{
	__u32 was = LOOK(p->state), to = was, is;
	__u64 silent = silence(LOOK(p->last_ns), now), incarnation = LOOK(p->incarnation);

	if (was == PULSE_EXPIRED || SWAP(p->state, was, PULSE_EXPIRING) != was)
		return;
	/* Else it was a heartbeat or a new window, just now: that armed the timer. */
	if (heard_at(p) == from) {
		if (tell(PULSE_EVENT_EXPIRED, set, now, silent, incarnation)) {
			ADD(p->expiries, 1);
			to = PULSE_EXPIRED;
		} else {
			start(p, now, RETRY_NS);
		}
	}
	is = SWAP(p->state, PULSE_EXPIRING, to);
	if (is == PULSE_ARMED && to != PULSE_ARMED)
		resume(p, set, now, silent, incarnation);
	else if (is == PULSE_REARMED && to == PULSE_ARMED) /* a new window, and nothing was told */
		SWAP(p->state, PULSE_REARMED, PULSE_ARMED);
}

/* The timer of a neighbour ran out. */
static int passed(void *map, __u32 *key, struct pulse *p)
{
	__u32 id = *key;
	struct heartbeat_set *set = bpf_map_lookup_elem(&heartbeat_sets, &id);
	__u64 now = bpf_ktime_get_ns(), from = heard_at(p), due = LOOK(p->due_ns), silent;

	if (!set || !set->silence_ns)
		return 0;
	silent = silence(from, now);
	if (silent < set->silence_ns) {
		start(p, now, set->silence_ns - silent);
		return 0;
	}
	if (LOOK(p->state) != PULSE_EXPIRED && silence(due, now) > set->grace_ns) {
		/* It is this machine that stood still: heartbeats may wait to be taken in. */
		ADD(p->late, 1);
		p->since_ns = now;
		arm(p, set, now);
		tell(PULSE_EVENT_LATE, id, now, silence(p->last_ns, now), p->incarnation);
		return 0;
	}
	expire(p, id, now, from);
	return 0;
}

/* What finds no room is told at the next heartbeat. */
static __always_inline void live(struct pulse *p, const struct heartbeat *h, __u64 now,
				 __u64 silent)
{
	__u64 was = LOOK(p->incarnation);

	if (h->incarnation > was && SWAP(p->incarnation, was, h->incarnation) == was &&
	    !tell(PULSE_EVENT_INCARNATION, h->set, now, silent, h->incarnation))
		SWAP(p->incarnation, h->incarnation, was);
}

static __always_inline void beat(struct pulse *p, const struct heartbeat *h,
				 const struct heartbeat_set *set)
{
	__u64 now = bpf_ktime_get_ns();
	__u64 silent = silence(note(p, h, set->interval_ns, now), now);
	__u32 was;

	live(p, h, now, silent);
	was = LOOK(p->state);
	if (was != PULSE_ARMED && SWAP(p->state, was, PULSE_ARMED) == was &&
	    (was == PULSE_EXPIRED || was == PULSE_REARMED))
		resume(p, h->set, now, silent, h->incarnation);
	if (arm(p, set, now))
		COUNT(unarmed);
}

/* A new window. 0: done, else the step that the kernel refused: 3 when it has no memory. */
static __always_inline int begin(struct pulse *p, const struct heartbeat_set *set)
{
	__u64 now = bpf_ktime_get_ns();

	bpf_timer_init(&p->timer, &pulses, CLOCK_MONOTONIC); /* EBUSY: it is already */
	if (bpf_timer_set_callback(&p->timer, passed))
		return 3;
	p->since_ns = now;
	SWAP(p->state, PULSE_NEW, PULSE_ARMED);
	SWAP(p->state, PULSE_EXPIRED, PULSE_REARMED);
	SWAP(p->state, PULSE_EXPIRING, PULSE_REARMED);
	return arm(p, set, now) ? 4 : 0;
}

#endif
