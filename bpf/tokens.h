/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A token bucket, in the one number that it needs: when it will be full again.
 */
#ifndef CASSINI_TOKENS_H
#define CASSINI_TOKENS_H

#include "kernel.h"

/*
 * Takes one of burst tokens, of which one comes back each refill nanoseconds. Two CPUs at
 * once may take one more: it is a limit, not an account.
 */
static __always_inline bool take(volatile __u64 *full_at_ns, __u64 burst, __u64 refill)
{
	__u64 now = bpf_ktime_get_ns(), from = *full_at_ns;

	if (from < now)
		from = now;
	if (from - now > (burst - 1) * refill)
		return false;
	*full_at_ns = from + refill;
	return true;
}

#endif
