/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* SCTP associations: which edge each counts on, and what the association itself tells. */
#ifndef CASSINI_ASSOCIATION_H
#define CASSINI_ASSOCIATION_H

#include "report.h"
#include "sctpkernel.h"

/* While it is there. Its socket's lock is held by whoever changes it. */
struct association {
	__u32 edge;       /* place in the edges' array ... */
	__u32 life;       /* ... and whose it was then */
	__u32 vtag;       /* tells it from an earlier one at its address */
	__u8 role;        /* enum role */
	__u8 unreachable; /* a router or the peer said that nobody speaks SCTP there */
	__u16 pad;
	__u64 start_us; /* when it was established, CLOCK_MONOTONIC; 0: not known */

	/* What it moved (sctptraffic.c): payload, without what was sent again. */
	__u64 sent;
	__u64 received;
	__u64 sent_tsn;     /* of the chunk that was counted last; 0: there was none */
	__u64 received_tsn; /* likewise */
	__u64 last_ns;
	__u64 timed_ns; /* when the chunk left whose acknowledgement is awaited; 0: there is none */
	__u32 timed_tsn;
	__u32 timed_retransmits; /* what had been sent again by then */
	__u32 srtt;              /* in eighths of a microsecond */
	__u32 pad2;
};

/* By the address of the association. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct association);
} associations SEC(".maps");

/* False: it is of no family that we know. */
static __always_inline bool read_address(__u8 out[16], const union sctp_addr *from)
{
	struct socket_address a = {};

	if (bpf_probe_read_kernel(&a, sizeof(a), from))
		return false;
	if (a.family == AF_INET) {
		v4_mapped(out, a.v4);
		return true;
	}
	__builtin_memcpy(out, a.v6, 16);
	return a.family == AF_INET6;
}

/* Likewise of a peer, and the interface of a link-local one: of a server's the kernel notes it of all. */
static __always_inline void read_peer(struct edge_key *key, const union sctp_addr *from)
{
	struct socket_address a = {};

	if (read_address(key->peer, from) && is_link_local(key->peer) &&
	    !bpf_probe_read_kernel(&a, sizeof(a), from))
		key->scope = a.scope;
}

/*
 * A server makes an association from the cookie that it handed to the client, which bears
 * when it expires (net/sctp/sm_make_chunk.c, sctp_pack_cookie); a client's has none.
 */
static __always_inline enum direction side_of(struct sctp_association *asoc)
{
	return BPF_CORE_READ(asoc, c.expiration) ? DIR_IN : DIR_OUT;
}

/* All of the key but the program. Of several addresses it is those that are in use first. */
static __always_inline void describe_association(struct edge_key *key,
						 struct sctp_association *asoc, struct sock *sk)
{
	struct sctp_transport *path = BPF_CORE_READ(asoc, peer.primary_path);

	key->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	key->proto = IPPROTO_SCTP;
	key->direction = side_of(asoc);
	key->port = key->direction == DIR_OUT ? BPF_CORE_READ(asoc, peer.port) :
						BPF_CORE_READ(asoc, base.bind_addr.port);
	read_peer(key, &asoc->peer.primary_addr);
	if (!path || !read_address(key->local, &path->saddr))
		v4_mapped(key->local, 0); /* no way leads there */
}

/* The address that the peer dialled: that of the packet which brought the cookie back. */
static __always_inline void dialled_address(struct edge_key *key, struct sctp_endpoint *ep)
{
	struct sctp_chunk *chunk = BPF_CORE_READ(ep, base.inqueue.in_progress);
	__u8 dialled[16] = {};

	if (chunk && read_address(dialled, &chunk->dest))
		__builtin_memcpy(key->local, dialled, 16);
}

/*
 * Whether a client's association that is about to end was ever established, though nobody
 * said so: two ends that dial each other may come to that in other ways. The peer's cookie is
 * let go then (net/sctp/sm_sideeffect.c, sctp_cmd_new_state).
 */
static __always_inline bool was_established(struct sctp_association *asoc)
{
	return BPF_CORE_READ(asoc, c.peer_vtag) && !BPF_CORE_READ(asoc, peer.cookie);
}

/*
 * Why an association never came to be. The socket does not tell where it may have many. The
 * kernel gives up after so many attempts at each of two steps (sctp_sf_t1_init_timer_expire);
 * before that, a packet that is not the answer to the first step is the peer's refusal.
 */
static __always_inline int why_failed(struct sctp_association *asoc, bool unreachable)
{
	bool answered = BPF_CORE_READ(asoc, c.peer_vtag);
	bool exhausted = BPF_CORE_READ(asoc, init_err_counter) >=
			 BPF_CORE_READ(asoc, max_init_attempts);
	__u64 heard = BPF_CORE_READ(asoc, stats.ictrlchunks);

	if (BPF_CORE_READ(asoc, outqueue.error) == bpf_htons(SCTP_ERROR_USER_ABORT))
		return ECONNABORTED;
	if (unreachable)
		return EHOSTUNREACH;
	if (heard && !answered)
		return ECONNREFUSED;
	if (exhausted)
		return ETIMEDOUT;
	return heard > 1 ? ECONNREFUSED : ECONNABORTED;
}

#endif
