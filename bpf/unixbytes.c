//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Bytes over Unix-domain sockets, where somebody asks for them (decision 0064). Where
 * trampolines are allowed, messages of Unix-domain sockets alone pass these programs, and
 * unixtrace.c counts what datagram sockets send; elsewhere every message of every socket
 * passes two tracepoints (Linux 6.3).
 */
#include "unixbytes.h"

SEC("fexit/unix_stream_sendmsg")
int BPF_PROG(unix_stream_sent, struct socket *sock, void *msg, __u64 len, int bytes)
{
	return moved(sock->sk, bytes, true);
}

/* From a file, before Linux 6.5; since then by the function above. */
SEC("fexit/unix_stream_sendpage")
int BPF_PROG(unix_page_sent, struct socket *sock, void *page, int offset, __u64 size, int flags,
	     __s64 bytes)
{
	return moved(sock->sk, bytes, true);
}

SEC("fexit/unix_stream_recvmsg")
int BPF_PROG(unix_stream_received, struct socket *sock, void *msg, __u64 size, int flags, int bytes)
{
	return flags & MSG_PEEK ? 0 : moved(sock->sk, bytes, false);
}

/* Of sockets that keep messages apart too. */
SEC("fexit/__unix_dgram_recvmsg")
int BPF_PROG(unix_dgram_received, struct sock *sk, void *msg, __u64 size, int flags, int bytes)
{
	return flags & MSG_PEEK ? 0 : moved(sk, bytes, false);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(unix_bytes_sent, struct sock *sk, int bytes, int flags)
{
	return sk->__sk_common.skc_family == AF_UNIX ? moved(sk, bytes, true) : 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(unix_bytes_received, struct sock *sk, int bytes, int flags)
{
	if (sk->__sk_common.skc_family != AF_UNIX || flags & MSG_PEEK)
		return 0;
	return moved(sk, bytes, false);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
