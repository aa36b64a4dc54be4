package model

import (
	"net/netip"
	"time"
)

// RingID names a ring: "switch:00:1b:fc:1b:a8:73", "subnet:10.0.0.0/24", "top/2".
// It has at most 64 bytes.
type RingID string

// Epoch numbers the plans of one ring. A member that has seen one refuses lower ones.
type Epoch uint64

// EpochLeap is how far at least the epochs of a manager leap that was put back to a backup:
// further than plans change by themselves.
const EpochLeap = 1 << 16

// Incarnation numbers the lives of one agent. It is kept on disk and only rises, so
// that a death certificate can never mean a later life.
type Incarnation uint64

// RingMember is one host as the members of its rings know it.
type RingMember struct {
	Host        string         `json:"host"` // at most 64 bytes
	Addr        netip.AddrPort `json:"addr"` // where it hears heartbeats, UDP
	Incarnation Incarnation    `json:"incarnation,omitempty"`
	// Zone is what fails as one: the edge switch, or the subnet where no switch is
	// known. At most 32 bytes.
	Zone string `json:"zone,omitempty"`
}

// Known says whether this is a member at all, and not an empty place.
func (m RingMember) Known() bool { return m.Host != "" }

// RingNeighbor is a member that watches and is watched, in one direction of the ring.
type RingNeighbor struct {
	RingMember
	// Beyond is the member on its other side, who can be asked about it. The host
	// itself, or nobody, in rings of fewer than three.
	Beyond RingMember `json:"beyond"`
	// Keys are the link's own. Where there are none, they are derived from the
	// ring's, as those of bridges always are.
	Keys KeySet `json:"keys,omitzero"`
}

// Profile says how fast a ring is watched.
type Profile struct {
	Interval time.Duration `json:"interval"` // between heartbeats, before jitter
	Silence  time.Duration `json:"silence"`  // of a neighbor until it is suspect
	Window   time.Duration `json:"window"`   // from suspicion to the verdict
}

// StandardProfile tells a death after 5 seconds.
func StandardProfile() Profile {
	return Profile{Interval: time.Second, Silence: 3 * time.Second, Window: 2 * time.Second}
}

// FastProfile tells it after 550 milliseconds, for ten times the datagrams.
func FastProfile() Profile {
	return Profile{Interval: 100 * time.Millisecond, Silence: 300 * time.Millisecond, Window: 250 * time.Millisecond}
}

// MaxSuccessors is how many members each one knows in the ring's direction, the next
// one included: one more than the adjacent deaths that are bridged without the manager.
const MaxSuccessors = 4

// Assignment is an instruction of the manager: a member's place in one epoch of a
// ring. It is repeated until it is acknowledged.
type Assignment struct {
	Ring  RingID `json:"ring"`
	Epoch Epoch  `json:"epoch"`
	// Next and Previous are the same host in a ring of two, and nobody in a ring of one.
	Next     RingNeighbor `json:"next"`
	Previous RingNeighbor `json:"previous"`
	// Successors go on from Next, which is the first of them.
	Successors []RingMember `json:"successors,omitempty"`
	// Relays are outside of the ring, and better outside of its zone: asked about
	// neighbors, and told when the neighbors cannot be.
	Relays  []RingMember `json:"relays,omitempty"`
	Keys    KeySet       `json:"keys"` // of the ring
	Profile Profile      `json:"profile"`
	// Gone ends the membership: an assignment to no place.
	Gone bool `json:"gone,omitempty"`
}
