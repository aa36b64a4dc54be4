/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The datagrams of the heartbeat socket: their header, the keys that are accepted for
 * them, and what became of each. The format is model/wire's; a test holds both against
 * each other.
 */
#ifndef CASSINI_DATAGRAM_H
#define CASSINI_DATAGRAM_H

#include "kernel.h"
#include "siphash.h"

#define VERSION 0xc1
#define TYPE_HEARTBEAT 1
#define TYPE_ASK 17       /* how far is your agent? */
#define TYPE_REFLECTED 18 /* the kernel's answer */
#define TYPE_LAST 18
#define NONCE_BITS 48
#define CONTROL_MAX 1232

#define KEYS 3

struct heartbeat {
	__u8 version;
	__u8 type;
	__u8 key;
	__u8 flags;
	__u32 set;
	__u64 nonce;
	__u64 incarnation;
	__u64 progress;
	__u64 tag;
};

struct heartbeat_key {
	__u64 k0;
	__u64 k1;
	__u32 id;
	__u32 used;
};

/* The keys that are accepted for a number, and what user space wants of it. */
struct heartbeat_set {
	struct heartbeat_key keys[KEYS];
	__u64 interval_ns; /* between heartbeats; 0: control datagrams, not heartbeats */
	__u64 silence_ns;  /* until it is told; 0: never */
	__u64 grace_ns;    /* a timer that is later than this was kept from running */
};

/* Every datagram is counted by exactly one of the first twelve. */
struct heartbeat_counters {
	__u64 heartbeats;
	__u64 control; /* let through */
	__u64 truncated;
	__u64 malformed;
	__u64 unknown_set;
	__u64 unknown_key;
	__u64 forged;
	__u64 replayed;
	__u64 old_incarnation;
	__u64 not_watched;
	__u64 limited;   /* control datagrams beyond the limit */
	__u64 unarmed;   /* heartbeats whose timer the kernel did not take */
	__u64 ring_full; /* records that found no room: told again later */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct heartbeat_set);
} heartbeat_sets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct heartbeat_counters);
} heartbeat_counts SEC(".maps");

#define ADD(field, n) __sync_fetch_and_add(&(field), (n))

static __always_inline struct heartbeat_counters *counts(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&heartbeat_counts, &zero);
}

#define COUNT(field)                                                                               \
	do {                                                                                       \
		struct heartbeat_counters *counted = counts();                                     \
		if (counted)                                                                       \
			ADD(counted->field, 1);                                                    \
	} while (0)

/* The tag is of what stands before it. */
static __always_inline bool is_forged(const struct heartbeat *h, const struct heartbeat_key *key)
{
	return siphash32((const __u64 *)h, key->k0, key->k1) != h->tag;
}

static __always_inline bool well_formed(const struct heartbeat *h, __u32 size)
{
	if (h->version != VERSION || !h->type || h->type > TYPE_LAST || h->nonce >> NONCE_BITS)
		return false;
	if (h->type == TYPE_HEARTBEAT || h->type >= TYPE_ASK)
		return size == sizeof(*h);
	return size > sizeof(*h) && size <= CONTROL_MAX;
}

static __always_inline struct heartbeat_key *key_of(struct heartbeat_set *set, __u8 id)
{
	for (int i = 0; i < KEYS; i++)
		if (set->keys[i].used && set->keys[i].id == id)
			return &set->keys[i];
	return NULL;
}

#endif
