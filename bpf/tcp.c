//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * TCP, from the one tracepoint that sees every state change of every socket in
 * every network namespace. Connections are folded into edges here; user space
 * hears of a new listener, an ended one and the first connection of an edge.
 *
 * Only CLOSE->SYN_SENT and CLOSE->LISTEN run in the context of the process that
 * asked. Everywhere else `current` is whatever the interrupt hit, so the owner
 * is what the socket carries: a child clones it from its listener.
 *
 * The kernel does not run a program again on a CPU that is inside it: a state
 * change in an interrupt that hits a connect() would be lost, about one in ten
 * thousand at full rate. So the program is there twice. An interrupt finds a CPU
 * inside one of them at most, and the other runs. Every step moves the role that
 * the socket carries, so that the second of two runs finds nothing to do.
 */
#include "sockets.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

#define SECOND 1000000000ULL

__u64 full_reported_ns;

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

static __always_inline void current_owner(struct owner *owner, struct sock *sk)
{
	struct task_struct *task = bpf_get_current_task_btf();

	owner->cgroup = bpf_get_current_cgroup_id();
	if (task->flags & PF_KTHREAD ||
	    (BPF_CORE_READ_BITFIELD(sk, sk_kern_sock) && !is_subflow(bpf_skc_to_tcp_sock(sk)))) {
		kernel_owner(owner);
		return;
	}
	__u64 ids = bpf_get_current_uid_gid();

	owner->uid = ids;
	owner->gid = ids >> 32;
	owner->tgid = task->tgid;
	owner->start_ns = task->group_leader->start_boottime;
	bpf_get_current_comm(owner->comm, sizeof(owner->comm));

	struct mm_struct *mm = task->mm;
	if (!mm)
		return;
	struct file *exe = mm->exe_file;
	if (!exe)
		return;
	owner->exe_ino = exe->f_inode->i_ino;
	owner->exe_dev = exe->f_inode->i_sb->s_dev;
}

/* Path, directory and command line of the current process, for a rare event. */
static __always_inline void describe_current(struct event *event)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	event->exe_len = event->cwd_len = event->args_len = 0;
	if (!mm || event->listener.owner.kind != OWNER_PROCESS)
		return;
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

static __always_inline void on_listen(struct sock *sk)
{
	struct counters *c = count();
	struct listener l = { .started_ns = bpf_ktime_get_ns() };
	struct sock_state state = { .role = ROLE_LISTENER };
	__u64 cookie = bpf_get_socket_cookie(sk);

	if (bpf_map_lookup_elem(&listeners, &cookie))
		return;
	COUNT(c, listen);
	current_owner(&l.owner, sk);
	describe_listener(&l, sk);
	state.owner = l.owner;

	struct sock_state *st = bpf_sk_storage_get(&sock_states, sk, &state,
						   BPF_SK_STORAGE_GET_F_CREATE);
	if (st)
		*st = state;
	else
		COUNT(c, storage_failed);
	if (bpf_map_update_elem(&listeners, &cookie, &l, BPF_ANY))
		COUNT(c, listeners_full);

	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		COUNT(c, ring_full);
		return;
	}
	event->kind = EVENT_LISTEN;
	event->cookie = cookie;
	event->listener = l;
	describe_current(event);
	bpf_ringbuf_submit(event, 0);
}

static __always_inline void on_unlisten(struct sock *sk)
{
	struct counters *c = count();
	__u64 cookie = bpf_get_socket_cookie(sk);

	if (bpf_map_delete_elem(&listeners, &cookie))
		return;
	COUNT(c, unlisten);
	report(EVENT_UNLISTEN, cookie, NULL);
}

/*
 * Wakes user space, which makes room. Should two CPUs do so at once, nothing is lost.
 */
static __always_inline void no_room(struct counters *c, __u64 now)
{
	COUNT(c, edges_full);
	if (now - full_reported_ns < SECOND)
		return;
	full_reported_ns = now;
	report(EVENT_FULL, 0, NULL);
}

static __always_inline void on_connect(struct sock *sk)
{
	struct counters *c = count();
	struct sock_state state = { .role = ROLE_CLIENT };
	__u64 now = bpf_ktime_get_ns();
	bool fresh = false;

	struct sock_state *st = bpf_sk_storage_get(&sock_states, sk, 0, 0);
	if (st && (st->role == ROLE_CLIENT || st->role == ROLE_UNCOUNTED))
		return;
	COUNT(c, connect);
	current_owner(&state.owner, sk);
	edge_owner(&state.key, &state.owner);
	state.key.netns = sk->__sk_common.skc_net.net->ns.inum;
	peer_address(state.key.peer, sk);
	local_address(state.key.local, sk);
	state.key.port = bpf_ntohs(sk->__sk_common.skc_dport);
	state.key.proto = IPPROTO_TCP;
	state.key.direction = DIR_OUT;

	if (st) {
		*st = state; /* connected again, or was a listener */
	} else {
		st = bpf_sk_storage_get(&sock_states, sk, &state, BPF_SK_STORAGE_GET_F_CREATE);
	}
	if (!st) {
		COUNT(c, storage_failed);
		return;
	}
	struct edge *edge = edge_of(&state.key, &state.owner, now, &fresh);
	if (!edge) {
		st->role = ROLE_UNCOUNTED;
		no_room(c, now);
		return;
	}
	ADD(edge->attempts, 1);
	edge->last_ns = now;
	edge->owner.tgid = state.owner.tgid;
	edge->owner.start_ns = state.owner.start_ns;
	if (fresh)
		report_edge(&state.key, &state.owner, true);
}

static __always_inline void on_accepted(struct sock *sk, struct sock_state *st, struct counters *c)
{
	__u64 now = bpf_ktime_get_ns();
	bool fresh = false;

	COUNT(c, accepted);
	edge_owner(&st->key, &st->owner);
	st->key.netns = sk->__sk_common.skc_net.net->ns.inum;
	peer_address(st->key.peer, sk);
	local_address(st->key.local, sk);
	st->key.port = sk->__sk_common.skc_num;
	st->key.proto = IPPROTO_TCP;
	st->key.direction = DIR_IN;

	struct edge *edge = edge_of(&st->key, &st->owner, now, &fresh);
	if (!edge) {
		st->role = ROLE_UNCOUNTED;
		no_room(c, now);
		return;
	}
	st->role = ROLE_COUNTED;
	ADD(edge->connections, 1);
	edge->last_ns = now;
	if (fresh)
		report_edge(&st->key, &st->owner, false);
}

static __always_inline void on_established(struct sock *sk, bool again)
{
	struct counters *c = count();
	struct sock_state *st = bpf_sk_storage_get(&sock_states, sk, 0, 0);

	if (!st) {
		if (!again)
			COUNT(c, unattributed);
		return;
	}
	if (st->role == ROLE_LISTENER) {
		on_accepted(sk, st, c);
		return;
	}
	if (st->role != ROLE_CLIENT)
		return;
	COUNT(c, established);
	st->role = ROLE_COUNTED;

	struct edge *edge = bpf_map_lookup_elem(&edges, &st->key);
	if (edge)
		ADD(edge->connections, 1);
	else
		COUNT(c, edge_lost);
}

static __always_inline void count_failure(struct edge *edge, int err)
{
	switch (err < 0 ? -err : err) {
	case ECONNREFUSED:
		ADD(edge->refused, 1);
		break;
	case ETIMEDOUT:
		ADD(edge->timed_out, 1);
		break;
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
		ADD(edge->unreachable, 1);
		break;
	default:
		ADD(edge->aborted, 1);
	}
}

static __always_inline void count_close(struct edge *edge, struct sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	ADD(edge->closed, 1);
	if (!tp)
		return;
	if (tp->bytes_acked)
		ADD(edge->bytes_sent, tp->bytes_acked);
	if (tp->bytes_received)
		ADD(edge->bytes_received, tp->bytes_received);
	if (tp->total_retrans)
		ADD(edge->retransmits, tp->total_retrans);
	ADD(edge->rtt_us, tp->srtt_us >> 3);
}

static __always_inline void on_close(struct sock *sk, bool again)
{
	struct counters *c = count();
	struct sock_state *st = bpf_sk_storage_get(&sock_states, sk, 0, 0);

	if (!st) {
		if (!again)
			COUNT(c, unattributed_closed);
		return;
	}
	__u32 role = st->role;

	st->role = ROLE_NONE;
	if (role == ROLE_LISTENER) {
		COUNT(c, handshake_aborted);
		return;
	}
	if (role == ROLE_NONE || role == ROLE_UNCOUNTED)
		return;
	struct edge *edge = bpf_map_lookup_elem(&edges, &st->key);
	if (!edge) {
		COUNT(c, edge_lost);
		return;
	}
	edge->last_ns = bpf_ktime_get_ns();
	if (role == ROLE_CLIENT) {
		COUNT(c, failed);
		if (!(edge->refused | edge->timed_out | edge->unreachable | edge->aborted))
			report(EVENT_FAILED, 0, &st->key);
		count_failure(edge, sk->sk_err);
	} else {
		COUNT(c, closed);
		count_close(edge, sk);
	}
}

static __always_inline int on_state(struct sock *sk, int oldstate, int newstate, bool again)
{
	switch (newstate) {
	case TCP_SYN_SENT:
	case TCP_ESTABLISHED:
	case TCP_CLOSE:
	case TCP_LISTEN:
		break;
	default:
		return 0;
	}
	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (newstate == TCP_SYN_SENT)
		on_connect(sk);
	else if (newstate == TCP_ESTABLISHED)
		on_established(sk, again);
	else if (newstate == TCP_LISTEN)
		on_listen(sk);
	else if (oldstate == TCP_LISTEN)
		on_unlisten(sk);
	else
		on_close(sk, again);
	return 0;
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tcp_state, struct sock *sk, int oldstate, int newstate)
{
	return on_state(sk, oldstate, newstate, false);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(tcp_state_again, struct sock *sk, int oldstate, int newstate)
{
	return on_state(sk, oldstate, newstate, true);
}

/* Kept in BTF for bpf2go. */
const struct event *unused_event __attribute__((unused));
const struct owner *unused_owner __attribute__((unused));
const enum event_kind *unused_kind __attribute__((unused));
const enum owner_kind *unused_owner_kind __attribute__((unused));
const enum direction *unused_direction __attribute__((unused));

char LICENSE[] SEC("license") = "Dual BSD/GPL";
