/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What became of an attempt, where the kernel can call back when the system call returns
 * (task work, Linux 6.18): by then the socket is connected or it is not. It costs more
 * than all else, so only attempts that nobody is sure about are looked at.
 */
#ifndef CASSINI_OUTCOME_H
#define CASSINI_OUTCOME_H

#include "unix.h"

extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym;

#define CAST(type, pointer) ((type *)bpf_rdonly_cast(pointer, bpf_core_type_id_kernel(type)))

/* linux/sched.h: neither returns to user space */
#define PF_IO_WORKER 0x00000010

struct bpf_task_work {
	__u64 __opaque;
} __attribute__((aligned(8)));

struct bpf_map {
	__u32 id;
} __attribute__((preserve_access_index));

extern int bpf_task_work_schedule_resume_impl(struct task_struct *task, struct bpf_task_work *work,
					      void *map,
					      int (*callback)(struct bpf_map *, void *, void *),
					      void *unused) __weak __ksym;

/* One attempt of one thread, until it returns. */
struct unix_outcome {
	struct bpf_task_work work;
	__u64 sk;
	__u64 cookie;
	struct unix_key key;
	__u32 fresh; /* the first of its edge */
	__u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct unix_outcome);
} unix_outcomes SEC(".maps");

static __always_inline bool is_connected(const struct unix_outcome *o)
{
	struct sock *sk = CAST(struct sock, (void *)o->sk);

	return sk->__sk_common.skc_cookie.counter == o->cookie &&
	       sk->__sk_common.skc_state == TCP_ESTABLISHED;
}

static int on_return(struct bpf_map *map, void *thread, void *value)
{
	struct unix_outcome *o = value;
	struct unix_key key = o->key;
	struct unix_edge *edge = bpf_map_lookup_elem(&unix_edges, &key);
	bool fresh = o->fresh, connected = is_connected(o);
	__u64 id = bpf_get_current_pid_tgid(), now = bpf_ktime_get_ns();

	bpf_map_delete_elem(&unix_outcomes, &id);
	if (!edge)
		return 0;
	if (connected)
		UNIX_ADD(edge->reached, 1);
	else
		UNIX_ADD(edge->failed, 1);
	if (fresh) {
		tell(UNIX_EVENT_EDGE, &key, &edge->owner);
	} else if (now - edge->told_ns >= TELL_AGAIN) {
		edge->told_ns = now;
		tell(UNIX_EVENT_UNSURE, &key, NULL);
	}
	return 0;
}

/* False: the kernel does not call back, and user space has to find out. */
static __always_inline bool await_return(const struct unix_key *key, __u64 sk, __u64 cookie,
					 bool fresh)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 id = bpf_get_current_pid_tgid();
	struct unix_outcome empty = { .sk = sk, .cookie = cookie, .key = *key, .fresh = fresh };
	struct unix_outcome *o;

	if (!bpf_task_work_schedule_resume_impl || task->flags & (PF_KTHREAD | PF_IO_WORKER))
		return false;
	if (bpf_map_update_elem(&unix_outcomes, &id, &empty, BPF_NOEXIST))
		return false;
	o = bpf_map_lookup_elem(&unix_outcomes, &id);
	if (o &&
	    !bpf_task_work_schedule_resume_impl(task, &o->work, &unix_outcomes, on_return, NULL))
		return true;
	bpf_map_delete_elem(&unix_outcomes, &id);
	return false;
}

#endif
