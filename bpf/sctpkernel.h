/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The types of the kernel's SCTP, cut down as in kernel.h. */
#ifndef CASSINI_SCTPKERNEL_H
#define CASSINI_SCTPKERNEL_H

#include "kernel.h"

/* net/sctp/constants.h, uapi/linux/sctp.h */
enum sctp_state {
	SCTP_STATE_CLOSED = 0,
	SCTP_STATE_COOKIE_WAIT = 1,
	SCTP_STATE_COOKIE_ECHOED = 2,
};

/* Of a chunk with a message in it, or a part of one: linux/sctp.h. */
enum {
	SCTP_CID_I_DATA = 0x40,
	DATA_HEADERS = 16,
	I_DATA_HEADERS = 20,
};

enum {
	SCTP_ERROR_USER_ABORT = 0x0c, /* in network byte order */
};

/* uapi/linux/in.h, in6.h: union sctp_addr, as much of it as is an address. */
struct socket_address {
	__u16 family;
	__be16 port;
	__be32 v4; /* flow information of IPv6 */
	__u8 v6[16];
	__u32 scope;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next;
};

struct hlist_node {
	struct hlist_node **pprev; /* NULL: it is in no list */
};

union sctp_addr {
	__u16 sa_family;
};

struct sctp_association;

struct sctp_chunkhdr {
	__u8 type;
	__be16 length;
};

struct sctp_datahdr {
	__be32 tsn;
};

struct sctp_chunk {
	union {
		struct sctp_datahdr *data_hdr;
	} subh;
	struct sctp_chunkhdr *chunk_hdr;
	struct sctp_association *asoc;
	union sctp_addr dest;
	__u16 has_tsn : 1;
};

struct sctp_inq {
	struct sctp_chunk *in_progress;
};

struct sctp_bind_addr {
	__u16 port;
};

struct sctp_ep_common {
	bool dead;
	struct sock *sk;
	struct sctp_inq inqueue;
	struct sctp_bind_addr bind_addr;
};

struct sctp_endpoint {
	struct sctp_ep_common base;
	struct list_head asocs;
	struct hlist_node node;
};

/* Before Linux 6.2. */
struct sctp_ep_common___old {
	struct hlist_node node;
};

struct sctp_endpoint___old {
	struct sctp_ep_common___old base;
};

struct sctp_sock {
	struct inet_sock inet;
	struct sctp_endpoint *ep;
};

struct sctp_transport {
	union sctp_addr saddr;
};

struct sctp_cookie {
	__u32 my_vtag;
	__u32 peer_vtag;
	__s64 expiration;
};

struct sctp_outq {
	struct sctp_association *asoc;
	unsigned int error;
};

struct sctp_priv_assoc_stats {
	__u64 rtxchunks;
	__u64 ictrlchunks;
};

struct sctp_association {
	struct sctp_ep_common base;
	struct list_head asocs;
	struct sctp_cookie c;
	struct {
		__u16 port;
		struct sctp_transport *primary_path;
		union sctp_addr primary_addr;
		void *cookie;
	} peer;
	enum sctp_state state;
	int max_init_attempts;
	__u32 next_tsn;
	__u32 ctsn_ack_point;
	__u16 init_err_counter;
	struct sctp_outq outqueue;
	__u8 temp : 1;
	struct sctp_priv_assoc_stats stats;
};

#pragma clang attribute pop

#endif
