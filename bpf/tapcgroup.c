//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Raw IP sockets as they are opened, from a program at the root of the cgroup v2
 * hierarchy, where the kernel refuses trampolines. It runs for every socket of IP, so it
 * looks at one word of most. Packet sockets do not pass here.
 */
#include "tap.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct nsproxy___tap {
	struct net *net_ns;
};

struct task_struct___tap {
	struct nsproxy___tap *nsproxy;
};

#pragma clang attribute pop

static __noinline int raw_socket(struct bpf_sock *ctx)
{
	struct tap_event *event = reserve_tap(TAP_EVENT_OPENED);
	struct task_struct___tap *task = (void *)bpf_get_current_task();

	if (!event)
		return 1;
	event->socket.cookie = bpf_get_socket_cookie(ctx);
	event->socket.netns = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	event->socket.family = ctx->family;
	event->socket.number = ctx->protocol;
	tell_opened(event);
	return 1;
}

SEC("cgroup/sock_create")
int socket_created(struct bpf_sock *ctx)
{
	if (ctx->type != SOCK_RAW)
		return 1;
	return raw_socket(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
