/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Unix-domain sockets: what is kept of who dials which name, and what user space is
 * told. A name is a path or an abstract one. What it means depends on who says it: a
 * path on the mount namespace, the root and, if it is relative, the working directory;
 * an abstract name on the network namespace.
 */
#ifndef CASSINI_UNIX_H
#define CASSINI_UNIX_H

#include "process.h"

#define UNIX_PATH_MAX 108 /* uapi/linux/un.h */
#define UNIX_TEXT 112     /* that and more, in words of 8 bytes */
#define UNIX_RECENT 4     /* names that a datagram socket is known to have sent to */

/* linux/socket.h, linux/net.h, net/sock.h, uapi/linux/bpf.h */
enum {
	AF_UNIX = 1,
	SOCK_STREAM = 1,
	SOCK_DGRAM = 2,
	SOCK_DEAD = 0,
	SHUTDOWN_MASK = 3,
	S_IWUSR = 0200,
	S_IWOTH = 2,
	ENOENT = 2,
};

/* A name as it is meant where it is said, shortened to what tells it from all others. */
struct unix_name {
	__u64 hash[2];
	__u32 space; /* inode of the mount or network namespace */
	__u32 pad;
};

/* One edge: a program here, a name there. */
struct unix_key {
	__u64 cgroup;
	__u64 exe_ino;
	__u32 exe_dev;
	__u32 pad;
	struct unix_name name;
};

/* Times are CLOCK_MONOTONIC. */
struct unix_edge {
	__u64 attempts;
	__u64 reached; /* of attempts: somebody was there */
	__u64 unsure;  /* of attempts: user space has to find out */
	__u64 failed;  /* of attempts, for whatever reason: */
	__u64 refused;
	__u64 missing;
	__u64 adopted;        /* open before the programs were attached */
	__u64 bytes_sent;     /* by the client; both where unixbytes.c is attached */
	__u64 bytes_received; /* by the client */
	__u64 first_ns;
	__u64 last_ns;
	__u64 told_ns; /* when user space was last told of an unsure one */
	struct owner owner;
	__u64 file_ino; /* of the socket file that was reached, if that is known */
	__u32 file_dev;
	__u16 len; /* of text */
	__u16 type;
	__u32 whole; /* all that is above is there */
	__u32 pad;
	__u8 text[UNIX_TEXT];
};

/* The socket that answers to a name, as user space found it. */
struct unix_server {
	__u64 sk; /* its address */
	__u64 cookie;
	__u64 type;
};

/* A name that a datagram socket has sent to. */
struct unix_sent {
	__u64 said; /* hash of the name as it was said; 0: none */
	struct unix_name name;
	__u64 last_ns;
};

/* Kept with a socket that has dialled. */
struct unix_client {
	struct unix_key key; /* of the edge that it is connected on; without one, of who sends */
	struct unix_sent sent[UNIX_RECENT];
	__u32 next;   /* of sent */
	__u32 turned; /* to which of sent the message goes that is on its way, from 1; 0: to none */
	__u32 connected;
	__u32 pad;
};

enum unix_event_kind {
	UNIX_EVENT_EDGE = 1,   /* the first attempt of an edge */
	UNIX_EVENT_UNSURE = 2, /* user space has to find out what became of an attempt */
	UNIX_EVENT_FULL = 3,   /* no room for an edge; at most once a second */
	UNIX_EVENT_LISTEN = 4, /* somebody listens, or did */
};

/* image is there with UNIX_EVENT_EDGE only; of it, key and cookie are not used. */
struct unix_event {
	__u32 kind;
	__u32 tgid;
	struct unix_key key;
	struct event image;
};

/* One per CPU. */
struct unix_counters {
	__u64 ring_full;    /* events that found no room; user space reads the map instead */
	__u64 edges_full;   /* attempts whose edge found no room */
	__u64 clients_full; /* sockets that nothing could be kept with */
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sk_buff_head___unix {
	__u32 qlen;
};

struct sock___unix {
	struct sk_buff_head___unix sk_receive_queue;
	u16 sk_type;
	u8 sk_shutdown;
	u32 sk_max_ack_backlog;
};

struct sockaddr_un {
	u16 sun_family;
};

struct unix_address {
	int len;
	struct sockaddr_un name[0];
};

struct unix_sock {
	struct sock sk;
	struct unix_address *addr;
	struct path path;
	struct sock *peer;
};

struct inode___unix {
	kuid_t i_uid;
	unsigned long i_ino;
	u32 i_nlink;
	u16 i_mode;
	struct super_block *i_sb;
};

struct dentry___unix {
	struct inode___unix *d_inode;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct nsproxy {
	struct mnt_namespace *mnt_ns;
	struct net *net_ns;
};

struct fs_struct___unix {
	struct path root;
	struct path pwd;
};

struct task_struct___unix {
	struct nsproxy *nsproxy;
	struct fs_struct___unix *fs;
};

#pragma clang attribute pop

/* Edges; user space forgets idle ones in time. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 8192);
	__type(key, struct unix_key);
	__type(value, struct unix_edge);
} unix_edges SEC(".maps");

/* What a new edge begins as: it is too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct unix_edge);
} unix_empty SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 8192);
	__type(key, struct unix_name);
	__type(value, struct unix_server);
} unix_servers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct unix_client);
} unix_clients SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} unix_events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct unix_counters);
} unix_counts SEC(".maps");

/* When user space was last told that there is no room. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} unix_full SEC(".maps");

#define UNIX_ADD(field, n) __sync_fetch_and_add(&(field), (n))
#define UNIX_COUNT(field)                                                                          \
	do {                                                                                       \
		__u32 first = 0;                                                                   \
		struct unix_counters *counted = bpf_map_lookup_elem(&unix_counts, &first);         \
		if (counted)                                                                       \
			UNIX_ADD(counted->field, 1);                                               \
	} while (0)

#include "unixname.h"

/* Go has the numbers from here. */
const enum unix_event_kind *shape_of_kind __attribute__((unused));

/* Tells user space; with owner, of the current process too. */
static __always_inline void tell(enum unix_event_kind kind, const struct unix_key *key,
				 const struct owner *owner)
{
	struct unix_event *event = bpf_ringbuf_reserve(&unix_events, sizeof(*event), 0);

	if (!event) {
		UNIX_COUNT(ring_full);
		return;
	}
	event->kind = kind;
	event->tgid = bpf_get_current_pid_tgid() >> 32;
	if (key)
		event->key = *key;
	event->image.exe_len = event->image.cwd_len = event->image.args_len = 0;
	if (owner) {
		event->image.listener.owner = *owner;
		describe_current(&event->image);
	}
	bpf_ringbuf_submit(event, 0);
}

#define SECOND 1000000000ULL
/* Between two words to user space about one edge. */
#define TELL_AGAIN (SECOND / 10)

static __always_inline void no_room_for_edge(void)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 zero = 0;
	__u64 *told = bpf_map_lookup_elem(&unix_full, &zero);

	UNIX_COUNT(edges_full);
	if (!told || now - *told < SECOND)
		return;
	*told = now;
	tell(UNIX_EVENT_FULL, NULL, NULL);
}

/*
 * Makes an edge; *fresh says that it was made here, and that the caller fills its owner
 * and says when it is whole. NULL: there is no room.
 */
static __always_inline struct unix_edge *
make_unix_edge(const struct unix_key *key, const struct unix_text *text, __u16 type, bool *fresh)
{
	struct unix_edge *edge;
	__u32 zero = 0;
	void *empty = bpf_map_lookup_elem(&unix_empty, &zero);

	if (!empty)
		return NULL;
	*fresh = !bpf_map_update_elem(&unix_edges, key, empty, BPF_NOEXIST);
	edge = bpf_map_lookup_elem(&unix_edges, key);
	if (!edge) {
		no_room_for_edge();
		return NULL;
	}
	if (*fresh) {
		edge->first_ns = edge->last_ns = edge->told_ns = bpf_ktime_get_ns();
		edge->len = text->len;
		edge->type = type;
		__builtin_memcpy(edge->text, text->word, UNIX_TEXT);
	}
	return edge;
}

/* That of the current program's first attempt at a name. */
static __always_inline struct unix_edge *
first_unix_edge(const struct unix_key *key, const struct unix_text *text, __u16 type, bool *fresh)
{
	struct unix_edge *edge = make_unix_edge(key, text, type, fresh);

	if (edge && *fresh) {
		current_owner(&edge->owner, bpf_get_current_task_btf()->flags & PF_KTHREAD);
		edge->whole = 1;
	}
	return edge;
}

/* Which of sent has this name, from 1; 0: none has. */
static __always_inline __u32 find_sent(const struct unix_client *client, __u64 said)
{
	for (int i = 0; i < UNIX_RECENT; i++)
		if (client->sent[i].said == said)
			return i + 1;
	return 0;
}

/* A datagram goes to a name that was sent to before. */
static __always_inline void send_again(struct unix_client *client, __u32 turned, __u64 now)
{
	client->turned = turned;
	client->sent[(turned - 1) & (UNIX_RECENT - 1)].last_ns = now;
}

/* One goes to a name for the first time, or so long after that it was forgotten. */
static __always_inline void send_first(struct unix_client *client, const struct unix_key *key,
				       __u64 said, __u64 now)
{
	__u32 slot = client->next++ & (UNIX_RECENT - 1);

	if (!client->connected)
		client->key = *key;
	client->sent[slot].said = said;
	client->sent[slot].name = key->name;
	send_again(client, slot + 1, now);
}

/* Kept with a socket of the current process that dials; NULL: there is no room. */
static __always_inline struct unix_client *unix_client_of(void *sk)
{
	struct unix_client *client = bpf_sk_storage_get(&unix_clients, sk, NULL,
							BPF_SK_STORAGE_GET_F_CREATE);

	if (!client)
		UNIX_COUNT(clients_full);
	return client;
}

#endif
