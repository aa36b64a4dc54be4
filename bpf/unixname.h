/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Names of Unix-domain sockets, read and told apart. For unix.h. */
#ifndef CASSINI_UNIXNAME_H
#define CASSINI_UNIXNAME_H

/* What a bound name, or one that is dialled, consists of. */
struct unix_text {
	__u64 word[UNIX_TEXT / 8];
	__u32 len;
	__u32 pad;
};

struct unix_hash {
	__u64 word[2];
};

#define UNIX_ABSTRACT(text) (!*(const __u8 *)(text)->word)

/* Steps like those of FNV, a word at a time, with what they leave in the high bits. */
static __always_inline void mix_in(__u64 hash[2], __u64 word)
{
	hash[0] = (hash[0] ^ word) * 0x9e3779b97f4a7c15ULL;
	hash[0] ^= hash[0] >> 32;
	hash[1] = (hash[1] + word) * 0xc4ceb9fe1a85ec53ULL;
	hash[1] ^= hash[1] >> 29;
}

/*
 * The bytes of a word before its first zero, as a mask: all of them if there is none. See
 * Mycroft's test for a zero byte (Warren, Hacker's Delight, 6-1).
 */
static __always_inline __u64 before_zero(__u64 word)
{
	__u64 zero = (word - 0x0101010101010101ULL) & ~word & 0x8080808080808080ULL;

	return ((zero & -zero) >> 7) - 1;
}

/* How many bytes a mask has: one bit of each, summed up in the highest byte. */
static __always_inline __u32 bytes_in(__u64 mask)
{
	return (mask & 0x0101010101010101ULL) * 0x0101010101010101ULL >> 56;
}

/*
 * Cuts a name to its length and hashes it. Behind the NUL of a path anything may stand; an
 * abstract name is all of its bytes. A global function: the verifier looks at it once, and
 * not at each length again.
 */
__noinline int cut_name(struct unix_text *text, struct unix_hash *hash)
{
	bool abstract, ended = false;
	__u32 size;

	if (!text || !hash)
		return 0;
	abstract = UNIX_ABSTRACT(text);
	size = text->len;
	for (int i = 0; i < UNIX_TEXT / 8; i++) {
		int left = size - i * 8;
		__u64 mask = ~0ULL;

		if (ended || left <= 0) {
			text->word[i] = 0;
			continue;
		}
		if (left < 8)
			text->word[i] &= (1ULL << left * 8) - 1;
		if (!abstract)
			mask = before_zero(text->word[i]);
		if (~mask) {
			text->word[i] &= mask;
			text->len = i * 8 + bytes_in(mask);
			if (text->len > size)
				text->len = size;
			ended = true;
		}
		mix_in(hash->word, text->word[i]);
	}
	return 0;
}

/* Reads a name from a struct sockaddr_un of size bytes, family included, and hashes it. */
static __always_inline bool read_name(struct unix_text *text, __u64 hash[2], const void *address,
				      int size)
{
	size -= 2;
	if (size <= 0 || size > UNIX_PATH_MAX)
		return false;
	text->word[UNIX_TEXT / 8 - 1] = 0;
	if (bpf_probe_read_kernel(text->word, UNIX_PATH_MAX, address + 2))
		return false;
	if (UNIX_ABSTRACT(text) && size < 2)
		return false;
	text->len = size;
	text->pad = 0;
	cut_name(text, (struct unix_hash *)hash);
	return true;
}

/*
 * What a name means that this task says to this socket. Both pointers are such that the
 * verifier lets them be followed; what does not exist reads as zero.
 */
static __always_inline void place_name(struct unix_name *name, const struct unix_text *text,
				       struct task_struct *task, struct sock *sk)
{
	struct task_struct___unix *t = (void *)task;

	if (UNIX_ABSTRACT(text)) {
		name->space = sk->__sk_common.skc_net.net->ns.inum;
		mix_in(name->hash, (__u64)text->len << 16 | ((struct sock___unix *)sk)->sk_type);
	} else {
		bool rooted = *(const __u8 *)text->word == '/';
		struct dentry___unix *base = rooted ? (void *)t->fs->root.dentry :
						      (void *)t->fs->pwd.dentry;

		name->space = t->nsproxy->mnt_ns->ns.inum;
		mix_in(name->hash, base->d_inode->i_ino);
	}
}

#endif
