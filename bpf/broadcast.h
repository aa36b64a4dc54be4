/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Whether an address is the broadcast address of one of the host's subnets, which no address
 * tells by itself. The kernel lets only sockets with SO_BROADCAST send there; Go's all have it. So
 * interfaces are walked when such a socket would make a new edge, and at no other time.
 */
#ifndef CASSINI_BROADCAST_H
#define CASSINI_BROADCAST_H

#include "kernel.h"

#define SOCK_BROADCAST 6 /* net/sock.h, of skc_flags */
#define DEVICES 512      /* beyond these an address is taken for a host's */
#define ADDRESSES 8      /* likewise, of each */

struct devices {
	struct devices *next;
};

struct net___devices {
	struct devices dev_base_head;
} __attribute__((preserve_access_index));

struct in_ifaddr {
	struct in_ifaddr *ifa_next;
	__be32 ifa_address;
	__be32 ifa_mask;
	__be32 ifa_broadcast;
} __attribute__((preserve_access_index));

struct in_device {
	struct in_ifaddr *ifa_list;
} __attribute__((preserve_access_index));

struct net_device___addresses {
	struct devices dev_list;
	struct in_device *ip_ptr;
} __attribute__((preserve_access_index));

/* Of the subnet's own broadcast address the kernel makes a route too, but not where two hosts are all. */
static __always_inline bool ends_at(const struct in_ifaddr *ifa, __be32 addr)
{
	__be32 mask = BPF_CORE_READ(ifa, ifa_mask);

	if (BPF_CORE_READ(ifa, ifa_broadcast) == addr)
		return true;
	return (bpf_ntohl(~mask) & ~1U) && (addr | mask) == 0xffffffff &&
	       !((addr ^ BPF_CORE_READ(ifa, ifa_address)) & mask);
}

/* The walk of interfaces. */
struct device_walk {
	__u64 at, head;
	__be32 addr;
	bool found;
};

/* Returns 1 when there is no more to see. The verifier looks at this once, and not at each step of a loop. */
static long look_at_device(__u32 i, void *ctx)
{
	struct device_walk *w = ctx;
	struct devices *at = (void *)w->at;
	struct net_device___addresses *dev = (void *)at -
					     bpf_core_field_offset(struct net_device___addresses,
								   dev_list);
	struct in_ifaddr *ifa;

	if (!at || w->at == w->head)
		return 1;
	ifa = BPF_CORE_READ(dev, ip_ptr, ifa_list);
	for (int j = 0; j < ADDRESSES && ifa; j++) {
		if (ends_at(ifa, w->addr)) {
			w->found = true;
			return 1;
		}
		ifa = BPF_CORE_READ(ifa, ifa_next);
	}
	return bpf_probe_read_kernel(&w->at, sizeof(w->at), &at->next) ? 1 : 0;
}

/* A global function, as find_way() is. */
__noinline int is_broadcast(__u64 sk, __be32 addr)
{
	struct sock *s = (void *)sk;
	struct net___devices *net = (void *)BPF_CORE_READ(s, __sk_common.skc_net.net);
	struct device_walk w = { .addr = addr };

	if (!(BPF_CORE_READ(s, __sk_common.skc_flags) & 1UL << SOCK_BROADCAST))
		return false;
	w.head = (__u64)net + bpf_core_field_offset(struct net___devices, dev_base_head);
	bpf_probe_read_kernel(&w.at, sizeof(w.at), (void *)w.head);
	bpf_loop(DEVICES, look_at_device, &w, 0);
	return w.found;
}

#endif
