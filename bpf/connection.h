/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Connected UDP sockets: which of them count as connections of their edge, and when.
 *
 * To connect() sends nothing. Name resolution connects a socket to each address only
 * to see from which source address it would be reached, and closes it at once. So a
 * connection waits for a sign that it is used: a datagram that passes a program, one
 * that the program was given (sk_stamp), one that is still on its way (sk_wmem_alloc),
 * or that the socket lives longer than such a question takes. The kernel sets sk_stamp
 * once, at the first: a socket that was given any is one that asks more than that.
 */
#ifndef CASSINI_CONNECTION_H
#define CASSINI_CONNECTION_H

#include "udp.h"

static __always_inline void begin_connection(struct udp_socket *u, struct edge *edge, __u64 now)
{
	u->connected = CONNECTED_WAITING;
	u->connected_edge = u->edge;
	u->connected_life = u->life;
	u->connected_ns = now;
	ADD(edge->waiting, 1);
	edge->last_ns = now;
}

/* An ICMP error may come in between, on this CPU or another. */
static __always_inline void wait_no_longer(struct udp_socket *u, struct edge *edge,
					   enum connected now)
{
	if (__sync_val_compare_and_swap(&u->connected, CONNECTED_WAITING, now) == CONNECTED_WAITING)
		ADD(edge->waiting, -1);
}

/* It counts from now on. */
static __always_inline void count_connection(struct udp_socket *u, struct edge *edge)
{
	wait_no_longer(u, edge, CONNECTED_HEARD);
	if (edge->key.direction == DIR_OUT)
		ADD(edge->attempts, 1);
	if (!(edge->connections | edge->adopted))
		report(EVENT_HEARD, 0, &edge->key);
	ADD(edge->connections, 1);
}

static __noinline int connection_heard(struct udp_socket *u)
{
	struct edge *edge = connected_edge(u);

	if (edge)
		count_connection(u, edge);
	u->connected = CONNECTED_HEARD;
	return 0;
}

static __always_inline bool was_used(const struct udp_socket *u, __u64 now)
{
	struct sock *s = (void *)u->sk;

	if (BPF_CORE_READ(s, sk_stamp) != NEVER_STAMPED ||
	    BPF_CORE_READ(s, sk_wmem_alloc.refs.counter) > 1)
		return true;
	return u->connected == CONNECTED_WAITING && now - u->connected_ns > IN_USE;
}

/* The socket ends, or connects elsewhere. */
static __noinline int end_connection(struct udp_socket *u, __u64 now)
{
	struct edge *edge;

	if (u->connected == NOT_CONNECTED)
		return 0;
	edge = connected_edge(u);
	if (!edge) {
		COUNT(count(), edge_lost);
	} else if (u->connected == CONNECTED_HEARD) {
		edge->last_ns = now;
		ADD(edge->closed, 1);
	} else if (was_used(u, now)) {
		edge->last_ns = now;
		ADD(edge->closed, 1);
		count_connection(u, edge);
	} else {
		wait_no_longer(u, edge, NOT_CONNECTED);
	}
	u->connected = NOT_CONNECTED;
	return 0;
}

/* Each error is a failure: a long-lived socket has as many as it is told of. */
static __always_inline void connection_failed(struct udp_socket *u, int err)
{
	struct edge *edge = u->connected ? connected_edge(u) : NULL;

	if (!edge)
		return;
	wait_no_longer(u, edge, CONNECTED_FAILED);
	ADD(edge->attempts, 1);
	attempt_failed(edge, err);
}

#endif
