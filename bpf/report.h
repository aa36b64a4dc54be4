/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the programs tell user space. */
#ifndef CASSINI_REPORT_H
#define CASSINI_REPORT_H

#include "edges.h"
#include "process.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

#define SECOND 1000000000ULL

/* Whose edges a program makes. */
#ifndef EDGES_OF_UDP
#define EDGES_OF_UDP false
#endif

static __always_inline void report_edge(const struct edge_key *key, const struct owner *owner,
					bool current)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		COUNT(count(), ring_full);
		return;
	}
	event->kind = EVENT_EDGE;
	event->cookie = 0;
	event->key = *key;
	event->listener.owner = *owner;
	if (current)
		describe_current(event);
	else
		event->exe_len = event->cwd_len = event->args_len = 0;
	bpf_ringbuf_submit(event, 0);
}

/* A record of a few words: only key and cookie count. */
static __always_inline void report(enum event_kind kind, __u64 cookie, const struct edge_key *key)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		COUNT(count(), ring_full);
		return;
	}
	event->kind = kind;
	event->cookie = cookie;
	if (key)
		event->key = *key;
	event->exe_len = event->cwd_len = event->args_len = 0;
	bpf_ringbuf_submit(event, 0);
}

#define MINUTE (60 * SECOND)
#define SOME_MINUTE 0x8000

/*
 * Counts a failure of an edge, and reports the first of each minute that has any: an edge
 * that fails again is news again.
 */
static __always_inline void attempt_failed(struct edge *edge, int err)
{
	__u64 now = bpf_ktime_get_ns();
	__u16 minute = now / MINUTE | SOME_MINUTE;

	edge->last_ns = now;
	count_failure(edge, err);
	if (edge->failed_in == minute)
		return;
	edge->failed_in = minute;
	report(EVENT_FAILED, 0, &edge->key);
}

/* A socket listens, in the context of the process that asked. */
static __always_inline void begin_listening(const struct listener *l, __u64 cookie)
{
	struct event *event;

	if (bpf_map_update_elem(&listeners, &cookie, l, BPF_ANY))
		COUNT(count(), listeners_full);
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		COUNT(count(), ring_full);
		return;
	}
	event->kind = EVENT_LISTEN;
	event->cookie = cookie;
	event->listener = *l;
	describe_current(event);
	bpf_ringbuf_submit(event, 0);
}

/* It does not, if it did. */
static __always_inline void end_listening(__u64 cookie)
{
	if (bpf_map_delete_elem(&listeners, &cookie))
		return;
	COUNT(count(), unlisten);
	report(EVENT_UNLISTEN, cookie, NULL);
}

/*
 * Wakes user space, which makes room. Should two CPUs do so at once, nothing is lost.
 */
static __always_inline void no_room(struct counters *c, bool udp)
{
	struct table_state *t = shared();
	__u64 now = bpf_ktime_get_ns();

	if (udp)
		COUNT(c, udp_edges_full);
	else
		COUNT(c, edges_full);
	if (!t || now - t->full_at_ns < SECOND)
		return;
	t->full_at_ns = now;
	report(EVENT_FULL, 0, NULL);
}

/* How add_edge() makes one. */
enum making {
	MAKE_OF_KERNEL = 1, /* it is the kernel's, where no owner is given */
};

/*
 * Makes the edge of a new connection and reports it; owner NULL: the current process's.
 * False: there is no room. A global function, as find_way() is: what is rare stays out of
 * what is not. Linux 6.1 takes no argument of one as a value of a map: hence the copy.
 */
__noinline int add_edge(const struct edge_key *key, const struct owner *owner, __u32 *place,
			__u32 making)
{
	struct owner current = {};
	bool fresh = false;
	__u32 at = 0;

	if (!key || !place)
		return false;
	if (!owner)
		current_owner(&current, making & MAKE_OF_KERNEL);
	else
		current = *owner;
	if (!make_edge(key, &current, &at, &fresh, EDGES_OF_UDP)) {
		no_room(count(), EDGES_OF_UDP);
		return false;
	}
	*place = at;
	if (fresh)
		report_edge(key, &current, !owner);
	return true;
}

static __always_inline struct edge *new_edge(const struct edge_key *key, const struct owner *owner,
					     __u32 *place)
{
	return add_edge(key, owner, place, 0) ? bpf_map_lookup_elem(&edges, place) : NULL;
}

static __always_inline struct edge *new_edge_of_current(const struct edge_key *key, bool kernel,
							__u32 *place)
{
	return add_edge(key, NULL, place, kernel ? MAKE_OF_KERNEL : 0) ?
		       bpf_map_lookup_elem(&edges, place) :
		       NULL;
}

#endif
