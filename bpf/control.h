/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How many control datagrams may wake user space. Whoever recorded good ones can send them
 * again, so that those that were seen before have a bucket of their own: a flood of them
 * does not keep new ones out.
 */
#ifndef CASSINI_CONTROL_H
#define CASSINI_CONTROL_H

#include "kernel.h"
#include "tokens.h"

#define BURST 1024
#define REFILL_NS (1000000000ULL / 1024)
#define AGAIN_BURST 64
#define AGAIN_REFILL_NS (1000000000ULL / 64)

enum {
	BUCKET_NEW = 0,
	BUCKET_AGAIN = 1,
};

/* When each bucket will be full again. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} control_buckets SEC(".maps");

/* The tags of the latest ones. Their bodies do not count: anybody can change those. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u32);
} control_seen SEC(".maps");

static __always_inline bool take_from(__u32 bucket, __u64 burst, __u64 refill)
{
	__u64 *full_at = bpf_map_lookup_elem(&control_buckets, &bucket);

	return full_at && take(full_at, burst, refill);
}

static __always_inline bool may_pass(__u64 tag)
{
	__u32 value = 1;

	if (bpf_map_lookup_elem(&control_seen, &tag))
		return take_from(BUCKET_AGAIN, AGAIN_BURST, AGAIN_REFILL_NS);
	if (!take_from(BUCKET_NEW, BURST, REFILL_NS))
		return false; /* not seen: the sender may try it again */
	bpf_map_update_elem(&control_seen, &tag, &value, BPF_ANY);
	return true;
}

#endif
