//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Answers for an agent that may not get to it: who asks after this host with the key of a
 * ring hears from the kernel how far the agent's main loop is. So a host without CPU is
 * told from a dead one where ICMP is filtered too, and an agent that moves from one that
 * hangs. The asking datagram itself goes back, with other contents.
 */
#include "datagram.h"
#include "kernel.h"
#include "tokens.h"

#define TCX_NEXT -1
#define TCX_DROP 2

#define ETH_SIZE 14
#define PROTO_UDP 17
#define UDP_CHECKSUM 6  /* offset in its header */
#define FRAGMENT 0x3fff /* more fragments, or not the first */

#define BURST 64
#define REFILL_NS (1000000000ULL / 64)

/* Set by user space, without a system call. */
volatile __u64 progress;
volatile __u64 incarnation;
volatile __u8 own_addr[16]; /* IPv4 as ::ffff:a.b.c.d */
volatile __u16 own_port;    /* network byte order */

volatile __u64 reflected;
volatile __u64 limited;
volatile __u64 full_at; /* when there is room for BURST answers again */

struct addresses {
	__u8 source[16];
	__u8 destination[16];
};

struct place {
	__u32 addresses; /* offset of the source's */
	__u32 size;      /* of one */
	__u32 udp;
};

/* Finds UDP in a packet without options, extension headers or fragments. */
static __always_inline bool find(struct __sk_buff *skb, struct place *at, struct addresses *a)
{
	__u8 v6[8];
	__u8 v4[12];
	__u16 fragment;

	if (skb->protocol == bpf_htons(ETHERTYPE_IP)) {
		if (bpf_skb_load_bytes(skb, ETH_SIZE, v4, sizeof(v4)))
			return false;
		fragment = (__u16)v4[6] << 8 | v4[7];
		if (v4[0] != 0x45 || v4[9] != PROTO_UDP || fragment & FRAGMENT)
			return false;
		*at = (struct place){ .addresses = ETH_SIZE + 12, .size = 4, .udp = ETH_SIZE + 20 };
		a->source[10] = a->source[11] = a->destination[10] = a->destination[11] = 0xff;
		return !bpf_skb_load_bytes(skb, ETH_SIZE + 12, &a->source[12], 4) &&
		       !bpf_skb_load_bytes(skb, ETH_SIZE + 16, &a->destination[12], 4);
	}
	if (skb->protocol != bpf_htons(ETHERTYPE_IPV6) ||
	    bpf_skb_load_bytes(skb, ETH_SIZE, v6, sizeof(v6)) || v6[6] != PROTO_UDP)
		return false;
	*at = (struct place){ .addresses = ETH_SIZE + 8, .size = 16, .udp = ETH_SIZE + 40 };
	return !bpf_skb_load_bytes(skb, ETH_SIZE + 8, a, sizeof(*a));
}

static __always_inline bool is_own(const struct addresses *a)
{
	for (int i = 0; i < 16; i++)
		if (a->destination[i] != own_addr[i])
			return false;
	return true;
}

/* Exchanges both ends. No sum changes by that. */
static __always_inline bool turn(struct __sk_buff *skb, const struct place *at,
				 const struct addresses *a, const __u16 ports[4])
{
	__u16 back[2] = { ports[1], ports[0] };
	__u8 mac[12], swapped[12];

	if (bpf_skb_load_bytes(skb, 0, mac, sizeof(mac)))
		return false;
	__builtin_memcpy(swapped, mac + 6, 6);
	__builtin_memcpy(swapped + 6, mac, 6);
	if (bpf_skb_store_bytes(skb, 0, swapped, sizeof(swapped), 0))
		return false;
	if (at->size == 4) {
		if (bpf_skb_store_bytes(skb, ETH_SIZE + 12, &a->destination[12], 4, 0) ||
		    bpf_skb_store_bytes(skb, ETH_SIZE + 16, &a->source[12], 4, 0))
			return false;
	} else if (bpf_skb_store_bytes(skb, ETH_SIZE + 8, a->destination, 16, 0) ||
		   bpf_skb_store_bytes(skb, ETH_SIZE + 24, a->source, 16, 0)) {
		return false;
	}
	return !bpf_skb_store_bytes(skb, at->udp, back, sizeof(back), 0);
}

static __always_inline bool answer(struct __sk_buff *skb, const struct place *at,
				   struct heartbeat *asked, const struct heartbeat_key *key)
{
	struct heartbeat h = *asked;
	__s64 sum;

	h.type = TYPE_REFLECTED;
	h.flags = 0;
	h.incarnation = incarnation;
	h.progress = progress;
	h.tag = siphash32((const __u64 *)&h, key->k0, key->k1);
	sum = bpf_csum_diff((__be32 *)asked, sizeof(*asked), (__be32 *)&h, sizeof(h), 0);
	return sum >= 0 &&
	       !bpf_skb_store_bytes(skb, at->udp + UDP_SIZE, &h, sizeof(h), BPF_F_RECOMPUTE_CSUM) &&
	       !bpf_l4_csum_replace(skb, at->udp + UDP_CHECKSUM, 0, sum, BPF_F_MARK_MANGLED_0);
}

/* On interfaces, for what comes in. What is not for it goes its way. */
SEC("tcx/ingress")
int reflect(struct __sk_buff *skb)
{
	struct addresses a = {};
	struct heartbeat h = {};
	struct heartbeat_set *set;
	struct heartbeat_key *key;
	struct place at;
	__u16 udp[4];

	if (skb->pkt_type || !find(skb, &at, &a) ||
	    bpf_skb_load_bytes(skb, at.udp, udp, sizeof(udp)) || udp[1] != own_port ||
	    udp[2] != bpf_htons(UDP_SIZE + sizeof(h)) || !is_own(&a) ||
	    bpf_skb_load_bytes(skb, at.udp + UDP_SIZE, &h, sizeof(h)))
		return TCX_NEXT;
	if (h.type != TYPE_ASK || !well_formed(&h, sizeof(h)))
		return TCX_NEXT;
	set = bpf_map_lookup_elem(&heartbeat_sets, &h.set);
	if (!set || set->interval_ns)
		return TCX_NEXT;
	key = key_of(set, h.key);
	if (!key || is_forged(&h, key))
		return TCX_NEXT;
	if (!take(&full_at, BURST, REFILL_NS)) {
		ADD(limited, 1);
		return TCX_DROP;
	}
	if (!answer(skb, &at, &h, key) || !turn(skb, &at, &a, udp))
		return TCX_DROP;
	ADD(reflected, 1);
	return bpf_redirect(skb->ifindex, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
