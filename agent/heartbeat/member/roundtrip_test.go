package member

import (
	"testing"
	"time"

	"cassini/model/wire"
)

func TestRoundTrips(t *testing.T) {
	b := placed(t)
	for minute := range 5 {
		before := len(b.sent)
		b.pass(time.Minute + 20*time.Second)
		for _, s := range b.sent[before:] {
			if s.to != next.Host || s.Type != wire.Probe {
				t.Fatalf("minute %d: sent %s to %s, want probes to the next member alone", minute, s.Type, s.to)
			}
		}
		last := b.sent[len(b.sent)-1]
		b.now = b.rings[testRing].links[next.Host].trip.asked.Add(100 * time.Microsecond)
		b.hear(next, wire.Message{Type: wire.ProbeAnswer, ID: last.ID, Subject: next})
		b.hear(next, wire.Message{Type: wire.ProbeAnswer, ID: last.ID, Subject: next}) // twice
		b.hear(previous, wire.Message{Type: wire.ProbeAnswer, ID: last.ID, Subject: previous})
	}
	if n := b.count(wire.Probe, next.Host); n < 5 || n > 10 {
		t.Errorf("%d questions in seven minutes", n)
	}
	trips := b.RoundTrips(testRing)
	if trips[next.Host][1] != 5 || sum(trips[next.Host]) != 5 || sum(trips[previous.Host]) != 0 {
		t.Errorf("round trips %v", trips)
	}
	b.assign(place(8), 8, true)
	if sum(b.RoundTrips(testRing)[next.Host]) != 5 {
		t.Error("a new epoch of the same neighbor forgets them")
	}
	b.quiet(next)
	before := b.count(wire.Probe, next.Host)
	b.answer(next)
	b.pass(100 * time.Second)
	if b.count(wire.Probe, next.Host) != before {
		t.Error("a neighbor whose heartbeats do not come is not measured")
	}
}

func sum(counts []uint64) (n uint64) {
	for _, c := range counts {
		n += c
	}
	return n
}
