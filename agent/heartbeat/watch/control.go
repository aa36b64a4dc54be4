package watch

import (
	"encoding/binary"
	"time"

	"cassini/model/wire"
)

// Control datagrams that pass in a second, and at once. Whoever recorded good ones can
// send them again, so that those that were seen before have a bucket of their own: a flood
// of them does not keep new ones out. It is what bpf/control.h does.
const (
	controlRate = 1024
	againRate   = 64
	maxSeen     = 1024
)

// control says which control datagrams pass.
type control struct {
	fresh, again bucket
	seen         map[uint64]bool // the tags of the latest: anybody can change their bodies
	order        []uint64        // they in order, the oldest at next
	next         int
}

func tagOf(b []byte) uint64 { return binary.LittleEndian.Uint64(b[wire.HeaderSize-8:]) }

func (c *control) mayPass(tag uint64, now time.Time) bool {
	if c.seen[tag] {
		return c.again.take(againRate, now)
	}
	if !c.fresh.take(controlRate, now) {
		return false // not seen: the sender may try it again
	}
	c.remember(tag)
	return true
}

func (c *control) remember(tag uint64) {
	if c.seen == nil {
		c.seen = make(map[uint64]bool, maxSeen)
	}
	if len(c.order) < maxSeen {
		c.order = append(c.order, tag)
	} else {
		delete(c.seen, c.order[c.next])
		c.order[c.next] = tag
		c.next = (c.next + 1) % maxSeen
	}
	c.seen[tag] = true
}

// bucket holds as many as it lets through in a second.
type bucket struct{ fullAt time.Time }

func (b *bucket) take(rate int, now time.Time) bool {
	refill := time.Second / time.Duration(rate)
	from := now
	if b.fullAt.After(now) {
		from = b.fullAt
	}
	if from.Sub(now) > time.Duration(rate-1)*refill {
		return false
	}
	b.fullAt = from.Add(refill)
	return true
}
