//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What open connections have moved so far, when somebody asks. A connection adds its
 * bytes to its edge as it closes, which costs it nothing until then; this walks the
 * table of open connections, not the kernel's tables of sockets, of which there is one
 * more pass for each network namespace. User space adds up what is written here.
 *
 * Nothing is locked. A socket's memory may be another's by the time that it is read, so
 * its place in the table is looked at before and after: whoever leaves it does so before
 * the memory is let go.
 */
#include "traffic.h"
#include "iterators.h"

static __always_inline bool still(const struct connection *conn, __u64 sk, __u64 peer, __u32 life)
{
	const volatile struct connection *now = conn;

	return now->sk == sk && now->peer == peer && now->life == life;
}

static __always_inline __u64 read_peer(struct sock *sk)
{
	__u32 addr;

	if (BPF_CORE_READ(sk, __sk_common.skc_family) == AF_INET6)
		addr = BPF_CORE_READ(sk, __sk_common.skc_v6_daddr.in6_u.u6_addr32[3]);
	else
		addr = BPF_CORE_READ(sk, __sk_common.skc_daddr);
	return (__u64)addr << 16 | BPF_CORE_READ(sk, __sk_common.skc_dport);
}

/* Says whether the place holds a connection that is open, and reads what it moved. */
static __always_inline bool look_at(struct traffic *t, const struct connection *conn)
{
	__u64 sk = conn->sk, peer = conn->peer;
	struct edge *edge;

	if (!sk || conn->role != ROLE_COUNTED)
		return false;
	t->edge = conn->edge;
	t->life = conn->life;
	t->start_us = conn->start_us;
	edge = edge_at(t->edge, t->life);
	if (!edge || read_peer((struct sock *)sk) != peer)
		return false;
	read_traffic(t, (struct tcp_sock *)sk, edge->key.direction == DIR_OUT);
	return still(conn, sk, peer, t->life);
}

SEC("iter/bpf_map_elem")
int traffic_of_bucket(struct bpf_iter__bpf_map_elem *ctx)
{
	const struct bucket *b = ctx->value;
	struct traffic t = {};

	if (!b)
		return 0;
#pragma unroll
	for (int i = 0; i < WAYS; i++)
		if (look_at(&t, &b->way[i]))
			bpf_seq_write(ctx->meta->seq, &t, sizeof(t));
	return 0;
}

SEC("iter/bpf_map_elem")
int traffic_of_overflow(struct bpf_iter__bpf_map_elem *ctx)
{
	const struct connection *conn = ctx->value;
	struct traffic t = {};

	if (conn && look_at(&t, conn))
		bpf_seq_write(ctx->meta->seq, &t, sizeof(t));
	return 0;
}

/* Kept in BTF for bpf2go. */
const struct traffic *unused_traffic __attribute__((unused));

char LICENSE[] SEC("license") = "Dual BSD/GPL";
