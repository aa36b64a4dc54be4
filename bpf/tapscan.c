//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Packet sockets and raw IP sockets as they stand when user space asks, by open files. */
#include "iterators.h"
#include "tap.h"

static __always_inline void describe_raw(struct tap_socket *t, struct sock *sk)
{
	t->number = BPF_CORE_READ(sk, sk_protocol);
	t->ifindex = BPF_CORE_READ((struct sock___tap *)sk, __sk_common.skc_bound_dev_if);
	if (t->family == AF_INET6)
		bpf_core_read(t->addr, 16, &sk->__sk_common.skc_v6_rcv_saddr);
	else {
		*(__u32 *)(t->addr + 8) = bpf_htonl(0xffff);
		*(__u32 *)(t->addr + 12) = BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr);
	}
}

SEC("iter/task_file")
int scan_taps(struct bpf_iter__task_file *ctx)
{
	struct sock *sk = open_socket(ctx);
	struct task_struct *task = ctx->task;
	struct tap_socket t = {};

	if (!sk || !task)
		return 0;
	t.family = sk->__sk_common.skc_family;
	if (t.family == AF_PACKET)
		describe_packet(&t, sk);
	else if ((t.family == AF_INET || t.family == AF_INET6) &&
		 BPF_CORE_READ((struct sock___tap *)sk, sk_type) == SOCK_RAW)
		describe_raw(&t, sk);
	else
		return 0;
	t.cookie = bpf_get_socket_cookie(sk);
	t.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	task_owner(&t.owner, task);
	bpf_seq_write(ctx->meta->seq, &t, sizeof(t));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
