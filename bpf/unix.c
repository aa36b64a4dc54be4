//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Who dials which Unix-domain socket, from programs at the root of the cgroup v2
 * hierarchy. They run in the process that asks, with the name that it gives, before the
 * kernel looks who is there. So what becomes of an attempt is told from the socket that
 * user space found to answer to the name: while that one listens, has room in its queue,
 * stands where its name is and lets everybody in, the attempt succeeds. Else user space
 * is told, and finds out.
 */
#include "outcome.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct bpf_sock_addr_kern {
	struct sock *sk;
	void *uaddr;
	u32 uaddrlen;
};

#pragma clang attribute pop

extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym;
/* Who may not write to the file may not connect. Groups are left to who finds out. */
static __always_inline bool lets_in(const struct inode___unix *file)
{
	__u32 uid = bpf_get_current_uid_gid();

	return !uid || file->i_mode & S_IWOTH || (file->i_uid.val == uid && file->i_mode & S_IWUSR);
}

/* Whether everybody who dials this name reaches this socket. */
static __always_inline bool answers(const struct unix_server *server, __u16 type, bool abstract)
{
	struct unix_sock *u = CAST(struct unix_sock, (void *)server->sk);
	struct sock *sk = (struct sock *)u;
	struct sock___unix *s = (struct sock___unix *)u;
	struct inode___unix *file;

	if (server->type != type || sk->__sk_common.skc_cookie.counter != server->cookie ||
	    sk->__sk_common.skc_flags & 1UL << SOCK_DEAD)
		return false;
	/* Others may dial in the same moment: half a queue is left to them. */
	if (type != SOCK_DGRAM && (sk->__sk_common.skc_state != TCP_LISTEN ||
				   s->sk_receive_queue.qlen > s->sk_max_ack_backlog / 2))
		return false;
	if (abstract)
		return true;
	file = ((struct dentry___unix *)u->path.dentry)->d_inode;
	return file && file->i_nlink && lets_in(file);
}

/* An attempt: who makes it, at which name, by which socket. */
struct attempt {
	struct unix_key key;
	struct unix_text text;
	struct sock *sk;
	__u32 type;
	bool connects; /* what becomes of it can be seen at the socket */
};

/* Nobody knows whether somebody answers. */
static __noinline int unsure_attempt(struct bpf_sock_addr *ctx, const struct attempt *a, bool fresh)
{
	struct unix_edge *edge;
	__u64 now = bpf_ktime_get_ns();

	if (a->connects && await_return(&a->key, (__u64)a->sk, bpf_get_socket_cookie(ctx), fresh))
		return 0;
	edge = bpf_map_lookup_elem(&unix_edges, &a->key);
	if (!edge)
		return 0;
	UNIX_ADD(edge->unsure, 1);
	if (!fresh && now - edge->told_ns < TELL_AGAIN)
		return 0;
	edge->told_ns = now;
	if (fresh)
		tell(UNIX_EVENT_EDGE, &a->key, &edge->owner);
	else
		tell(UNIX_EVENT_UNSURE, &a->key, NULL);
	return 0;
}

static __noinline int count_attempt(struct bpf_sock_addr *ctx, const struct attempt *a,
				    struct unix_edge *edge, bool fresh)
{
	struct unix_server *server = bpf_map_lookup_elem(&unix_servers, &a->key.name);
	struct task_struct *task = bpf_get_current_task_btf();

	UNIX_ADD(edge->attempts, 1);
	edge->last_ns = bpf_ktime_get_ns();
	if (!server || !answers(server, a->type, UNIX_ABSTRACT(&a->text)))
		return unsure_attempt(ctx, a, fresh);
	UNIX_ADD(edge->reached, 1);
	if (fresh)
		tell(UNIX_EVENT_EDGE, &a->key, &edge->owner);
	else if (edge->owner.tgid != task->tgid) {
		edge->owner.tgid = task->tgid;
		edge->owner.start_ns = task->group_leader->start_boottime;
	}
	return 0;
}

/* The first attempt of a program at a name. */
static __noinline int first_attempt(struct bpf_sock_addr *ctx, const struct attempt *a)
{
	bool fresh = false;
	struct unix_edge *edge = first_unix_edge(&a->key, &a->text, a->type, &fresh);

	if (!edge)
		return 0;
	return count_attempt(ctx, a, edge, fresh);
}

static __always_inline void attempt(struct bpf_sock_addr *ctx, struct attempt *a)
{
	struct unix_edge *edge = bpf_map_lookup_elem(&unix_edges, &a->key);

	if (edge)
		count_attempt(ctx, a, edge, false);
	else
		first_attempt(ctx, a);
}

/* The program that asks, and what its name means. */
static __always_inline void complete_key(struct attempt *a)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct edge_key program = {};

	current_program(&program, task, task->flags & PF_KTHREAD);
	a->key.cgroup = program.cgroup;
	a->key.exe_ino = program.exe_ino;
	a->key.exe_dev = program.exe_dev;
	place_name(&a->key.name, &a->text, task, a->sk);
}

SEC("cgroup/connect_unix")
int unix_connect(struct bpf_sock_addr *ctx)
{
	struct bpf_sock_addr_kern *ask = bpf_cast_to_kern_ctx(ctx);
	struct attempt a;
	struct unix_client *client;

	__builtin_memset(&a.key, 0, sizeof(a.key));
	a.sk = ask->sk;
	a.type = ((struct sock___unix *)a.sk)->sk_type;
	a.connects = true;
	if (a.type != SOCK_DGRAM && a.sk->__sk_common.skc_state != TCP_CLOSE)
		return 1; /* it is connected */
	if (!ctx->sk || !read_name(&a.text, a.key.name.hash, ask->uaddr, ask->uaddrlen))
		return 1;
	complete_key(&a);
	client = unix_client_of(ctx->sk);
	if (client) {
		client->key = a.key;
		client->connected = 1;
	}
	attempt(ctx, &a);
	return 1;
}

SEC("cgroup/sendmsg_unix")
int unix_sendmsg(struct bpf_sock_addr *ctx)
{
	struct bpf_sock_addr_kern *ask = bpf_cast_to_kern_ctx(ctx);
	struct attempt a;
	struct unix_client *client;
	__u32 turned;
	__u64 said;

	__builtin_memset(&a.key, 0, sizeof(a.key));
	a.sk = ask->sk;
	a.type = SOCK_DGRAM;
	a.connects = false;
	if (!ctx->sk || !read_name(&a.text, a.key.name.hash, ask->uaddr, ask->uaddrlen))
		return 1;
	client = unix_client_of(ctx->sk);
	if (!client)
		return 1;
	said = a.key.name.hash[0];
	turned = find_sent(client, said);
	if (turned) {
		send_again(client, turned, bpf_ktime_get_coarse_ns());
		return 1;
	}
	complete_key(&a);
	send_first(client, &a.key, said, bpf_ktime_get_coarse_ns());
	attempt(ctx, &a);
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
