//go:build ignore

// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * A bad cable: drops packets by chance, evenly or in runs. It is a Markov chain of two
 * states (Gilbert, 1960): each packet first throws the dice for the change of state, and
 * is dropped in the losing one.
 */
#include "kernel.h"

#define TCX_NEXT -1
#define TCX_DROP 2

/* uapi/linux/bpf.h; known to the kernel by its name */
struct bpf_spin_lock {
	__u32 val;
};

/* Chances are of 1 << 32. */
struct chain {
	struct bpf_spin_lock lock;
	__u32 losing;
	__u64 enter; /* the losing state */
	__u64 leave;
	__u64 seen;
	__u64 dropped;
	__u64 runs; /* of drops */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct chain);
} chains SEC(".maps");

SEC("tcx/ingress")
int drop_some(struct __sk_buff *skb)
{
	__u32 zero = 0, dice = bpf_get_prandom_u32(), losing;
	struct chain *c = bpf_map_lookup_elem(&chains, &zero);

	if (!c)
		return TCX_NEXT;
	bpf_spin_lock(&c->lock);
	losing = c->losing ? dice >= c->leave : dice < c->enter;
	c->seen++;
	c->dropped += losing;
	c->runs += losing && !c->losing;
	c->losing = losing;
	bpf_spin_unlock(&c->lock);
	return losing ? TCX_DROP : TCX_NEXT;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
