/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * On whose link a link-local address is that a program of UDP is asked about. The context does
 * not tell, but what is behind it does.
 */
#ifndef CASSINI_SCOPE_H
#define CASSINI_SCOPE_H

#include "kernel.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sockaddr_in6 {
	__u32 sin6_scope_id;
};

struct flowi_common {
	int flowic_oif;
};

struct flowi6 {
	struct flowi_common __fl_common;
	struct in6_addr saddr;
};

/* What is behind a struct bpf_sock_addr. */
struct bpf_sock_addr_kern {
	struct sockaddr_in6 *uaddr;
	struct in6_addr *t_ctx; /* of sendmsg(): the source in a struct flowi6 */
};

#pragma clang attribute pop

/*
 * The interface that the kernel takes for a link-local address: where it goes as it is sent, else
 * the one that is asked for, or that the socket is bound to. A global function, as find_way() is.
 */
__noinline int scope_of(__u64 ctx, __u64 sk)
{
	struct bpf_sock_addr_kern *asked = (void *)ctx;
	void *source = BPF_CORE_READ(asked, t_ctx);
	struct sock *s = (void *)sk;
	__u32 scope;

	if (source) {
		struct flowi6 *flow = source - bpf_core_field_offset(struct flowi6, saddr);

		return BPF_CORE_READ(flow, __fl_common.flowic_oif);
	}
	scope = BPF_CORE_READ(asked, uaddr, sin6_scope_id);
	return scope ? scope : BPF_CORE_READ(s, __sk_common.skc_bound_dev_if);
}

#endif
