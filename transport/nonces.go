package transport

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"cassini/model/wire"
)

// nonceBlock is how many nonces are reserved on disk at one time.
const nonceBlock = 1 << 20

// Nonces counts datagrams, so that no number comes twice in all lives of a host: it goes
// on from what was reserved on disk, and from the clock where that is later.
type Nonces struct {
	mu       sync.Mutex
	next     uint64
	reserved uint64
	reserve  func(upTo uint64) error
}

// NewNonces goes on from what an earlier life had reserved. reserve makes a number
// durable, before any below it is used.
func NewNonces(floor uint64, now time.Time, reserve func(upTo uint64) error) *Nonces {
	next := floor
	if seconds := now.Unix(); seconds > 0 && seconds < lastClock {
		next = max(floor, uint64(seconds)<<16)
	}
	return &Nonces{next: next, reserved: next, reserve: reserve}
}

// lastClock is the last time, in the year 2103, that a clock is believed: one that is
// wrong by far shall not use up all numbers.
const lastClock = 1<<32 - 1<<26

var errSpent = errors.New("all numbers of datagrams are used up")

// Take is the next number.
func (n *Nonces) Take() (uint64, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.next >= 1<<wire.NonceBits-1 {
		return 0, errSpent
	}
	if n.next >= n.reserved {
		if err := n.reserve(n.next + nonceBlock); err != nil {
			return 0, fmt.Errorf("reserve numbers of datagrams: %w", err)
		}
		n.reserved = n.next + nonceBlock
	}
	n.next++
	return n.next, nil
}
