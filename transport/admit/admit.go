// Package admit bounds what opening control datagrams costs whose headers have good tags.
// Whoever recorded good ones can send them again, with other bodies, so that headers that
// were seen before have a small bucket of their own: a flood of them does not keep new
// ones out. It is what bpf/control.h does in the kernel.
package admit

import (
	"encoding/binary"
	"time"

	"cassini/model/wire"
)

// Again is how many datagrams whose headers were seen before pass in a second, and at once.
const Again = 64

// Gate lets control datagrams pass. One goroutine uses it at a time.
type Gate struct {
	rate, room   int
	fresh, again bucket
	seen         map[uint64]bool // tags
	order        []uint64        // a ring of them, the oldest at next once it is full
	next         int
}

// New makes a gate that lets so many new datagrams pass in a second, and at once, and
// remembers the tags of as many as it has room for, the latest.
func New(rate, room int) *Gate {
	return &Gate{rate: rate, room: room, seen: make(map[uint64]bool)}
}

// Pass says whether a datagram passes, which has a whole header.
func (g *Gate) Pass(datagram []byte, now time.Time) bool {
	tag := binary.LittleEndian.Uint64(datagram[wire.HeaderSize-8:])
	if g.seen[tag] {
		return g.again.take(Again, now)
	}
	if !g.fresh.take(g.rate, now) {
		return false // not seen: the sender may try it again
	}
	g.remember(tag)
	return true
}

func (g *Gate) remember(tag uint64) {
	if len(g.order) < g.room {
		g.order = append(g.order, tag)
	} else {
		delete(g.seen, g.order[g.next])
		g.order[g.next] = tag
		g.next = (g.next + 1) % g.room
	}
	g.seen[tag] = true
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
