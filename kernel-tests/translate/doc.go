// Package translate tests what is told of translated connections, on the running kernel: a
// client, a router that translates by nftables, and two servers, each in a network
// namespace of its own. What conntrack(8) lists is the truth.
package translate
