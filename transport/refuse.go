package transport

import (
	"encoding/binary"
	"errors"
	"time"

	"cassini/model/wire"
)

var (
	errUnknownSet = errors.New("unknown ring")
	errFiltered   = errors.New("it is for a reflector")
	errLimited    = errors.New("too many datagrams")
)

// outcome of a control datagram.
func outcome(err error) string {
	switch {
	case err == nil:
		return Taken
	case errors.Is(err, errUnknownSet):
		return UnknownSet
	case errors.Is(err, errFiltered):
		return Filtered
	case errors.Is(err, errLimited):
		return Limited
	case errors.Is(err, wire.ErrTruncated):
		return Truncated
	case errors.Is(err, wire.ErrKey):
		return UnknownKey
	case errors.Is(err, wire.ErrForged):
		return Forged
	case errors.Is(err, wire.ErrReplayed):
		return Replayed
	}
	return Malformed
}

// admission bounds what opening control datagrams costs, where no watch does that. Their
// headers have good tags; but whoever recorded good ones can send them again, with other
// bodies, so that headers that were seen before have a small bucket of their own: a flood
// of them does not keep new ones out (cf. bpf/control.h).
type admission struct {
	fresh, again bucket
	seen         map[uint64]bool // tags
	order        []uint64        // a ring of them
	next         int
}

const (
	freshRate = 65536 // a second, and at once
	againRate = 64
	maxSeen   = 1 << 14
)

func (a *admission) pass(b []byte, now time.Time) bool {
	tag := binary.LittleEndian.Uint64(b[wire.HeaderSize-8:])
	if a.seen[tag] {
		return a.again.take(againRate, now)
	}
	if !a.fresh.take(freshRate, now) {
		return false // not seen: the sender may try it again
	}
	a.remember(tag)
	return true
}

func (a *admission) remember(tag uint64) {
	if a.seen == nil {
		a.seen = make(map[uint64]bool)
	}
	if len(a.order) < maxSeen {
		a.order = append(a.order, tag)
	} else {
		delete(a.seen, a.order[a.next])
		a.order[a.next] = tag
		a.next = (a.next + 1) % maxSeen
	}
	a.seen[tag] = true
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
