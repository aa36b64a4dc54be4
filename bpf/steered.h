/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Listeners that take connections to addresses and ports of others: a proxy to which packets
 * are steered on their way (TPROXY). What it accepts has the address that was dialled, where
 * nobody listens, or somebody else. So the kernel copies into it which listener it is of. That
 * is done for those sockets alone that may be steered to (IP_TRANSPARENT), since it costs each
 * accept two allocations.
 */
#ifndef CASSINI_STEERED_H
#define CASSINI_STEERED_H

#include "sockets.h"

/* net/inet_sock.h, since Linux 6.6 */
#define INET_FLAGS_TRANSPARENT 15

struct inet_sock___flags {
	unsigned long inet_flags;
} __attribute__((preserve_access_index));

struct inet_sock___bits {
	__u8 transparent : 1;
} __attribute__((preserve_access_index));

/* The cookie of its listener; of a listener its own. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, __u64);
} steered SEC(".maps");

static __always_inline bool is_transparent(struct sock *sk)
{
	struct inet_sock___flags *flags = (void *)sk;
	struct inet_sock___bits *bits = (void *)sk;

	if (bpf_core_field_exists(flags->inet_flags))
		return BPF_CORE_READ(flags, inet_flags) >> INET_FLAGS_TRANSPARENT & 1;
	return BPF_CORE_READ_BITFIELD_PROBED(bits, transparent);
}

/* A socket begins to listen. */
static __always_inline void may_be_steered_to(struct sock *sk, __u64 cookie)
{
	if (is_transparent(sk))
		bpf_sk_storage_get(&steered, sk, &cookie, BPF_SK_STORAGE_GET_F_CREATE);
}

/* Whose the listener of an accepted socket is, where its address does not tell. */
static __always_inline struct owner *steered_to(struct sock *sk)
{
	struct listener *listener;
	__u64 *cookie;

	if (!sk->sk_bpf_storage)
		return NULL; /* next to all */
	cookie = bpf_sk_storage_get(&steered, sk, NULL, 0);
	listener = cookie ? bpf_map_lookup_elem(&listeners, cookie) : NULL;
	return listener ? &listener->owner : NULL;
}

#endif
