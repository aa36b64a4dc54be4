/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Whose an open socket is that several processes hold: the oldest's, but not init's, which
 * only hands sockets on. Any process that is just being started holds those of its parent
 * until it runs its program, and a walk may come by at that moment. So a first walk over
 * open files leaves such sockets alone and notes who holds them, and a second one
 * takes them, if there were any.
 */
#ifndef CASSINI_SHAREHOLDERS_H
#define CASSINI_SHAREHOLDERS_H

#include "iterators.h"
#include "process.h"

/* Since Linux 6.13 (include/linux/file_ref.h): one less than how many refer to it. */
struct file___ref {
	struct {
		atomic64_t refcnt;
	} f_ref;
} __attribute__((preserve_access_index));

/* Before. */
struct file___count {
	atomic64_t f_count;
} __attribute__((preserve_access_index));

/*
 * The oldest holder, by the socket's address. Sockets that find no room are the first's that
 * is found to hold them.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct owner);
} holders SEC(".maps");

/* Set by the first walk where it noted any. */
__u32 noted;

/* Set by user space for the second. */
__u32 again;

static __always_inline bool better_owner(const struct owner *known, const struct owner *other)
{
	if (other->tgid == 1 || other->tgid == known->tgid)
		return false;
	return known->tgid == 1 || other->start_ns < known->start_ns;
}

/* False: there is no room. */
static __always_inline bool note_holder(__u64 sk, const struct owner *owner)
{
	struct owner *known = bpf_map_lookup_elem(&holders, &sk);

	if (known && !better_owner(known, owner))
		return true;
	return !bpf_map_update_elem(&holders, &sk, owner, BPF_ANY);
}

/* Whether others than this one, and the walk itself, refer to the file. */
static __always_inline bool has_others(struct file *file)
{
	if (!file)
		return false;
	if (bpf_core_field_exists(struct file___ref, f_ref))
		return BPF_CORE_READ((struct file___ref *)file, f_ref.refcnt.counter) > 1;
	return BPF_CORE_READ((struct file___count *)file, f_count.counter) > 2;
}

/* Tells whose a socket is; false: that is told in the other walk. */
static __always_inline bool whose(struct owner *owner, struct sock *sk,
				  struct bpf_iter__task_file *ctx, struct task_struct *task)
{
	__u64 key = (__u64)sk;

	if (again) {
		struct owner *known = bpf_map_lookup_elem(&holders, &key);

		if (!known)
			return false;
		*owner = *known;
		bpf_map_delete_elem(&holders, &key); /* one walk takes it once */
		return true;
	}
	task_owner(owner, task);
	if (!has_others(ctx->file) || !note_holder(key, owner))
		return true;
	noted = 1;
	return false;
}

#endif
