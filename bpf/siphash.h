/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012) of 32 bytes, which is what heartbeats need.
 */
#ifndef CASSINI_SIPHASH_H
#define CASSINI_SIPHASH_H

#include "kernel.h"

#define ROTL(x, n) ((x) << (n) | (x) >> (64 - (n)))
#define SIP_ROUND                                                                                  \
	do {                                                                                       \
		v0 += v1;                                                                          \
		v1 = ROTL(v1, 13) ^ v0;                                                            \
		v0 = ROTL(v0, 32);                                                                 \
		v2 += v3;                                                                          \
		v3 = ROTL(v3, 16) ^ v2;                                                            \
		v0 += v3;                                                                          \
		v3 = ROTL(v3, 21) ^ v0;                                                            \
		v2 += v1;                                                                          \
		v1 = ROTL(v1, 17) ^ v2;                                                            \
		v2 = ROTL(v2, 32);                                                                 \
	} while (0)
#define SIP_WORD(word)                                                                             \
	do {                                                                                       \
		__u64 m = (word);                                                                  \
		v3 ^= m;                                                                           \
		SIP_ROUND;                                                                         \
		SIP_ROUND;                                                                         \
		v0 ^= m;                                                                           \
	} while (0)

static __always_inline __u64 siphash32(const __u64 words[4], __u64 k0, __u64 k1)
{
	__u64 v0 = k0 ^ 0x736f6d6570736575ULL;
	__u64 v1 = k1 ^ 0x646f72616e646f6dULL;
	__u64 v2 = k0 ^ 0x6c7967656e657261ULL;
	__u64 v3 = k1 ^ 0x7465646279746573ULL;

	SIP_WORD(words[0]);
	SIP_WORD(words[1]);
	SIP_WORD(words[2]);
	SIP_WORD(words[3]);
	SIP_WORD(32ULL << 56);
	v2 ^= 0xff;
	SIP_ROUND;
	SIP_ROUND;
	SIP_ROUND;
	SIP_ROUND;
	return v0 ^ v1 ^ v2 ^ v3;
}

#endif
