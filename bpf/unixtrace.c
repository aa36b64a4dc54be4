//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Who dials which Unix-domain socket, where the kernel allows trampolines: programs that
 * run as its own functions return, so that what became of an attempt is told by the kernel
 * itself. They also tell when a socket begins to listen.
 */
#include "calls.h"
#include "unixbytes.h"

enum {
	AGAIN = 11,       /* the queue is full: somebody is there */
	ISCONN = 106,     /* nothing was tried */
	RESTARTSYS = 512, /* nor is it over: a signal came */
	RESTARTNOINTR = 513,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct msghdr {
	void *msg_name;
	int msg_namelen;
};

#pragma clang attribute pop

/* Set where somebody wants bytes to be counted. */
const volatile bool count_bytes;

/* An attempt: who made it, at which name, by which socket. */
struct attempt {
	struct unix_key key;
	struct unix_text text;
	struct sock *sk;
	__u32 type;
};

static __always_inline void count_result(const struct attempt *a, struct unix_edge *edge, int err,
					 bool fresh)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 now = bpf_ktime_get_ns();

	UNIX_ADD(edge->attempts, 1);
	edge->last_ns = now;
	if (!err) {
		UNIX_ADD(edge->reached, 1);
	} else {
		UNIX_ADD(edge->failed, 1);
		if (err == -ECONNREFUSED)
			UNIX_ADD(edge->refused, 1);
		else if (err == -ENOENT)
			UNIX_ADD(edge->missing, 1);
	}
	if (fresh) {
		tell(UNIX_EVENT_EDGE, &a->key, &edge->owner);
		return;
	}
	if (edge->owner.tgid != task->tgid) {
		edge->owner.tgid = task->tgid;
		edge->owner.start_ns = task->group_leader->start_boottime;
	}
	if (err && now - edge->told_ns >= TELL_AGAIN) {
		edge->told_ns = now;
		tell(UNIX_EVENT_UNSURE, &a->key, NULL);
	}
}

static __noinline int first_result(const struct attempt *a, int err)
{
	bool fresh = false;
	struct unix_edge *edge = first_unix_edge(&a->key, &a->text, a->type, &fresh);

	if (!edge)
		return 0;
	count_result(a, edge, err, fresh);
	return 0;
}

static __noinline int result(struct attempt *a, int err)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct edge_key program = {};
	struct unix_edge *edge;

	current_program(&program, task, task->flags & PF_KTHREAD);
	a->key.cgroup = program.cgroup;
	a->key.exe_ino = program.exe_ino;
	a->key.exe_dev = program.exe_dev;
	place_name(&a->key.name, &a->text, task, a->sk);
	edge = bpf_map_lookup_elem(&unix_edges, &a->key);
	if (edge)
		count_result(a, edge, err, false);
	else
		first_result(a, err);
	return 0;
}

static __always_inline bool read_attempt(struct attempt *a, struct socket *sock, void *address,
					 int size)
{
	__u16 family = 0;

	__builtin_memset(&a->key, 0, sizeof(a->key));
	a->sk = sock->sk;
	if (!a->sk || bpf_probe_read_kernel(&family, sizeof(family), address) || family != AF_UNIX)
		return false;
	a->type = ((struct sock___unix *)a->sk)->sk_type;
	return read_name(&a->text, a->key.name.hash, address, size);
}

static __always_inline int connected(struct socket *sock, void *address, int size, int err)
{
	struct unix_client *client;
	struct attempt a;

	if (!call_ends() || err == -ISCONN || err == -RESTARTSYS || err == -RESTARTNOINTR ||
	    !read_attempt(&a, sock, address, size))
		return 0;
	result(&a, err);
	if (err)
		return 0;
	client = unix_client_of(a.sk);
	if (!client)
		return 0;
	client->key = a.key;
	client->connected = 1;
	return 0;
}

SEC("fentry/unix_stream_connect")
int BPF_PROG(unix_stream_connecting)
{
	return call_begins();
}

SEC("fexit/unix_stream_connect")
int BPF_PROG(unix_stream_connected, struct socket *sock, void *address, int size, int flags,
	     int err)
{
	return connected(sock, address, size, err);
}

SEC("fentry/unix_dgram_connect")
int BPF_PROG(unix_dgram_connecting)
{
	return call_begins();
}

SEC("fexit/unix_dgram_connect")
int BPF_PROG(unix_dgram_connected, struct socket *sock, void *address, int size, int flags, int err)
{
	return connected(sock, address, size, err);
}

/* A datagram with an address. */
static __always_inline int sent_to(struct unix_client *client, struct attempt *a, int err)
{
	__u64 said = a->key.name.hash[0], now = bpf_ktime_get_ns(); /* 6.1 has no coarse one here */
	__u32 turned = find_sent(client, said);

	if (turned && err >= 0) {
		send_again(client, turned, now);
		return 0;
	}
	result(a, err >= 0 || err == -AGAIN ? 0 : err);
	if (err >= 0)
		send_first(client, &a->key, said, now);
	return 0;
}

SEC("fentry/unix_dgram_sendmsg")
int BPF_PROG(unix_dgram_sending, struct socket *sock, struct msghdr *msg)
{
	return count_bytes || msg->msg_name ? call_begins() : 0;
}

SEC("fexit/unix_dgram_sendmsg")
int BPF_PROG(unix_dgram_sent, struct socket *sock, struct msghdr *msg, __u64 len, int err)
{
	struct unix_client *client;
	struct attempt a;

	if (!(count_bytes || msg->msg_name) || !call_ends())
		return 0;
	if (!msg->msg_name || err == -RESTARTSYS || err == -RESTARTNOINTR ||
	    !read_attempt(&a, sock, msg->msg_name, msg->msg_namelen))
		goto count;
	client = unix_client_of(a.sk);
	if (client)
		sent_to(client, &a, err);
count:
	return count_bytes ? moved(sock->sk, err, true) : 0;
}

SEC("fentry/unix_listen")
int BPF_PROG(unix_listening)
{
	return call_begins();
}

SEC("fexit/unix_listen")
int BPF_PROG(unix_listens, struct socket *sock, int backlog, int err)
{
	if (call_ends() && !err)
		tell(UNIX_EVENT_LISTEN, NULL, NULL);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
