/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Bytes over Unix-domain sockets, counted at the socket that dialled. */
#ifndef CASSINI_UNIXBYTES_H
#define CASSINI_UNIXBYTES_H

#include "unix.h"

#define MSG_PEEK 2 /* linux/socket.h */

/* The edge of a message: that to the name that it is sent to, or that of the connection. */
static __always_inline struct unix_edge *edge_of_message(struct unix_client *client, __u32 turned)
{
	struct unix_key key;

	if (!turned)
		return client->connected ? bpf_map_lookup_elem(&unix_edges, &client->key) : NULL;
	key = client->key;
	key.name = client->sent[(turned - 1) & (UNIX_RECENT - 1)].name;
	return bpf_map_lookup_elem(&unix_edges, &key);
}

/* A message was sent or received, of so many bytes, or was not: an error. */
static __always_inline int moved(struct sock *sk, int bytes, bool sent)
{
	struct unix_client *client;
	struct unix_edge *edge;
	__u32 turned = 0;

	if (!sk)
		return 0;
	client = bpf_sk_storage_get(&unix_clients, sk, NULL, 0);
	if (!client)
		return 0;
	if (sent) {
		turned = client->turned;
		client->turned = 0;
	}
	if (bytes <= 0)
		return 0;
	edge = edge_of_message(client, turned);
	if (edge && sent)
		UNIX_ADD(edge->bytes_sent, bytes);
	else if (edge)
		UNIX_ADD(edge->bytes_received, bytes);
	return 0;
}

#endif
