//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Unix-domain sockets as they stand when user space asks: who holds those that serve,
 * which of those that dialled are connected, and, once, what was connected before the
 * programs were attached.
 */
#include "shareholders.h"
#include "unix.h"

/* Set for the walks in which connections are adopted. */
__u32 adopt;

/* A socket that serves, and one process that holds it. */
struct unix_socket {
	__u64 sk;
	__u64 cookie;
	__u64 file_ino; /* of its path */
	__u32 file_dev;
	__u32 netns;
	__u32 mntns; /* of the process */
	__u16 len;
	__u16 type;
	struct owner owner;
	__u8 text[UNIX_TEXT];
};

/* A socket that dialled: that it is connected, or a name that it sent to. */
struct unix_open {
	struct unix_key key;
	__u64 last_ns; /* when it last sent there */
	__u64 open;    /* it is connected */
};

/* Asked about one socket. */
struct unix_question {
	__u64 sk;
	__u64 cookie;
	__u32 type;
	__u32 answer;
};

/* Go reads and writes these, and has their shapes from here. */
const struct unix_event *shape_of_event __attribute__((unused));
const struct unix_socket *shape_of_socket __attribute__((unused));
const struct unix_open *shape_of_open __attribute__((unused));

static __always_inline bool read_bound(struct unix_text *text, __u64 hash[2], struct unix_sock *u)
{
	struct unix_address *addr = BPF_CORE_READ(u, addr);

	return addr && read_name(text, hash, &addr->name[0], BPF_CORE_READ(addr, len));
}

static __always_inline struct inode___unix *file_of(const struct path *path)
{
	struct dentry___unix *dentry = (void *)BPF_CORE_READ(path, dentry);

	return BPF_CORE_READ(dentry, d_inode);
}

static __always_inline bool hung_up(struct sock *sk)
{
	return BPF_CORE_READ((struct sock___unix *)sk, sk_shutdown) == SHUTDOWN_MASK ||
	       BPF_CORE_READ(sk, __sk_common.skc_flags) & 1UL << SOCK_DEAD;
}

/*
 * Who was called bears the name of a socket that serves, and has it in common with that.
 * Where both ends have one of their own, nothing tells.
 */
static __always_inline bool is_client(struct unix_sock *u, struct unix_sock *peer, __u16 type)
{
	if (!BPF_CORE_READ(peer, addr))
		return false;
	return type == SOCK_DGRAM || !BPF_CORE_READ(u, addr);
}

/* A connection that is older than the programs. */
static __always_inline int adopt_connection(struct sock *sk, struct task_struct *task,
					    const struct owner *owner, struct unix_client *client,
					    const struct unix_text *text)
{
	__u16 type = BPF_CORE_READ((struct sock___unix *)sk, sk_type);
	struct unix_edge *edge;
	bool fresh = false;

	client->key.cgroup = owner->cgroup;
	client->key.exe_ino = owner->exe_ino;
	client->key.exe_dev = owner->exe_dev;
	place_name(&client->key.name, text, task, sk);
	client->connected = 1;
	edge = make_unix_edge(&client->key, text, type, &fresh);
	if (!edge)
		return 0;
	if (fresh) {
		edge->owner = *owner;
		edge->whole = 1;
	}
	UNIX_ADD(edge->adopted, 1);
	return 0;
}

static __noinline int found_client(struct bpf_iter__task_file *ctx, struct task_struct *task,
				   struct sock *sk, __u16 type)
{
	struct unix_sock *u = (struct unix_sock *)sk;
	struct unix_sock *peer = (struct unix_sock *)BPF_CORE_READ(u, peer);
	struct unix_client *client;
	struct owner owner = {};
	struct unix_text text;
	__u64 hash[2] = {};

	if (!peer || hung_up(sk) || !is_client(u, peer, type) || !read_bound(&text, hash, peer))
		return 0;
	if (!whose(&owner, sk, ctx, task))
		return 0;
	client = bpf_sk_storage_get(&unix_clients, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!client || client->connected)
		return 0;
	client->key.name.hash[0] = hash[0];
	client->key.name.hash[1] = hash[1];
	return adopt_connection(sk, task, &owner, client, &text);
}

static __always_inline bool serves(struct sock *sk, __u16 type)
{
	if (type == SOCK_DGRAM)
		return !BPF_CORE_READ((struct unix_sock *)sk, peer);
	return BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN;
}

static __noinline int found_server(struct bpf_iter__task_file *ctx, struct task_struct *task,
				   struct sock *sk, __u16 type)
{
	struct unix_sock *u = (struct unix_sock *)sk;
	struct inode___unix *inode = file_of(&u->path);
	struct unix_socket s = { .type = type };
	struct unix_text text;
	__u64 hash[2] = {};

	if (!read_bound(&text, hash, u))
		return 0;
	s.sk = (__u64)sk;
	s.cookie = bpf_get_socket_cookie(sk);
	if (inode) {
		s.file_ino = BPF_CORE_READ(inode, i_ino);
		s.file_dev = BPF_CORE_READ(inode, i_sb, s_dev);
	}
	s.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	s.mntns = BPF_CORE_READ((struct task_struct___unix *)task, nsproxy, mnt_ns, ns.inum);
	s.len = text.len;
	task_owner(&s.owner, task);
	__builtin_memcpy(s.text, text.word, UNIX_TEXT);
	bpf_seq_write(ctx->meta->seq, &s, sizeof(s));
	return 0;
}

SEC("iter/task_file")
int scan_unix(struct bpf_iter__task_file *ctx)
{
	struct sock *sk = open_socket(ctx);
	struct task_struct *task = ctx->task;
	__u16 type;

	if (!sk || !task || sk->__sk_common.skc_family != AF_UNIX)
		return 0;
	type = BPF_CORE_READ((struct sock___unix *)sk, sk_type);
	if (!serves(sk, type) && adopt)
		found_client(ctx, task, sk, type);
	else if (serves(sk, type) && !again)
		found_server(ctx, task, sk, type);
	return 0;
}

struct bpf_iter__bpf_sk_storage_map {
	struct bpf_iter_meta *meta;
	void *map;
	struct sock *sk;
	void *value;
} __attribute__((preserve_access_index));

SEC("iter/bpf_sk_storage_map")
int scan_clients(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct sock *sk = ctx->sk;
	struct unix_client *client = ctx->value;
	struct unix_open open = {};

	if (!sk || !client)
		return 0;
	open.key = client->key;
	open.open = client->connected && BPF_CORE_READ((struct unix_sock *)sk, peer) &&
		    !hung_up(sk);
	if (open.open)
		bpf_seq_write(ctx->meta->seq, &open, sizeof(open));
	open.open = 0;
	for (int i = 0; i < UNIX_RECENT; i++) {
		open.key.name = client->sent[i].name;
		open.last_ns = client->sent[i].last_ns;
		if (open.last_ns)
			bpf_seq_write(ctx->meta->seq, &open, sizeof(open));
	}
	return 0;
}

/* Whether a socket that served still does: no process may hold it for a moment, on its way to another. */
SEC("syscall")
int still_serves(struct unix_question *q)
{
	struct sock *sk = (void *)q->sk;

	q->answer = cookie_of(sk) == q->cookie &&
		    !(BPF_CORE_READ(sk, __sk_common.skc_flags) & 1UL << SOCK_DEAD) &&
		    (q->type == SOCK_DGRAM ||
		     BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN);
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct names);
} unix_where SEC(".maps");

/*
 * Where the file of a socket is, which may have been renamed since it was bound, or bound from a
 * directory where the process is no more. Answers with the length of what is then in unix_where.
 */
SEC("syscall")
int where_bound(struct unix_question *q)
{
	struct unix_sock *u = (void *)q->sk;
	__u32 zero = 0;
	struct names *names = bpf_map_lookup_elem(&unix_where, &zero);

	q->answer = 0;
	if (names && cookie_of((struct sock *)u) == q->cookie)
		q->answer = walk_path(names->text, &u->path);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
