// Package heartbeat makes this host a member of its rings: it runs the state machine of
// package member on a UDP socket, with a watch of the neighbors' heartbeats in the kernel
// where that has timers for programs, and keeps on disk what a later life needs.
//
//	watch ----\                    /-> transport (UDP, ICMP echo)
//	transport --> loop: member -->
//	manager --/                    \-> outbox (verdicts)
package heartbeat
