// Package transport carries the datagrams of rings (model/wire) over UDP, for agent and
// manager alike: it seals, opens, refuses what is forged or repeated, counts all of it,
// and hears from kernels whether an address answers (ICMP echo) or nothing listens there
// (ICMP port unreachable, by the socket's error queue).
package transport

import (
	"net/netip"

	"cassini/model"
	"cassini/model/wire"
)

// Handler is told what came. It is called by Run alone, one call at a time.
type Handler interface {
	// Receive takes a control datagram; from is the sender that the seal proves, the
	// address that it came from and its incarnation.
	Receive(ring model.RingID, from model.RingMember, m wire.Message)
	// Refused: nothing listens at the address, its kernel says.
	Refused(addr netip.AddrPort)
	// Echoed: the kernel of the address answered a Ping.
	Echoed(addr netip.Addr)
	// Reflected: a member's kernel says how far its agent is.
	Reflected(r Reflection)
}

// Outcomes of datagrams that came, keys of Counters.
const (
	Taken      = "taken"
	Filtered   = "filtered" // for a reflector, and none is there
	Truncated  = "truncated"
	Malformed  = "malformed"
	UnknownSet = "unknown-set"
	UnknownKey = "unknown-key"
	Forged     = "forged"
	Replayed   = "replayed"
	Limited    = "limited"
)
