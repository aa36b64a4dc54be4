//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Which process takes a connection from a listener, where the kernel allows
 * trampolines: of many that hold one listener, each has what it accepted. The kernel
 * counts by listener and process; user space reads when somebody asks.
 *
 * inet_csk_accept() and SCTP's sctp_accept(), at which Go loads the program too, have other
 * arguments since Linux 6.10; the first is the same, and their result is read without them.
 */
#include "calls.h"

#define WORKERS 8192
#define MAX_ERRNO 4095

struct worker_key {
	__u64 cookie; /* of the listener */
	__u64 start_ns;
	__u32 tgid;
	__u32 pad;
};

struct worker {
	__u64 accepted;
	__u8 comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WORKERS);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct worker_key);
	__type(value, struct worker);
} workers SEC(".maps");

/* Accepted by a process that found no room. */
__u64 workers_full;

/* Go has their shapes from here. */
const struct worker_key *shape_of_key __attribute__((unused));
const struct worker *shape_of_worker __attribute__((unused));

static __noinline int first_accept(struct worker_key *key)
{
	struct worker w = { .accepted = 1 };

	__builtin_memcpy(w.comm, bpf_get_current_task_btf()->group_leader->comm, sizeof(w.comm));
	if (bpf_map_update_elem(&workers, key, &w, BPF_ANY))
		__sync_fetch_and_add(&workers_full, 1);
	return 0;
}

SEC("fentry/inet_csk_accept")
int BPF_PROG(accepting)
{
	return call_begins();
}

SEC("fexit/inet_csk_accept")
int BPF_PROG(accepted, struct sock *listener)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct worker_key key = {};
	struct worker *w;
	__u64 result = 0;

	if (!call_ends() || bpf_get_func_ret(ctx, &result) || !result ||
	    result >= -(__u64)MAX_ERRNO || task->flags & PF_KTHREAD)
		return 0;
	key.cookie = cookie_of(listener);
	if (!key.cookie)
		return 0; /* it is older than the agent, and about to be found */
	key.start_ns = task->group_leader->start_boottime;
	key.tgid = task->tgid;
	w = bpf_map_lookup_elem(&workers, &key);
	if (w)
		__sync_fetch_and_add(&w->accepted, 1);
	else
		first_accept(&key);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
