// Package lldp reads what a neighbor says by IEEE 802.1AB-2016: the basic TLVs,
// those of IEEE 802.1 (annex D of 802.1Q), of IEEE 802.3 (clause 79) and of
// media endpoints (ANSI/TIA-1057).
//
// It is pure: bytes in, a model.Discovery out. It holds nothing, may be called by
// anyone at any time, never panics, and its work and memory are bounded by the
// length of what it is given.
package lldp
