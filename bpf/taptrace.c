//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Packet sockets and raw IP sockets as they are opened and closed, where the kernel allows
 * trampolines: at functions that run for these sockets alone.
 */
#include "tap.h"

/* What is told of a socket that is opened; NULL of the kernel's own. */
static __always_inline struct tap_event *opening(struct sock *sk, int err)
{
	struct tap_event *event;

	if (err || !sk || BPF_CORE_READ_BITFIELD(sk, sk_kern_sock))
		return NULL;
	event = reserve_tap(TAP_EVENT_OPENED);
	if (!event)
		return NULL;
	event->socket.cookie = bpf_get_socket_cookie(sk);
	event->socket.netns = sk->__sk_common.skc_net.net->ns.inum;
	event->socket.family = sk->__sk_common.skc_family;
	return event;
}

static __always_inline int opened(struct sock *sk, __u16 number, int err)
{
	struct tap_event *event = opening(sk, err);

	if (!event)
		return 0;
	event->socket.number = number;
	tell_opened(event);
	return 0;
}

static __always_inline int closed(struct sock *sk)
{
	struct tap_event *event;

	if (!sk || BPF_CORE_READ_BITFIELD(sk, sk_kern_sock))
		return 0;
	event = reserve_tap(TAP_EVENT_CLOSED);
	if (!event)
		return 0;
	event->socket.cookie = bpf_get_socket_cookie(sk);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("fexit/packet_create")
int BPF_PROG(packet_opened, struct net *net, struct socket *sock, int protocol, int kern, int err)
{
	return opened(sock->sk, bpf_ntohs(protocol), err);
}

SEC("fexit/packet_bind")
int BPF_PROG(packet_bound, struct socket *sock, void *address, int size, int err)
{
	struct sock *sk = sock->sk;
	struct tap_event *event = opening(sk, err);

	if (!event)
		return 0;
	describe_packet(&event->socket, sk);
	tell_opened(event);
	return 0;
}

SEC("fentry/packet_release")
int BPF_PROG(packet_closed, struct socket *sock)
{
	return closed(sock->sk);
}

SEC("fexit/raw_hash_sk")
int BPF_PROG(raw_opened, struct sock *sk, int err)
{
	return opened(sk, sk->sk_protocol, err);
}

SEC("fentry/raw_unhash_sk")
int BPF_PROG(raw_closed, struct sock *sk)
{
	return closed(sk);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
