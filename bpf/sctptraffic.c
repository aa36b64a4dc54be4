//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What SCTP's associations move, at functions that each chunk of a message passes once: when
 * it is given its number, before it leaves for the first time, and when it has come in and is none
 * that was there before. Chunks are numbered one after the other (TSN), by which the second
 * of two runs finds nothing to do.
 *
 * The kernel's own smoothed round-trip time counts timer ticks, and below eight of them it
 * stays what the first chunk took (net/sctp/transport.c, sctp_transport_update_rto). So
 * one chunk at a time is timed here, from when it leaves to its acknowledgement. Nothing is
 * taken of it if anything was sent again meanwhile.
 *
 * The socket's lock is held by all but the iterator.
 */
#include "association.h"
#include "iterators.h"

#define NUMBERED (1ULL << 32) /* else number 0 would look like none */

/* A chunk whose number is not that of the one before. */
static __always_inline bool is_another(__u64 *last, __u32 tsn)
{
	__u64 numbered = NUMBERED | tsn;

	if (*last == numbered)
		return false;
	*last = numbered;
	return true;
}

static __always_inline __u64 payload_of(struct sctp_chunk *chunk)
{
	__u16 length = bpf_ntohs(BPF_CORE_READ(chunk, chunk_hdr, length));
	bool interleaved = BPF_CORE_READ(chunk, chunk_hdr, type) == SCTP_CID_I_DATA;
	__u16 headers = interleaved ? I_DATA_HEADERS : DATA_HEADERS;

	return length > headers ? length - headers : 0;
}

static __always_inline struct association *find_association(struct sctp_association *asoc)
{
	__u64 id = plain(asoc);

	return bpf_map_lookup_elem(&associations, &id);
}

static __always_inline __u32 retransmits_of(struct sctp_association *asoc)
{
	return BPF_CORE_READ(asoc, stats.rtxchunks);
}

SEC("fentry/sctp_chunk_assign_tsn")
int BPF_PROG(sctp_sent, struct sctp_chunk *chunk)
{
	struct sctp_association *asoc = BPF_CORE_READ(chunk, asoc);
	struct association *a;
	__u32 tsn;

	if (BPF_CORE_READ_BITFIELD_PROBED(chunk, has_tsn))
		return 0; /* it is sent again */
	a = find_association(asoc);
	tsn = BPF_CORE_READ(asoc, next_tsn);
	if (!a || !is_another(&a->sent_tsn, tsn))
		return 0;
	a->sent += payload_of(chunk);
	a->last_ns = bpf_ktime_get_ns();
	if (a->timed_ns)
		return 0;
	a->timed_tsn = tsn;
	a->timed_retransmits = retransmits_of(asoc);
	a->timed_ns = a->last_ns;
	return 0;
}

/* As TCP does it (RFC 6298): each measurement moves it by an eighth of the difference. */
static __always_inline void measured(struct association *a, __u64 ns)
{
	__u32 us = ns / 1000;

	if (!us)
		us = 1;
	if (a->srtt)
		a->srtt += us - (a->srtt >> 3);
	else
		a->srtt = us << 3;
}

SEC("fexit/sctp_outq_sack")
int BPF_PROG(sctp_acknowledged, struct sctp_outq *queue)
{
	struct sctp_association *asoc = BPF_CORE_READ(queue, asoc);
	struct association *a = find_association(asoc);

	if (!a || !a->timed_ns || (__s32)(BPF_CORE_READ(asoc, ctsn_ack_point) - a->timed_tsn) < 0)
		return 0;
	if (retransmits_of(asoc) == a->timed_retransmits)
		measured(a, bpf_ktime_get_ns() - a->timed_ns);
	a->timed_ns = 0;
	return 0;
}

/* No event: there was no memory, and the chunk will come again. */
SEC("fexit/sctp_ulpevent_make_rcvmsg")
int BPF_PROG(sctp_received, struct sctp_association *asoc, struct sctp_chunk *chunk, __u32 gfp,
	     void *event)
{
	struct association *a;

	if (!event)
		return 0;
	a = find_association(asoc);
	if (!a || !is_another(&a->received_tsn, BPF_CORE_READ(chunk, subh.data_hdr, tsn)))
		return 0;
	a->received += payload_of(chunk);
	a->last_ns = bpf_ktime_get_ns();
	return 0;
}

/* An entry that is let go may be another's at once. */
static __always_inline bool still(const struct association *a, __u64 id, const __u64 *now,
				  const struct traffic *t, __u32 vtag)
{
	const volatile struct association *is = a;

	return *(const volatile __u64 *)now == id && is->vtag == vtag && is->edge == t->edge &&
	       is->life == t->life;
}

/* What open ones have moved so far, when somebody asks (traffic.c). */
SEC("iter/bpf_map_elem")
int traffic_of_association(struct bpf_iter__bpf_map_elem *ctx)
{
	const struct association *a = ctx->value;
	const __u64 *key = ctx->key;
	struct traffic t = {};
	__u32 vtag;
	__u64 id;

	if (!a || !key || a->role != ROLE_COUNTED)
		return 0;
	id = *key;
	vtag = a->vtag;
	t.edge = a->edge;
	t.life = a->life;
	t.sent = a->sent;
	t.received = a->received;
	t.last_ns = a->last_ns;
	t.retransmits = retransmits_of((struct sctp_association *)id);
	t.rtt_us = a->srtt >> 3;
	t.start_us = a->start_us;
	if (still(a, id, key, &t, vtag))
		bpf_seq_write(ctx->meta->seq, &t, sizeof(t));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
