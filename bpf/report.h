/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the programs tell user space, and of the current process: its program, its
 * owner, its paths and its command line.
 */
#ifndef CASSINI_REPORT_H
#define CASSINI_REPORT_H

#include "edges.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

#define SECOND 1000000000ULL

/*
 * Writes the names from the path's leaf up to the root of its mount tree. The
 * length is kept in the event, where the verifier forgets its value: so all
 * ways through one turn of the loop end in the same state.
 */
static __always_inline void walk_path(__u8 *buf, volatile __u16 *len, const struct path *path)
{
	struct dentry *dentry = BPF_CORE_READ(path, dentry);
	struct vfsmount *vfsmnt = BPF_CORE_READ(path, mnt);
	struct mount *mnt = (void *)vfsmnt - bpf_core_field_offset(struct mount, mnt);

	for (int i = 0; i < PATH_DEPTH; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);

		if (dentry == BPF_CORE_READ(mnt, mnt.mnt_root)) {
			struct mount *above = BPF_CORE_READ(mnt, mnt_parent);

			if (above == mnt)
				return;
			dentry = BPF_CORE_READ(mnt, mnt_mountpoint);
			mnt = above;
			continue;
		}
		__u32 at = *len;

		if (dentry == parent || at >= PATH_SIZE / 2)
			break;
		long n = bpf_probe_read_kernel_str(buf + at, PATH_SIZE / 2,
						   BPF_CORE_READ(dentry, d_name.name));
		if (n <= 0)
			break;
		*len = at + n;
		dentry = parent;
	}
	*len = 0; /* deeper than we look, or not reachable: better none than a wrong one */
}

/* What names an owner in an edge. */
static __always_inline void current_program(struct edge_key *key, struct task_struct *task,
					    bool kernel)
{
	key->cgroup = bpf_get_current_cgroup_id();
	if (kernel)
		return;
	struct mm_struct *mm = task->mm;
	if (!mm)
		return;
	struct file *exe = mm->exe_file;
	if (!exe)
		return;
	key->exe_ino = exe->f_inode->i_ino;
	key->exe_dev = exe->f_inode->i_sb->s_dev;
}

static __always_inline void current_owner(struct owner *owner, bool kernel)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct edge_key program = {};

	current_program(&program, task, kernel);
	owner->cgroup = program.cgroup;
	owner->exe_ino = program.exe_ino;
	owner->exe_dev = program.exe_dev;
	if (kernel) {
		kernel_owner(owner);
		return;
	}
	__u64 ids = bpf_get_current_uid_gid();

	owner->uid = ids;
	owner->gid = ids >> 32;
	owner->tgid = task->tgid;
	owner->start_ns = task->group_leader->start_boottime;
	bpf_get_current_comm(owner->comm, sizeof(owner->comm));
}

/*
 * Path, directory and command line of the current process, for a rare event. A
 * global function, as find_way() is.
 */
__noinline int describe_current(struct event *event)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	if (!event)
		return 0;
	event->exe_len = event->cwd_len = event->args_len = 0;
	if (!mm || event->listener.owner.kind != OWNER_PROCESS)
		return 0;
	struct file *exe = BPF_CORE_READ(mm, exe_file);
	struct fs_struct *fs = BPF_CORE_READ(task, fs);

	if (exe)
		walk_path(event->exe, &event->exe_len, &exe->f_path);
	if (fs)
		walk_path(event->cwd, &event->cwd_len, &fs->pwd);

	unsigned long start = BPF_CORE_READ(mm, arg_start);
	unsigned long len = BPF_CORE_READ(mm, arg_end) - start;

	if (len > ARGS_SIZE)
		len = ARGS_SIZE;
	if (bpf_probe_read_user(event->args, len, (void *)start) == 0)
		event->args_len = len;
	return 0;
}

static __always_inline void report_edge(const struct edge_key *key, const struct owner *owner,
					bool current)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		COUNT(count(), ring_full);
		return;
	}
	event->kind = EVENT_EDGE;
	event->cookie = 0;
	event->key = *key;
	event->listener.owner = *owner;
	if (current)
		describe_current(event);
	else
		event->exe_len = event->cwd_len = event->args_len = 0;
	bpf_ringbuf_submit(event, 0);
}

/* A record of a few words: only key and cookie count. */
static __always_inline void report(enum event_kind kind, __u64 cookie, const struct edge_key *key)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);

	if (!event) {
		COUNT(count(), ring_full);
		return;
	}
	event->kind = kind;
	event->cookie = cookie;
	if (key)
		event->key = *key;
	event->exe_len = event->cwd_len = event->args_len = 0;
	bpf_ringbuf_submit(event, 0);
}

/*
 * Wakes user space, which makes room. Should two CPUs do so at once, nothing is lost.
 */
static __always_inline void no_room(struct counters *c, bool udp)
{
	struct table_state *t = shared();
	__u64 now = bpf_ktime_get_ns();

	if (udp)
		COUNT(c, udp_edges_full);
	else
		COUNT(c, edges_full);
	if (!t || now - t->full_at_ns < SECOND)
		return;
	t->full_at_ns = now;
	report(EVENT_FULL, 0, NULL);
}

/* Makes the edge of a new connection and reports it; NULL: there is no room. */
static __always_inline struct edge *new_edge(const struct edge_key *key, const struct owner *owner,
					     __u32 *place, bool current, bool udp)
{
	bool fresh = false;
	struct edge *edge = make_edge(key, owner, place, &fresh, udp);

	if (!edge)
		no_room(count(), udp);
	else if (fresh)
		report_edge(key, owner, current);
	return edge;
}

static __always_inline struct edge *new_edge_of_current(const struct edge_key *key, bool kernel,
							__u32 *place, bool udp)
{
	struct owner owner = {};

	current_owner(&owner, kernel);
	return new_edge(key, &owner, place, true, udp);
}

#endif
