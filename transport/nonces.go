package transport

import (
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
	next := max(floor, uint64(max(now.Unix(), 0))<<16)
	return &Nonces{next: next, reserved: next, reserve: reserve}
}

// Take is the next number.
func (n *Nonces) Take() (uint64, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.next >= n.reserved {
		if err := n.reserve(n.next + nonceBlock); err != nil {
			return 0, fmt.Errorf("reserve numbers of datagrams: %w", err)
		}
		n.reserved = n.next + nonceBlock
	}
	n.next++
	return n.next & (1<<wire.NonceBits - 1), nil
}
