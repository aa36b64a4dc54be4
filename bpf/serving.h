/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a UDP socket is, from the socket itself, and whether it serves. */
#ifndef CASSINI_SERVING_H
#define CASSINI_SERVING_H

#include "udp.h"

static __always_inline void describe_socket(struct udp_socket *u, __u64 sk, __u64 cookie)
{
	struct sock *s = (void *)sk;

	u->sk = sk;
	u->cookie = cookie;
	u->netns = BPF_CORE_READ(s, __sk_common.skc_net.net, ns.inum);
	u->bound = !!(BPF_CORE_READ_BITFIELD_PROBED(s, sk_userlocks) & SOCK_BINDPORT_LOCK);
	u->edge = NO_EDGE;
	u->old = 1;
}

/* The state of a socket, made if there is none. */
#define SOCKET(ctx, holder)                                                                        \
	({                                                                                         \
		struct udp_socket *got = bpf_sk_storage_get(&udp_sockets, holder, NULL,            \
							    BPF_SK_STORAGE_GET_F_CREATE);          \
		if (got && !got->sk)                                                               \
			describe_socket(got, plain(holder), bpf_get_socket_cookie(ctx));           \
		if (!got)                                                                          \
			COUNT(count(), sockets_full);                                              \
		got;                                                                               \
	})

static __always_inline bool kernel_asks(const struct udp_socket *u)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct sock *s = (void *)u->sk;

	return task->flags & PF_KTHREAD || BPF_CORE_READ_BITFIELD_PROBED(s, sk_kern_sock);
}

static __always_inline void own_address(__u8 out[16], const struct udp_socket *u)
{
	struct sock *s = (void *)u->sk;

	if (BPF_CORE_READ(s, __sk_common.skc_family) == AF_INET6)
		bpf_core_read(out, 16, &s->__sk_common.skc_v6_rcv_saddr);
	else
		v4_mapped(out, BPF_CORE_READ(s, __sk_common.skc_rcv_saddr));
}

/* A service begins: the socket was bound, or received before it sent. */
static __noinline int serve(struct udp_socket *u)
{
	struct listener l = { .started_ns = bpf_ktime_get_ns(), .proto = IPPROTO_UDP };
	struct sock *s = (void *)u->sk;
	__u64 cookie = u->cookie;

	u->serves = 1;
	if (bpf_map_lookup_elem(&listeners, &cookie))
		return 0;
	COUNT(count(), listen);
	current_owner(&l.owner, kernel_asks(u));
	own_address(l.addr, u);
	l.netns = u->netns;
	l.port = BPF_CORE_READ(s, __sk_common.skc_num);
	l.ifindex = BPF_CORE_READ(s, __sk_common.skc_bound_dev_if);
	l.dual_stack = BPF_CORE_READ(s, __sk_common.skc_family) == AF_INET6 &&
		       !BPF_CORE_READ_BITFIELD_PROBED(s, __sk_common.skc_ipv6only);
	begin_listening(&l, cookie);
	return 0;
}

/*
 * Whether what it hears may be meant for all: it has joined a multicast group, or is bound to an
 * address from which nobody sends (inet_bind), that of a group or a subnet's broadcast address.
 */
static __always_inline bool hears_all(const struct udp_socket *u)
{
	struct inet_sock *inet = (void *)u->sk;
	struct ipv6_pinfo *v6;

	if (BPF_CORE_READ(inet, mc_list))
		return true;
	if (BPF_CORE_READ(inet, sk.__sk_common.skc_family) != AF_INET6)
		return BPF_CORE_READ(inet, sk.__sk_common.skc_rcv_saddr) &&
		       !BPF_CORE_READ(inet, inet_saddr);
	v6 = BPF_CORE_READ(inet, pinet6);
	return v6 && BPF_CORE_READ(v6, ipv6_mc_list);
}

/* Notes whether a socket that serves, as it seems, may be one that only asks: a resolver's. */
static __always_inline void only_asks(const struct udp_socket *u, bool asks)
{
	__u64 cookie = u->cookie;
	struct listener *l = bpf_map_lookup_elem(&listeners, &cookie);

	if (l)
		l->asks = asks;
}

/* What no bound socket would send to means this machine itself. */
static __always_inline void no_address_is_loopback(__u8 addr[16])
{
	if (is_v4(addr)) {
		if (!*(__u32 *)(addr + 12))
			*(__be32 *)(addr + 12) = bpf_htonl(0x7f000001);
	} else if (!*(__u64 *)addr && !*(__u64 *)(addr + 8)) {
		addr[15] = 1;
	}
}

#endif
