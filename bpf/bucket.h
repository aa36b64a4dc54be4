/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Token buckets: of each interface, a filter lets so many frames through at once and
 * then one in so long. Each loaded copy of a filter has its own and serves one network
 * namespace, since an interface's index means another one in each.
 */
#ifndef CASSINI_BUCKET_H
#define CASSINI_BUCKET_H

#include "kernel.h"
#include "tokens.h"

#define BURST 64
#define REFILL_NS (1000000000ULL / 16)

/* uapi/linux/if_packet.h: what the host itself sent */
#define PACKET_OUTGOING 4
#define PACKET_LOOPBACK 5

struct bucket {
	__u64 full_at_ns; /* when it will be full again */
};

/* By index of the interface; what finds no room shares the bucket of index 0. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct bucket);
} buckets SEC(".maps");

static __always_inline struct bucket *bucket_for(__u32 ifindex)
{
	struct bucket fresh = {};
	struct bucket *b = bpf_map_lookup_elem(&buckets, &ifindex);

	if (b)
		return b;
	bpf_map_update_elem(&buckets, &ifindex, &fresh, BPF_NOEXIST);
	b = bpf_map_lookup_elem(&buckets, &ifindex);
	if (b)
		return b;
	ifindex = 0;
	return bpf_map_lookup_elem(&buckets, &ifindex);
}

static __always_inline bool may_pass(__u32 ifindex)
{
	struct bucket *b = bucket_for(ifindex);

	return b && take(&b->full_at_ns, BURST, REFILL_NS);
}

#endif
