/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Calls of the kernel's functions, counted as they return, in the task that calls. Where a task
 * can be preempted inside a program, others pass that one by on its CPU until the task goes
 * on (tcp.c). So it is attached more than once there, and just one of its copies counts: as the
 * function begins, the task is given a note, and the first copy that runs when it ends takes it.
 * What gives the note is attached as often.
 */
#ifndef CASSINI_CALLS_H
#define CASSINI_CALLS_H

#include "kernel.h"

/* There are copies; set before the programs are loaded. */
const volatile bool copied;

struct call {
	__u64 open;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct call);
} calls SEC(".maps");

static __always_inline int call_begins(void)
{
	struct call *call = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), NULL,
						 BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (call)
		call->open = 1;
	return 0;
}

/* False: another copy has counted this call. */
static __always_inline bool call_ends(void)
{
	struct call *call;

	if (!copied)
		return true;
	call = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), NULL, 0);
	if (!call || !call->open)
		return false;
	call->open = 0;
	return true;
}

#endif
