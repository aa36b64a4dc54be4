/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What a connection moved so far, in payload. The kernel's own counters take the
 * sequence numbers of SYN and FIN for bytes (net/ipv4/tcp_input.c, tcp_snd_una_update
 * and tcp_rcv_nxt_update); they are taken off here, so that figures are exact.
 */
#ifndef CASSINI_TRAFFIC_H
#define CASSINI_TRAFFIC_H

#include "edges.h"

/* A FIN is in the sequence of what is sent, and the peer has acknowledged all of it. */
static __always_inline bool fin_acknowledged(__u8 state, __u32 una, __u32 end)
{
	return una == end && (state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 ||
			      state == TCP_CLOSING || state == TCP_LAST_ACK);
}

/* Who called sent a SYN, which was acknowledged when the connection came to be. */
static __always_inline __u64 sent_payload(__u64 acked, bool caller, bool fin)
{
	__u64 marks = caller + fin;

	return acked > marks ? acked - marks : 0;
}

/* SOCK_DONE is set when a FIN arrives (tcp_fin). */
static __always_inline __u64 received_payload(__u64 received, unsigned long flags)
{
	return received && flags & 1 << SOCK_DONE ? received - 1 : received;
}

/*
 * Reads the figures of a socket that may be going, by its address. The bytes come
 * first: a FIN that is acknowledged in between makes them too low for a moment, never
 * too high.
 */
static __always_inline void read_traffic(struct traffic *t, struct tcp_sock *tp, bool caller)
{
	struct sock *sk = (struct sock *)tp;
	__u64 acked = BPF_CORE_READ(tp, bytes_acked), received = BPF_CORE_READ(tp, bytes_received);

	t->retransmits = BPF_CORE_READ(tp, total_retrans);
	t->rtt_us = BPF_CORE_READ(tp, srtt_us) >> 3;
	t->last_ns = BPF_CORE_READ(tp, tcp_mstamp) * 1000;
	t->sent = sent_payload(acked, caller,
			       fin_acknowledged(BPF_CORE_READ(sk, __sk_common.skc_state),
						BPF_CORE_READ(tp, snd_una),
						BPF_CORE_READ(tp, write_seq)));
	t->received = received_payload(received, BPF_CORE_READ(sk, __sk_common.skc_flags));
}

#endif
