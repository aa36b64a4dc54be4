//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What watches a host's neighbours in its rings: a filter on the heartbeat socket checks
 * and counts their heartbeats, keeps them from waking anybody, and sets off each one's
 * timer anew. User space wakes when a timer runs out. Control datagrams pass, if their
 * header is from somebody who has a key.
 *
 * It is a socket filter, since that sees only what the socket would get, behind the
 * firewall, on every interface, and goes with the socket.
 */
#include "control.h"
#include "datagram.h"
#include "kernel.h"
#include "watch.h"

#define UDP_HEADER 8 /* the data begin with it */
#define ARM_HEADER 0 /* behind the Ethernet header of a test run */

/* On the heartbeat socket: -1 passes the whole datagram, 0 drops it. */
SEC("socket")
int heartbeat_datagrams(struct __sk_buff *skb)
{
	struct heartbeat h = {};
	struct heartbeat_set *set;
	struct heartbeat_key *key;
	struct pulse *p;

	if (bpf_skb_load_bytes(skb, UDP_HEADER, &h, sizeof(h))) {
		COUNT(truncated);
		return 0;
	}
	if (!well_formed(&h, skb->len - UDP_HEADER)) {
		COUNT(malformed);
		return 0;
	}
	set = bpf_map_lookup_elem(&heartbeat_sets, &h.set);
	if (!set || !set->interval_ns != (h.type != TYPE_HEARTBEAT)) {
		COUNT(unknown_set);
		return 0;
	}
	key = key_of(set, h.key);
	if (!key) {
		COUNT(unknown_key);
		return 0;
	}
	if (is_forged(&h, key)) {
		COUNT(forged);
		return 0;
	}
	if (h.type == TYPE_ASK) { /* a reflector would have answered; the agent does not */
		COUNT(not_watched);
		return 0;
	}
	if (h.type != TYPE_HEARTBEAT) {
		if (!may_pass(h.tag)) {
			COUNT(limited);
			return 0;
		}
		COUNT(control);
		return -1;
	}
	p = bpf_map_lookup_elem(&pulses, &h.set);
	if (!p) {
		COUNT(not_watched);
		return 0;
	}
	if (h.incarnation < p->incarnation) {
		COUNT(old_incarnation);
		return 0;
	}
	if (!fresh(p, h.nonce)) {
		COUNT(replayed);
		return 0;
	}
	COUNT(heartbeats);
	beat(p, &h, set);
	return 0;
}

/*
 * Begins a watch, or its window anew: run by user space, which may not touch timers, with
 * the set's number as data. 0: done.
 */
SEC("socket")
int heartbeat_arm(struct __sk_buff *skb)
{
	struct heartbeat_set *set;
	struct pulse *p;
	__u32 id = 0;

	if (bpf_skb_load_bytes(skb, ARM_HEADER, &id, sizeof(id)))
		return 1;
	set = bpf_map_lookup_elem(&heartbeat_sets, &id);
	p = bpf_map_lookup_elem(&pulses, &id);
	if (!set || !p)
		return 2;
	return begin(p, set);
}

/* Kept in BTF for bpf2go. */
const struct heartbeat_counters *unused_counters __attribute__((unused));
const struct pulse_event *unused_event __attribute__((unused));
const enum pulse_state *unused_state __attribute__((unused));
const enum pulse_event_kind *unused_kind __attribute__((unused));

char LICENSE[] SEC("license") = "Dual BSD/GPL";
