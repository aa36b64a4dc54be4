//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Attempts of TCP to connect that fail before anything is sent, where the kernel allows trampolines: no
 * route leads there, a route forbids it (unreachable, prohibit, blackhole), or a program of a
 * cgroup does. They fail in the process that asks, as these functions return. tcp_v6_connect()
 * calls tcp_v4_connect() for an address of IPv4; paths of MPTCP go through both too.
 *
 * Of the first two functions the note of dial.h tells what is still to be counted, so that each has a program at
 * its beginning too. What fails before them, as a cgroup's programs say, nobody else counts: there that is
 * needed only where programs are attached more than once (calls.h).
 */
#include "calls.h"
#include "dial.h"

/* uapi/linux/in.h, in6.h */
struct address {
	__u16 family;
	__be16 port;
	__be32 v4;
	__u8 v6[16];
	__u32 scope;
};

#define SIZE_V4 16 /* what the kernel wants at least */
#define SIZE_V6 24
#define SIZE_V6_SCOPE 28

/* The address that was asked for; false: it was none, and so nobody is there to tell of. */
static __always_inline bool asked_for(struct edge_key *key, struct sock *sk, const void *to,
				      int size)
{
	struct address a = {};

	if (size < SIZE_V4 || bpf_probe_read_kernel(&a, SIZE_V4, to))
		return false;
	key->port = bpf_ntohs(a.port);
	if (a.family == AF_INET) {
		v4_mapped(key->peer, a.v4);
		return true;
	}
	if (a.family != AF_INET6 || size < SIZE_V6 ||
	    bpf_probe_read_kernel(&a, size < SIZE_V6_SCOPE ? SIZE_V6 : SIZE_V6_SCOPE, to))
		return false;
	__builtin_memcpy(key->peer, a.v6, 16);
	if (!is_link_local(key->peer))
		return true;
	key->scope = peer_scope(key->peer, sk);
	if (!key->scope)
		key->scope = a.scope;
	return key->scope;
}

/* Which one it would have been sent from is not known, but where the socket is bound. */
static __always_inline void bound_to(struct edge_key *key, struct sock *sk)
{
	local_address(key->local, sk);
	if (is_v4(key->peer) && !*(__u64 *)key->local && !*(__u64 *)(key->local + 8))
		v4_mapped(key->local, 0);
}

/* An attempt that nobody else counts. */
static __always_inline int on_failure(struct sock *sk, const void *to, int size, int err)
{
	struct edge_key key = {};
	struct edge *edge;
	__u32 place = 0;

	if (err == -EAFNOSUPPORT || !asked_for(&key, sk, to, size))
		return 0;
	key.netns = sk->__sk_common.skc_net.net->ns.inum;
	key.proto = IPPROTO_TCP;
	key.direction = DIR_OUT;
	bound_to(&key, sk);
	edge = count_attempt(&key, sk, &place);
	if (edge)
		attempt_failed(edge, err);
	return 0;
}

#define AT(function, begins, ends)                                                                 \
	SEC("fentry/" #function)                                                                   \
	int BPF_PROG(function##_begins, struct sock *sk)                                           \
	{                                                                                          \
		begins;                                                                            \
		return 0;                                                                          \
	}                                                                                          \
                                                                                                   \
	SEC("fexit/" #function)                                                                    \
	int BPF_PROG(function##_ends, struct sock *sk, const void *to, int size, int err)          \
	{                                                                                          \
		return err < 0 && ends ? on_failure(sk, to, size, err) : 0;                        \
	}

AT(tcp_v4_connect, dial_begins(sk), dial_ends(sk))
AT(tcp_v6_connect, dial_begins(sk), dial_ends(sk))
AT(tcp_v4_pre_connect, call_begins(), call_ends())
AT(tcp_v6_pre_connect, call_begins(), call_ends())

char LICENSE[] SEC("license") = "Dual BSD/GPL";
