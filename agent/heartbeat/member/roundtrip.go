package member

import (
	"math/bits"
	"time"

	"cassini/model"
	"cassini/model/wire"
)

// roundTripPause is how often a neighbor is asked how long the way to it and back takes,
// before jitter: a datagram there and one back in a minute.
const roundTripPause = time.Minute

// RoundTripBuckets of a histogram: below 64 us, 128 us, ..., the rest.
const RoundTripBuckets = 16

// roundTrip measures the way to the next member and back.
type roundTrip struct {
	due, asked time.Time
	id         uint64
	counts     [RoundTripBuckets]uint64
}

// measure asks a neighbor that is heard, when it is time.
func (m *Member) measure(r *ring, l *link, now time.Time) {
	if l.trip.due.IsZero() {
		l.trip.due = now.Add(time.Duration(m.rand.Int64N(int64(roundTripPause / 4))))
	}
	if now.Before(l.trip.due) || l.silent || l.peer.Host != r.place.Next.Host {
		return
	}
	l.trip.id, l.trip.asked, l.trip.due = m.rand.Uint64(), now, now.Add(m.jitter(roundTripPause))
	m.world.Send(r.id, l.peer, wire.Message{Type: wire.Probe, ID: l.trip.id})
}

// measured takes the answer. One that comes after the next question is not counted.
func (l *link) measured(id uint64, now time.Time) {
	if l.trip.asked.IsZero() || id != l.trip.id {
		return
	}
	took := now.Sub(l.trip.asked)
	l.trip.asked = time.Time{}
	l.trip.counts[min(bits.Len64(uint64(max(took, 0)/(64*time.Microsecond))), RoundTripBuckets-1)]++
}

// RoundTrips are the histograms of round trips in a ring, by the neighbor's host.
func (m *Member) RoundTrips(id model.RingID) map[string][]uint64 {
	r := m.rings[id]
	if r == nil {
		return nil
	}
	all := make(map[string][]uint64, len(r.links))
	for host, l := range r.links {
		all[host] = l.trip.counts[:]
	}
	return all
}
