//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What watches a host's neighbours in its rings: a filter on the heartbeat socket checks
 * and counts their heartbeats, keeps them from waking anybody, and sets off each one's
 * timer anew. User space wakes when a timer runs out. Control datagrams pass, if their
 * header is from somebody who has a key.
 *
 * The format is model/wire's; a test holds both against each other. It is a
 * socket filter, since that sees only what the socket would get, behind the firewall,
 * on every interface, and goes with the socket. Such programs may not lock, so that
 * all that two CPUs may meet in is changed by compare and swap.
 */
#include "kernel.h"

#define UDP_HEADER 8 /* the data begin with it */
#define ARM_HEADER 0 /* behind the Ethernet header of a test run */

#define VERSION 0xc1
#define TYPE_HEARTBEAT 1
#define TYPE_LAST 16
#define NONCE_BITS 48
#define CONTROL_MAX 1232

#define KEYS 3
#define WORDS 8 /* of the replay window, 16 nonces each */
#define BUCKETS 16

#define CONTROL_BURST 1024
#define CONTROL_REFILL_NS (1000000000ULL / 1024)
#define RETRY_NS 100000000ULL /* when a record found no room */

#define CLOCK_MONOTONIC 1

/* uapi/linux/bpf.h; known to the kernel by its name */
struct bpf_timer {
	__u64 opaque[2];
} __attribute__((aligned(8)));

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

enum pulse_state {
	PULSE_NEW = 0,
	PULSE_ARMED = 1,
	PULSE_EXPIRED = 2,
	PULSE_REARMED = 3, /* a new window after it expired: a heartbeat is a return */
};

/* One neighbour. Times are CLOCK_MONOTONIC. */
struct pulse {
	struct bpf_timer timer;
	__u64 window[WORDS];
	__u64 last_ns;  /* arrival of the latest heartbeat */
	__u64 since_ns; /* the deadline counts from here, or from last_ns */
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
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, struct pulse);
} pulses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} pulse_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct heartbeat_counters);
} heartbeat_counts SEC(".maps");

/* When the bucket of control datagrams will be full again. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} control_bucket SEC(".maps");

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

#define ROTL(x, n) ((x) << (n) | (x) >> (64 - (n)))
#define SIP_ROUND                                                                                  \
	do {                                                                                       \
		v0 += v1;                                                                          \
		v1 = ROTL(v1, 13) ^ v0;                                                            \
		v0 = ROTL(v0, 32);                                                                 \
		v2 += v3;                                                                          \
		v3 = ROTL(v3, 16) ^ v2;                                                            \
		v0 += v3;                                                                          \
		v3 = ROTL(v3, 21) ^ v0;                                                            \
		v2 += v1;                                                                          \
		v1 = ROTL(v1, 17) ^ v2;                                                            \
		v2 = ROTL(v2, 32);                                                                 \
	} while (0)
#define SIP_WORD(word)                                                                             \
	do {                                                                                       \
		__u64 m = (word);                                                                  \
		v3 ^= m;                                                                           \
		SIP_ROUND;                                                                         \
		SIP_ROUND;                                                                         \
		v0 ^= m;                                                                           \
	} while (0)

/* SipHash-2-4 (Aumasson and Bernstein, 2012) of what stands before the tag: 32 bytes. */
static __always_inline __u64 tag_of(const struct heartbeat *h, const struct heartbeat_key *key)
{
	const __u64 *words = (const __u64 *)h;
	__u64 v0 = key->k0 ^ 0x736f6d6570736575ULL;
	__u64 v1 = key->k1 ^ 0x646f72616e646f6dULL;
	__u64 v2 = key->k0 ^ 0x6c7967656e657261ULL;
	__u64 v3 = key->k1 ^ 0x7465646279746573ULL;

	SIP_WORD(words[0]);
	SIP_WORD(words[1]);
	SIP_WORD(words[2]);
	SIP_WORD(words[3]);
	SIP_WORD(32ULL << 56);
	v2 ^= 0xff;
	SIP_ROUND;
	SIP_ROUND;
	SIP_ROUND;
	SIP_ROUND;
	return v0 ^ v1 ^ v2 ^ v3;
}

/* Takes each nonce once. A word is a block's number and its 16 bits, and only grows. */
static __always_inline bool fresh(struct pulse *p, __u64 nonce)
{
	__u64 block = nonce >> 4, bit = 1ULL << (nonce & 15);
	__u64 *word = &p->window[block & (WORDS - 1)];

	for (int tries = 0; tries < 4; tries++) { /* another CPU may be faster */
		__u64 was = *(volatile __u64 *)word, now;

		if (block < was >> 16)
			return false;
		now = block > was >> 16 ? block << 16 | bit : was | bit;
		if (now == was)
			return false;
		if (__sync_val_compare_and_swap(word, was, now) == was)
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

static __always_inline __u64 heard_at(const struct pulse *p)
{
	__u64 last = *(volatile __u64 *)&p->last_ns, since = *(volatile __u64 *)&p->since_ns;

	return last > since ? last : since;
}

static __always_inline void expire(struct pulse *p, __u32 set, __u64 now, __u64 from)
{
	__u32 was = *(volatile __u32 *)&p->state;

	if (was == PULSE_EXPIRED ||
	    __sync_val_compare_and_swap(&p->state, was, PULSE_EXPIRED) != was)
		return;
	if (heard_at(p) != from) { /* a heartbeat on another CPU, just now: it armed the timer */
		p->state = was;
		return;
	}
	if (tell(PULSE_EVENT_EXPIRED, set, now, now - p->last_ns, p->incarnation)) {
		ADD(p->expiries, 1);
		return;
	}
	p->state = was;
	bpf_timer_start(&p->timer, RETRY_NS, 0);
}

/* The timer of a neighbour ran out. */
static int passed(void *map, __u32 *key, struct pulse *p)
{
	__u32 id = *key;
	struct heartbeat_set *set = bpf_map_lookup_elem(&heartbeat_sets, &id);
	__u64 now = bpf_ktime_get_ns(), from = heard_at(p), silent;

	if (!set || !set->silence_ns)
		return 0;
	silent = now > from ? now - from : 0;
	if (silent < set->silence_ns) {
		bpf_timer_start(&p->timer, set->silence_ns - silent, 0);
		return 0;
	}
	if (p->state != PULSE_EXPIRED && silent - set->silence_ns > set->grace_ns) {
		/* It is this machine that stood still: heartbeats may wait to be taken in. */
		ADD(p->late, 1);
		p->since_ns = now;
		bpf_timer_start(&p->timer, set->silence_ns, 0);
		tell(PULSE_EVENT_LATE, id, now, silent, p->incarnation);
		return 0;
	}
	expire(p, id, now, from);
	return 0;
}

/* Sets the timer off anew; the kernel refuses when nobody holds the map any more. */
static __always_inline long arm(struct pulse *p, const struct heartbeat_set *set)
{
	return set->silence_ns ? bpf_timer_start(&p->timer, set->silence_ns, 0) : 0;
}

static __always_inline void note(struct pulse *p, const struct heartbeat *h,
				 const struct heartbeat_set *set, __u64 now)
{
	__u64 last = p->last_ns, spacing, late = 0;

	p->last_ns = now;
	p->progress = h->progress;
	p->flags = h->flags;
	ADD(p->heartbeats, 1);
	if (!last || now < last)
		return;
	spacing = now - last;
	if (spacing > set->interval_ns)
		late = spacing - set->interval_ns;
	ADD(p->spacing[bucket_of(spacing / 1000000) & (BUCKETS - 1)], 1);
	ADD(p->lateness[bucket_of(late / 64000) & (BUCKETS - 1)], 1);
}

static __always_inline void beat(struct pulse *p, const struct heartbeat *h,
				 const struct heartbeat_set *set)
{
	__u64 now = bpf_ktime_get_ns(), from = heard_at(p);
	__u64 incarnation = p->incarnation;
	__u32 was;

	note(p, h, set, now);
	if (h->incarnation > incarnation &&
	    tell(PULSE_EVENT_INCARNATION, h->set, now, now - from, h->incarnation))
		__sync_val_compare_and_swap(&p->incarnation, incarnation, h->incarnation);
	was = *(volatile __u32 *)&p->state;
	if (was != PULSE_ARMED && __sync_val_compare_and_swap(&p->state, was, PULSE_ARMED) == was &&
	    !tell(PULSE_EVENT_RESUMED, h->set, now, now - from, h->incarnation))
		p->state = was; /* told at the next one */
	if (arm(p, set))
		COUNT(unarmed);
}

/* Two CPUs at once may let one datagram more through: it is a limit, not an account. */
static __always_inline bool may_pass(void)
{
	__u32 zero = 0;
	__u64 *full_at = bpf_map_lookup_elem(&control_bucket, &zero);
	__u64 now = bpf_ktime_get_ns(), from;

	if (!full_at)
		return false;
	from = *full_at > now ? *full_at : now;
	if (from - now > (CONTROL_BURST - 1) * CONTROL_REFILL_NS)
		return false;
	*full_at = from + CONTROL_REFILL_NS;
	return true;
}

static __always_inline bool well_formed(const struct heartbeat *h, __u32 size)
{
	if (h->version != VERSION || !h->type || h->type > TYPE_LAST || h->nonce >> NONCE_BITS)
		return false;
	if (h->type == TYPE_HEARTBEAT)
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
	if (tag_of(&h, key) != h.tag) {
		COUNT(forged);
		return 0;
	}
	if (h.type != TYPE_HEARTBEAT) {
		if (!may_pass()) {
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
	bpf_timer_init(&p->timer, &pulses, CLOCK_MONOTONIC); /* EBUSY: it is already */
	if (bpf_timer_set_callback(&p->timer, passed))
		return 3;
	p->since_ns = bpf_ktime_get_ns();
	p->state = p->state == PULSE_EXPIRED || p->state == PULSE_REARMED ? PULSE_REARMED :
									    PULSE_ARMED;
	return arm(p, set) ? 4 : 0;
}

/* Kept in BTF for bpf2go. */
const struct heartbeat_counters *unused_counters __attribute__((unused));
const struct pulse_event *unused_event __attribute__((unused));
const enum pulse_state *unused_state __attribute__((unused));
const enum pulse_event_kind *unused_kind __attribute__((unused));

char LICENSE[] SEC("license") = "Dual BSD/GPL";
