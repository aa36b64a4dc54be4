/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Of a process: its program, its owner; of the current one its paths and its command
 * line too.
 */
#ifndef CASSINI_PROCESS_H
#define CASSINI_PROCESS_H

#include "kernel.h"
#include "shared.h"

static __always_inline void kernel_owner(struct owner *owner)
{
	owner->kind = OWNER_KERNEL;
	__builtin_memcpy(owner->comm, "kernel", 7);
}

/* A walk from a path's leaf up to the root of its mount tree. */
struct walk {
	__u64 dentry;
	__u64 mnt;
	__u64 len; /* of the names so far */
};

struct names {
	__u8 text[PATH_SIZE];
};

enum step {
	STEP_ON = 0,
	STEP_WHOLE = 1,
	STEP_LOST = 2, /* deeper than we look, or not reachable */
};

/* A global function: the verifier looks at it once, not at each step of each walk. */
__noinline int walk_step(struct walk *w, struct names *names)
{
	if (!w || !names)
		return STEP_LOST;
	struct dentry *dentry = (void *)w->dentry, *parent = BPF_CORE_READ(dentry, d_parent);
	struct mount *mnt = (void *)w->mnt;

	if (dentry == BPF_CORE_READ(mnt, mnt.mnt_root)) {
		struct mount *above = BPF_CORE_READ(mnt, mnt_parent);

		if (above == mnt)
			return STEP_WHOLE;
		w->dentry = (__u64)BPF_CORE_READ(mnt, mnt_mountpoint);
		w->mnt = (__u64)above;
		return STEP_ON;
	}
	__u64 at = w->len;

	if (dentry == parent || at >= PATH_SIZE / 2)
		return STEP_LOST;
	long n = bpf_probe_read_kernel_str(names->text + at, PATH_SIZE / 2,
					   BPF_CORE_READ(dentry, d_name.name));
	if (n <= 0)
		return STEP_LOST;
	w->len = at + n;
	w->dentry = (__u64)parent;
	return STEP_ON;
}

/* Writes the names from leaf to root, each with its NUL; 0: better none than a wrong one. */
static __always_inline __u16 walk_path(__u8 buf[PATH_SIZE], const struct path *path)
{
	struct vfsmount *vfsmnt = BPF_CORE_READ(path, mnt);
	struct walk w = {
		.dentry = (__u64)BPF_CORE_READ(path, dentry),
		.mnt = (__u64)((void *)vfsmnt - bpf_core_field_offset(struct mount, mnt)),
	};

	for (int i = 0; i < PATH_DEPTH; i++) {
		int step = walk_step(&w, (struct names *)buf);

		if (step == STEP_WHOLE)
			return w.len;
		if (step != STEP_ON)
			break;
	}
	return 0;
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
	/* Threads have names of their own. */
	__builtin_memcpy(owner->comm, task->group_leader->comm, sizeof(owner->comm));
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
		event->exe_len = walk_path(event->exe, &exe->f_path);
	if (fs)
		event->cwd_len = walk_path(event->cwd, &fs->pwd);

	unsigned long start = BPF_CORE_READ(mm, arg_start);
	unsigned long len = BPF_CORE_READ(mm, arg_end) - start;

	if (len > ARGS_SIZE)
		len = ARGS_SIZE;
	if (bpf_probe_read_user(event->args, len, (void *)start) == 0)
		event->args_len = len;
	return 0;
}

/* Seen from elsewhere. */
static __always_inline void task_owner(struct owner *owner, struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct file *exe = BPF_CORE_READ(task, mm, exe_file);

	owner->tgid = BPF_CORE_READ(task, tgid);
	owner->start_ns = BPF_CORE_READ(leader, start_boottime);
	owner->cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	owner->uid = BPF_CORE_READ(task, cred, uid.val);
	owner->gid = BPF_CORE_READ(task, cred, gid.val);
	bpf_probe_read_kernel_str(owner->comm, sizeof(owner->comm), &leader->comm);
	if (exe) {
		owner->exe_ino = BPF_CORE_READ(exe, f_inode, i_ino);
		owner->exe_dev = BPF_CORE_READ(exe, f_inode, i_sb, s_dev);
	}
}

#endif
