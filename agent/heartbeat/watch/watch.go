// Package watch waits for the heartbeats of neighbours and tells when they stop. The
// kernel's watch checks, counts and times them in an eBPF program and wakes nobody while
// all is well; the user-space watch does the same where the kernel has no timers for
// programs (before 5.15), with the same events. All methods of both may be called
// concurrently.
package watch

import (
	"context"
	"errors"
	"time"

	"cassini/model"
	"cassini/model/wire"
)

// ErrFull says that no more sets can be held, ErrUnknown that a set is not.
var (
	ErrFull    = errors.New("no room for another neighbour")
	ErrUnknown = errors.New("not watched")
)

// MaxSets is how many sets a watch holds.
const MaxSets = 256

// Key is one of the keys that are accepted under a set's number.
type Key struct {
	ID  uint8
	Tag wire.TagKey
}

// Set is what is accepted under one number: one neighbour's heartbeats, or a ring's
// control datagrams.
type Set struct {
	ID       wire.Set
	Keys     []Key         // at most model.MaxKeys
	Interval time.Duration // between heartbeats; 0: control datagrams
	Silence  time.Duration // until Expired; 0: never
}

// grace is how much later than its time an expiry may come. Beyond it this machine or
// process stood still, and heartbeats may wait to be taken in.
func (s Set) grace() time.Duration { return max(s.Silence/4, 20*time.Millisecond) }

// Kind of an event.
type Kind int

// Kinds.
const (
	Expired     Kind = iota + 1 // silent for as long as Set.Silence
	Resumed                     // a heartbeat after that
	Incarnation                 // the first heartbeat of a life
	Late                        // this machine stood still: the window begins anew
)

// Event is what a watch wakes for.
type Event struct {
	Kind        Kind
	Set         wire.Set
	Silent      time.Duration // before the event
	Incarnation model.Incarnation
}

// Watch is one of the two.
type Watch interface {
	// Name is "kernel" or "user".
	Name() string
	// Put makes or changes a set; a neighbour's window begins when it is made. Errors
	// wrap ErrFull.
	Put(Set) error
	// Arm begins a neighbour's window anew. After it expired, the next heartbeat is told
	// as Resumed all the same.
	Arm(wire.Set) error
	// Remove ends a set; it is no error that there is none.
	Remove(wire.Set) error
	// Take is given every datagram that was read from the socket, and says whether it
	// is a control datagram whose header is good.
	Take([]byte) bool
	// Events may be read until Run has returned.
	Events() <-chan Event
	// Run works until the context ends.
	Run(context.Context) error
	// Stats tells of one neighbour; the error wraps ErrUnknown.
	Stats(wire.Set) (Stats, error)
	// Counters are datagrams by what became of them; see Outcomes.
	Counters() (map[string]uint64, error)
	// Close lets go of what the watch holds, after Run has returned.
	Close() error
}

// Buckets of a histogram.
const Buckets = 16

// Stats are a neighbour's figures.
type Stats struct {
	Heartbeats  uint64
	Expiries    uint64
	Late        uint64 // windows given since this machine stood still
	Incarnation model.Incarnation
	Progress    uint64 // of its main loop
	Flags       wire.Flags
	Silent      time.Duration // since the latest heartbeat; 0 before the first
	// Spacing counts times between arrivals: below 1 ms, below 2 ms, 4 ms, ..., the rest.
	Spacing [Buckets]uint64
	// Lateness counts by how much they were longer than the interval: below 64 us,
	// 128 us, ..., the rest.
	Lateness [Buckets]uint64
}
