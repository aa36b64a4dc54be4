// Package cdp reads what a neighbor says by the Cisco Discovery Protocol,
// versions 1 and 2. There is no public standard: the fields are those that
// Cisco's documentation, Wireshark and lldpd agree upon.
//
// It is pure: bytes in, a model.Discovery out. It holds nothing, may be called by
// anyone at any time, never panics, and its work and memory are bounded by the
// length of what it is given.
package cdp
