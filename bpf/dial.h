/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What one attempt of TCP to connect counts, in the task that asks, and the note by which it is
 * counted once.
 *
 * An attempt to where no route leads fails before the socket changes its state, and no
 * tracepoint tells: unsent.c counts it as connect() returns. Another one fails within the same call,
 * but after the socket changed its state: tcp.c counts that. So a task that is inside connect() bears
 * a note, and whoever counts the failure takes it.
 */
#ifndef CASSINI_DIAL_H
#define CASSINI_DIAL_H

#include "report.h"

/* The socket that a task connects, until somebody has counted that it failed. */
struct dial {
	__u64 sk;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct dial);
} dials SEC(".maps");

static __always_inline void dial_begins(struct sock *sk)
{
	struct dial *dial = bpf_task_storage_get(&dials, bpf_get_current_task_btf(), NULL,
						 BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (dial)
		dial->sk = (__u64)sk;
}

/* Whether this task is inside connect() with the socket, and nobody has counted yet that it failed. */
static __always_inline bool dial_ends(struct sock *sk)
{
	struct dial *dial = bpf_task_storage_get(&dials, bpf_get_current_task_btf(), NULL, 0);

	if (!dial || dial->sk != (__u64)sk)
		return false;
	dial->sk = 0;
	return true;
}

static __always_inline bool kernel_asks(struct task_struct *task, struct sock *sk)
{
	return task->flags & PF_KTHREAD ||
	       (BPF_CORE_READ_BITFIELD(sk, sk_kern_sock) && !is_subflow(bpf_skc_to_tcp_sock(sk)));
}

/* Counts an attempt of the current task; NULL: its edge finds no room. */
static __always_inline struct edge *count_attempt(struct edge_key *key, struct sock *sk,
						  __u32 *place)
{
	struct task_struct *task = bpf_get_current_task_btf();
	bool kernel = kernel_asks(task, sk);
	struct edge *edge;

	current_program(key, task, kernel);
	edge = find_edge(key, place, false);
	if (!edge)
		edge = new_edge_of_current(key, kernel, place);
	if (!edge)
		return NULL;
	ADD(edge->attempts, 1);
	if (edge->owner.tgid != task->tgid) {
		edge->owner.tgid = task->tgid;
		edge->owner.start_ns = task->group_leader->start_boottime;
	}
	return edge;
}

#endif
