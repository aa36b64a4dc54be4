/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the kernel side and Go share. bpf2go turns these into Go types; a test
 * compares the sizes.
 */
#ifndef CASSINI_SHARED_H
#define CASSINI_SHARED_H

#define PATH_SIZE 512 /* bytes of an executable's or working directory's path */
#define ARGS_SIZE 512 /* bytes of a command line */
#define PATH_DEPTH 32 /* components of a path */

enum direction {
	DIR_UNKNOWN = 0,
	DIR_OUT = 1,
	DIR_IN = 2,
};

/*
 * One edge: a program here, an address there, one service port. Addresses are 16
 * bytes, IPv4 as ::ffff:a.b.c.d. The client's port is not part of it. For
 * DIR_UNKNOWN port is the local one.
 */
struct edge_key {
	__u64 cgroup; /* id of the cgroup v2 */
	__u64 exe_ino;
	__u32 exe_dev;
	__u32 netns;
	__u8 peer[16];
	__u8 local[16];
	__u16 port; /* host byte order */
	__u8 proto;
	__u8 direction;
	__u32 scope; /* index of the interface on whose link a link-local peer is; 0 of others */
};

enum owner_kind {
	OWNER_PROCESS = 0,
	OWNER_KERNEL = 1,  /* the kernel itself: NFS, iSCSI, ... */
	OWNER_UNKNOWN = 2, /* a process that could not be told; uid is the socket's */
};

/* Who a socket belongs to, as the kernel knows it. */
struct owner {
	__u64 cgroup;
	__u64 exe_ino;
	__u64 start_ns; /* of the process, CLOCK_BOOTTIME */
	__u32 exe_dev;
	__u32 tgid;
	__u32 uid;
	__u32 gid;
	__u32 kind; /* enum owner_kind */
	__u32 pad;
	__u8 comm[16];
};

/* What a key of an edge does not tell of an owner. */
struct sample {
	__u64 start_ns;
	__u32 tgid;
	__u32 uid;
	__u32 gid;
	__u32 kind; /* enum owner_kind */
	__u8 comm[16];
};

#define RTT_BUCKETS 20
#define LIFETIME_BUCKETS 28

/*
 * A count of one bucket in little room: most edges have few buckets that count anything.
 * The bucket is that of round-trip times, from 1 on, or behind these that of lifetimes; 0: the
 * cell is free.
 */
#define CELLS 7
#define CELL_BITS 26 /* of the count; the bucket is above */
#define CELL_COUNT ((1U << CELL_BITS) - 1)
#define CELL_FULL (1U << (CELL_BITS - 1)) /* far from where it would run over */

/* Everything counted of one edge. Times are CLOCK_MONOTONIC. */
struct edge {
	__u64 attempts;
	__u64 connections;
	__u64 adopted; /* open before the program was attached */
	__u64 refused;
	__u64 timed_out;
	__u64 unreachable;
	__u64 aborted;
	__u64 closed; /* of connections + adopted */
	__u64 bytes_sent;
	__u64 bytes_received;
	union {
		__u64 retransmits;
		__u64 datagrams_sent; /* of UDP, as what follows */
	};
	union {
		__u64 rtt_us; /* sum over closed of the smoothed round-trip time */
		__u64 datagrams_received;
	};
	__u64 first_ns;
	__u64 last_ns;
	struct sample owner; /* of the latest connect, of the listener for DIR_IN */
	struct edge_key key;
	__u32 life;    /* how many edges had this place before */
	__u32 waiting; /* UDP sockets that are connected, of which nothing tells that they are used */
	__u8 used;
	__u8 wide;          /* more of how it fared is in a struct health */
	__u16 failed_in;    /* the minute in which a failure was reported last */
	__u32 cells[CELLS]; /* the rest of it is here */
	/* What adopted connections had moved before; part of what they add when they close. */
	__u64 adopted_sent;
	__u64 adopted_received;
	__u64 adopted_retransmits;
};

/* What one open connection has moved so far. */
struct traffic {
	__u32 edge; /* place in the edges' array ... */
	__u32 life; /* ... and whose it is */
	__u64 sent; /* bytes that the peer acknowledged */
	__u64 received;
	__u64 last_ns; /* when a packet came or went, CLOCK_MONOTONIC */
	__u32 retransmits;
	__u32 rtt_us;   /* smoothed */
	__u64 start_us; /* when it was established, CLOCK_MONOTONIC; 0: not known */
};

/*
 * How the connections of an edge fared that have closed: smoothed round-trip times
 * and lifetimes, each in buckets that end at powers of two of a microsecond (health.h). What
 * an edge's cells have no room for is counted here. The counts run over; user space is told
 * in time.
 */
struct health {
	__u32 rtt[RTT_BUCKETS];
	__u32 lifetime[LIFETIME_BUCKETS];
};

struct listener {
	struct owner owner;
	__u64 started_ns; /* CLOCK_MONOTONIC; 0: before the program was attached */
	__u8 addr[16];
	__u32 netns;
	__u16 port;
	__u8 dual_stack;
	__u8 scanned; /* found by the bootstrap */
	__u8 proto;
	__u8 many; /* a socket of SCTP that has its associations itself: nobody accepts them */
	__u8 asks; /* a socket of UDP that sent to somebody, and that nobody has asked anything */
	__u8 pad;
	__u32 ifindex; /* of the only interface that it hears; 0: of every one */
};

enum event_kind {
	EVENT_LISTEN = 1,
	EVENT_UNLISTEN = 2,
	EVENT_EDGE = 3,   /* the first connection of an edge */
	EVENT_FAILED = 4, /* a failure of an edge, the first of a minute */
	EVENT_FULL = 5,   /* no room for an edge; at most once a second */
	EVENT_HEARD = 6,  /* the first sign that a connected UDP socket of an edge is used */
	EVENT_MANY = 7,   /* a count of an edge's health went half of the way round */
};

/* exe and cwd hold names from the leaf up to the root, each with its NUL. */
struct event {
	__u32 kind;
	__u16 exe_len;
	__u16 cwd_len;
	__u32 args_len;
	__u32 pad;
	__u64 cookie; /* of the listening socket */
	struct edge_key key;
	struct listener listener;
	__u8 exe[PATH_SIZE];
	__u8 cwd[PATH_SIZE];
	__u8 args[ARGS_SIZE];
};

/* One for all CPUs. */
struct table_state {
	__u64 edges;      /* places of the edges' array that were ever taken */
	__u64 overflow;   /* connections in the overflow */
	__u64 full_at_ns; /* when user space was last told that there is no room */
};

/* One per CPU. What could not be kept, and what no edge counts. */
struct counters {
	__u64 listen;
	__u64 unlisten;
	__u64 ring_full;      /* events that found no room; user space reads the maps instead */
	__u64 edges_full;     /* connections whose edge found no room: not counted anywhere else */
	__u64 udp_edges_full; /* UDP flows, likewise: UDP has its share of the edges */
	__u64 listeners_full; /* listeners that found no room */
	__u64 sockets_full;   /* connections that found no room: not counted anywhere else */
	__u64 unattributed;   /* established, of a socket that was not known */
	__u64 unattributed_closed; /* closed, likewise: before the bootstrap reached it */
	__u64 edge_lost;           /* closes whose edge was not found: evicted meanwhile */
	__u64 handshake_aborted;   /* inbound, ended before it was established */
	__u64 stale;       /* sockets whose end was not seen until their memory was used again */
	__u64 flows_full;  /* UDP flows that were forgotten early: they may be counted again */
	__u64 peers_full;  /* UDP flows with peers beyond the bound of a socket: no edge has them */
	__u64 stray;       /* UDP flows that nobody asked for, at a socket that serves nobody */
	__u64 bytes_lost;  /* UDP datagrams whose bytes were not added to their edge */
	__u64 to_all;      /* datagrams to a multicast or broadcast address: no edge has them */
	__u64 health_full; /* closes of which an edge's health does not tell: no memory */
	__u64 associations_full; /* of SCTP, that found no room: their end is not counted */
	/* The change that the first copy of the program saw last, so that the second need not look. */
	__u64 last_sk;
	__u64 last_state;
	__u64 sk; /* of id_of() */
};

#endif
