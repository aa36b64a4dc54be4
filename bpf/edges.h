/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Edges in their map: found, made, and what is counted on one that failed or was left. */
#ifndef CASSINI_EDGES_H
#define CASSINI_EDGES_H

#include "places.h"

/* The edge of a connection; NULL: evicted meanwhile. */
static __always_inline struct edge *edge_at(__u32 place, __u32 life)
{
	struct edge *edge = bpf_map_lookup_elem(&edges, &place);

	return edge && edge->life == life ? edge : NULL;
}

/* Say a constant, so that the verifier sees one map at each lookup. */
static __always_inline void *ids_of(bool udp)
{
	return udp ? (void *)&udp_edge_ids : (void *)&edge_ids;
}

static __always_inline struct edge *find_edge(const struct edge_key *key, __u32 *place, bool udp)
{
	__u32 *at = bpf_map_lookup_elem(ids_of(udp), key);

	if (!at)
		return NULL;
	*place = *at;
	return bpf_map_lookup_elem(&edges, place);
}

static __always_inline void take_sample(struct sample *sample, const struct owner *owner)
{
	sample->start_ns = owner->start_ns;
	sample->tgid = owner->tgid;
	sample->uid = owner->uid;
	sample->gid = owner->gid;
	sample->kind = owner->kind;
	__builtin_memcpy(sample->comm, owner->comm, sizeof(sample->comm));
}

/*
 * Makes an edge; *fresh says that it is new. NULL: there is no room. The key may be the
 * argument of a global function, which Linux 6.1 takes as no key of a map: the edge has a copy.
 */
static __always_inline struct edge *make_edge(const struct edge_key *key, const struct owner *owner,
					      __u32 *place, bool *fresh, bool udp)
{
	struct table_state *t = shared();
	struct edge *edge;
	__u32 spare;

	if (!t)
		return NULL;
	if (bpf_map_pop_elem(&spare_edges, place)) {
		if (t->edges >= edge_places)
			return NULL;
		*place = __sync_fetch_and_add(&t->edges, 1);
	}
	edge = bpf_map_lookup_elem(&edges, place);
	if (!edge)
		return NULL;
	take_sample(&edge->owner, owner);
	edge->key = *key;
	edge->first_ns = edge->last_ns = bpf_ktime_get_ns();
	if (bpf_map_update_elem(ids_of(udp), &edge->key, place, BPF_NOEXIST) == 0) {
		*fresh = true;
		edge->used = 1;
		return edge;
	}
	/* Another CPU was first, and reports it; or UDP has its share. */
	spare = *place;
	edge = find_edge(&edge->key, place, udp);
	bpf_map_push_elem(&spare_edges, &spare, BPF_ANY);
	return edge;
}

/*
 * A router or this host itself forbids it: EACCES (over IPv6 a router's word, too), EPERM; EINVAL is
 * what a blackhole route says, ENODEV and EADDRNOTAVAIL that there is nothing to send it from.
 */
static __always_inline void count_failure(struct edge *edge, int err)
{
	switch (err < 0 ? -err : err) {
	case ECONNREFUSED:
		ADD(edge->refused, 1);
		break;
	case ETIMEDOUT:
		ADD(edge->timed_out, 1);
		break;
	case EPERM:
	case EACCES:
	case ENODEV:
	case EINVAL:
	case EADDRNOTAVAIL:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
		ADD(edge->unreachable, 1);
		break;
	default:
		ADD(edge->aborted, 1);
	}
}

/*
 * What counted on an edge and whose end was not seen: its memory is another's now. Some
 * kernels run no program in the time of some processes.
 */
static __always_inline void count_stale(__u32 place, __u32 life, __u8 role)
{
	struct edge *edge = edge_at(place, life);

	COUNT(count(), stale);
	if (!edge)
		return;
	if (role == ROLE_COUNTED)
		ADD(edge->closed, 1);
	else if (role == ROLE_CLIENT)
		ADD(edge->aborted, 1);
}

#endif
