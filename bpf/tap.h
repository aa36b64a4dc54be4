/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Packet sockets and raw IP sockets: they hear what is meant for others. What one is, as
 * user space is told of it.
 */
#ifndef CASSINI_TAP_H
#define CASSINI_TAP_H

#include "process.h"

enum {
	AF_PACKET = 17,
	SOCK_RAW = 3,
	PACKET_MR_PROMISC = 1,
	MEMBERSHIPS = 16, /* of one socket that are looked at */
};

struct tap_socket {
	__u64 cookie;
	__u32 netns;
	__u32 ifindex; /* 0: every interface */
	__u16 number;  /* EtherType of a packet socket, IP protocol of a raw one */
	__u8 family;   /* AF_PACKET, AF_INET or AF_INET6 */
	__u8 promiscuous;
	__u32 pad;
	__u8 addr[16]; /* that a raw socket is bound to */
	__u8 ifname[16];
	struct owner owner;
};

enum tap_event_kind {
	TAP_EVENT_OPENED = 1, /* or bound */
	TAP_EVENT_CLOSED = 2,
};

struct tap_event {
	__u32 kind;
	__u32 pad;
	struct tap_socket socket;
	struct event image;
};

/* One for all CPUs: each is rare. */
struct tap_counters {
	__u64 ring_full; /* events that found no room; user space looks at all open files instead */
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 17);
} tap_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tap_counters);
} tap_counts SEC(".maps");

/* Go has their shapes from here. */
const struct tap_socket *shape_of_socket __attribute__((unused));
const struct tap_event *shape_of_event __attribute__((unused));
const enum tap_event_kind *shape_of_kind __attribute__((unused));

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct net_device {
	char name[16];
};

struct packet_type {
	struct net_device *dev;
};

struct packet_mclist {
	struct packet_mclist *next;
	unsigned short type;
};

struct packet_sock {
	struct sock sk;
	int ifindex;
	__be16 num;
	struct packet_mclist *mclist;
	struct packet_type prot_hook;
};

struct sock_common___tap {
	int skc_bound_dev_if;
};

struct sock___tap {
	struct sock_common___tap __sk_common;
	u16 sk_type;
};

#pragma clang attribute pop

static __always_inline void describe_packet(struct tap_socket *t, struct sock *sk)
{
	struct packet_sock *po = (struct packet_sock *)sk;
	struct packet_mclist *joined = BPF_CORE_READ(po, mclist);
	struct net_device *dev = BPF_CORE_READ(po, prot_hook.dev);

	t->number = bpf_ntohs(BPF_CORE_READ(po, num));
	t->ifindex = BPF_CORE_READ(po, ifindex);
	if (t->ifindex == (__u32)-1) { /* its interface has gone */
		t->number = 0;
		t->ifindex = 0;
	} else if (t->ifindex && dev) {
		bpf_probe_read_kernel(t->ifname, sizeof(t->ifname), &dev->name);
	}
	for (int i = 0; joined && i < MEMBERSHIPS; i++) {
		if (BPF_CORE_READ(joined, type) == PACKET_MR_PROMISC)
			t->promiscuous = 1;
		joined = BPF_CORE_READ(joined, next);
	}
}

static __always_inline struct tap_event *reserve_tap(enum tap_event_kind kind)
{
	struct tap_event *event = bpf_ringbuf_reserve(&tap_events, sizeof(*event), 0);
	__u32 zero = 0;

	if (!event) {
		struct tap_counters *c = bpf_map_lookup_elem(&tap_counts, &zero);

		if (c)
			__sync_fetch_and_add(&c->ring_full, 1);
		return NULL;
	}
	__builtin_memset(&event->socket, 0, sizeof(event->socket));
	event->kind = kind;
	event->image.exe_len = event->image.cwd_len = event->image.args_len = 0;
	return event;
}

/* The current process has opened the socket that the event tells of. */
static __always_inline void tell_opened(struct tap_event *event)
{
	current_owner(&event->socket.owner, false);
	event->image.listener.owner = event->socket.owner;
	describe_current(&event->image);
	bpf_ringbuf_submit(event, 0);
}

#endif
