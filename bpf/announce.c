//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What machines tell everyone on the wire: which hardware address an IP address has
 * (ARP, neighbour discovery), who routes, and who asks for an address (DHCP). What
 * was heard before is held back here, so that user space wakes for news alone.
 */
#include "bucket.h"
#include "kernel.h"

#define MAC_LENGTH 6
#define NEWS_NS (3600ULL * 1000000000) /* then it is told again */

#define ARP_AT 14                        /* behind the Ethernet header */
#define ARP_HEADER 0x0001080006040000ULL /* Ethernet, IPv4 and their lengths (RFC 826) */

#define IPV6_HOPS 7 /* offsets in the IPv6 header (RFC 8200) */
#define IPV6_SOURCE 8
#define ND_HOPS 255 /* from this link (RFC 4861, 7.1) */
#define ND_ROUTER 134
#define ND_SOLICITATION 135
#define ND_ADVERTISEMENT 136
#define ND_LIFETIME 6 /* of a router */
#define ND_TARGET 8

#define IPV4_FRAGMENT 6
#define DHCP_SERVER 67
#define DHCP_CLIENT 68
#define DHCP_COOKIE_AT 236
#define DHCP_COOKIE 0x63825363 /* RFC 2131, 3 */

struct announce_counters {
	__u64 arp;     /* let through */
	__u64 nd;      /* likewise */
	__u64 dhcp;    /* likewise */
	__u64 known;   /* held back: nothing new */
	__u64 limited; /* held back: the interface's bucket was empty */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct announce_counters);
} announce_counts SEC(".maps");

struct address {
	__u32 ifindex;
	__u16 kind; /* 0: an address; else the type of message that bore it */
	__u16 state;
	__u8 ip[16]; /* an IPv4 address in the first four */
};

struct holder {
	__u64 told_ns;
	__u8 mac[MAC_LENGTH];
	__u8 pad[2];
};

/* Who held which address. What is thrown away is told once more: nothing is lost. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct address);
	__type(value, struct holder);
} holders SEC(".maps");

static __always_inline bool same_mac(const __u8 *a, const __u8 *b)
{
	for (int i = 0; i < MAC_LENGTH; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

/* Lets a machine's address through when it is news. */
static __always_inline bool news(struct address *at, struct holder *now,
				 struct announce_counters *c)
{
	struct holder *before = bpf_map_lookup_elem(&holders, at);

	now->told_ns = bpf_ktime_get_ns();
	if (before && same_mac(before->mac, now->mac) && now->told_ns - before->told_ns < NEWS_NS) {
		c->known++;
		return false;
	}
	if (!may_pass(at->ifindex)) {
		c->limited++;
		return false;
	}
	bpf_map_update_elem(&holders, at, now, BPF_ANY);
	return true;
}

static __always_inline struct announce_counters *counters_for(struct __sk_buff *skb)
{
	__u32 zero = 0;

	if (skb->pkt_type == PACKET_OUTGOING || skb->pkt_type == PACKET_LOOPBACK)
		return NULL;
	return bpf_map_lookup_elem(&announce_counts, &zero);
}

/* On a packet socket: the data begin with the Ethernet header. */
SEC("socket")
int arp_frames(struct __sk_buff *skb)
{
	struct announce_counters *c = counters_for(skb);
	struct address at = { .ifindex = skb->ifindex };
	struct holder now = {};
	__u64 header = 0;
	__u32 sender = 0;

	if (!c || bpf_skb_load_bytes(skb, ARP_AT, &header, sizeof(header)) ||
	    bpf_skb_load_bytes(skb, ARP_AT + 8, now.mac, MAC_LENGTH) ||
	    bpf_skb_load_bytes(skb, ARP_AT + 14, &sender, sizeof(sender)))
		return 0;
	/* The operation, in the last two bytes, does not matter. */
	if ((header & ~bpf_cpu_to_be64(0xffffULL)) != bpf_cpu_to_be64(ARP_HEADER))
		return 0;
	if (!sender) /* a probe: it does not hold the address yet (RFC 5227, 2.1.1) */
		return 0;
	__builtin_memcpy(at.ip, &sender, sizeof(sender));
	if (!news(&at, &now, c))
		return 0;
	c->arp++;
	return -1;
}

/* On a raw socket for ICMPv6: the data begin with the ICMPv6 header. */
SEC("socket")
int nd_messages(struct __sk_buff *skb)
{
	struct announce_counters *c = counters_for(skb);
	struct address at = { .ifindex = skb->ifindex };
	struct holder now = {};
	__u16 lifetime = 0;
	__u8 type = 0, hops = 0;

	if (!c || bpf_skb_load_bytes(skb, 0, &type, 1) ||
	    bpf_skb_load_bytes_relative(skb, IPV6_HOPS, &hops, 1, BPF_HDR_START_NET) ||
	    hops != ND_HOPS)
		return 0;
	if (type == ND_ADVERTISEMENT) {
		if (bpf_skb_load_bytes(skb, ND_TARGET, at.ip, sizeof(at.ip)))
			return 0;
	} else if (type == ND_SOLICITATION || type == ND_ROUTER) {
		if (bpf_skb_load_bytes_relative(skb, IPV6_SOURCE, at.ip, sizeof(at.ip),
						BPF_HDR_START_NET))
			return 0;
	} else {
		return 0;
	}
	if (type == ND_ROUTER) { /* also that a router ceases to be one is news */
		if (bpf_skb_load_bytes(skb, ND_LIFETIME, &lifetime, sizeof(lifetime)))
			return 0;
		at.kind = type;
		at.state = lifetime != 0;
	}
	/* Where the link has no hardware addresses, they are all the same. */
	bpf_skb_load_bytes_relative(skb, MAC_LENGTH, now.mac, MAC_LENGTH, BPF_HDR_START_MAC);
	if (!news(&at, &now, c))
		return 0;
	c->nd++;
	return -1;
}

/* On a raw socket for UDP: the data begin with the IPv4 header. */
SEC("socket")
int dhcp_messages(struct __sk_buff *skb)
{
	struct announce_counters *c = counters_for(skb);
	__u16 fragment = 0, port = 0;
	__u32 cookie = 0, udp;
	__u8 header = 0;

	if (!c || bpf_skb_load_bytes(skb, 0, &header, 1) ||
	    bpf_skb_load_bytes(skb, IPV4_FRAGMENT, &fragment, sizeof(fragment)) ||
	    fragment & bpf_htons(0x1fff))
		return 0;
	udp = (header & 0xf) * 4;
	if (bpf_skb_load_bytes(skb, udp + 2, &port, sizeof(port)) ||
	    (port != bpf_htons(DHCP_SERVER) && port != bpf_htons(DHCP_CLIENT)) ||
	    bpf_skb_load_bytes(skb, udp + 8 + DHCP_COOKIE_AT, &cookie, sizeof(cookie)) ||
	    cookie != bpf_htonl(DHCP_COOKIE))
		return 0;
	if (!may_pass(skb->ifindex)) {
		c->limited++;
		return 0;
	}
	c->dhcp++;
	return -1;
}

/* Kept in BTF for bpf2go. */
const struct announce_counters *unused_announce_counters __attribute__((unused));

char LICENSE[] SEC("license") = "Dual BSD/GPL";
