//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What a packet socket lets through: LLDP, CDP and FDP that came in, also behind VLAN
 * tags, and of each interface no more than a device would send. So user space wakes
 * for nothing else, whatever is on the wire.
 */
#include "bucket.h"
#include "kernel.h"

#define ETH_TYPE 12 /* offset: behind both addresses */
#define ETHERTYPE_LLDP 0x88cc
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8
#define ETHERTYPE_QINQ_OLD 0x9100
#define MAX_LENGTH 1500 /* above it, the field is an EtherType (IEEE 802.3, 3.2.6) */
#define MAX_TAGS 2

struct frame_counters {
	__u64 seen;    /* frames that reached the filter */
	__u64 lldp;    /* let through */
	__u64 cdp;     /* likewise, with FDP */
	__u64 limited; /* held back: the interface's bucket was empty */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct frame_counters);
} frame_counts SEC(".maps");

SEC("socket")
int discovery_frames(struct __sk_buff *skb)
{
	__u32 zero = 0, at = ETH_TYPE;
	struct frame_counters *c = bpf_map_lookup_elem(&frame_counts, &zero);
	__u64 snap = 0;
	__u16 type = 0;
	bool lldp;

	if (!c || skb->pkt_type == PACKET_OUTGOING)
		return 0;
	c->seen++;
	if (bpf_skb_load_bytes(skb, at, &type, sizeof(type)))
		return 0;
	for (int i = 0; i < MAX_TAGS; i++) {
		if (type != bpf_htons(ETHERTYPE_VLAN) && type != bpf_htons(ETHERTYPE_QINQ) &&
		    type != bpf_htons(ETHERTYPE_QINQ_OLD))
			break;
		at += 4;
		if (bpf_skb_load_bytes(skb, at, &type, sizeof(type)))
			return 0;
	}
	lldp = type == bpf_htons(ETHERTYPE_LLDP);
	if (!lldp) {
		if (bpf_ntohs(type) > MAX_LENGTH)
			return 0;
		/* LLC aa-aa-03, SNAP 00-00-0c or 00-e0-52, 2000: CDP, FDP; or 00-00-00, 88cc: LLDP. */
		if (bpf_skb_load_bytes(skb, at + 2, &snap, sizeof(snap)))
			return 0;
		lldp = snap == bpf_cpu_to_be64(0xaaaa0300000088ccULL);
		if (!lldp && snap != bpf_cpu_to_be64(0xaaaa0300000c2000ULL) &&
		    snap != bpf_cpu_to_be64(0xaaaa0300e0522000ULL))
			return 0;
	}
	if (!may_pass(skb->ifindex)) {
		c->limited++;
		return 0;
	}
	if (lldp)
		c->lldp++;
	else
		c->cdp++;
	return -1; /* all of it */
}

/* Kept in BTF for bpf2go. */
const struct frame_counters *unused_frame_counters __attribute__((unused));

char LICENSE[] SEC("license") = "Dual BSD/GPL";
