package capture

import (
	"context"
	"time"

	"cassini/bpf"
	"cassini/model"
)

// trafficShare is how much longer than a read of the open connections the pause behind
// it lasts: however often somebody asks, reading takes a tenth of one core at most.
const trafficShare = 9

// moved is what connections moved.
type moved struct{ sent, received, retransmits uint64 }

func (m *moved) plus(o *moved) {
	m.sent += o.sent
	m.received += o.received
	m.retransmits += o.retransmits
}

func (m *moved) traffic() model.Traffic {
	return model.Traffic{BytesSent: m.sent, BytesReceived: m.received, Retransmits: m.retransmits}
}

// flow is what is known of open connections.
type flow struct {
	moved
	rttUs   uint64 // summed up ...
	sockets uint64 // ... over so many
	health         // as it is now, and how long they live
}

func (f *flow) add(t *bpf.Traffic) {
	f.sent += t.Sent
	f.received += t.Received
	f.retransmits += uint64(t.Retransmits)
	f.rttUs += uint64(t.RttUs)
	f.sockets++
}

func (f *flow) plus(g *flow) {
	f.moved.plus(&g.moved)
	f.rttUs += g.rttUs
	f.sockets += g.sockets
	f.health.plus(&g.health)
}

// show is what people see of an edge: what its closed connections moved, and what the
// open ones had moved when they were last read. A connection that closed in between is
// in neither for a moment, never in both: so what is shown may lag, and it never falls.
//
// show is called when the edge was read, with what was shown before.
func (e *edge) show(before moved) {
	read := e.read.counted()
	if open(&read) == 0 {
		e.live = nil
	}
	e.raise(&read, before, moved{})
}

// raise shows what was read and what live connections moved, or what was shown if that is more.
func (e *edge) raise(read *counted, before, live moved) {
	closed := moved{read.BytesSent, read.BytesReceived, read.Retransmits}
	now := moved{
		max(before.sent, closed.sent+live.sent),
		max(before.received, closed.received+live.received),
		max(before.retransmits, closed.retransmits+live.retransmits),
	}
	e.more = nil
	if now != closed {
		e.more = &now
	}
}

// shown is what people see of bytes and retransmits.
func (e *edge) shown() moved {
	if e.more != nil {
		return *e.more
	}
	read := e.read.counted()
	return moved{read.BytesSent, read.BytesReceived, read.Retransmits}
}

// open is what open connections had moved when they were last read.
func (e *edge) open() flow {
	if e.live == nil {
		return flow{}
	}
	return *e.live
}

// takeLive takes what the edge's open connections moved, at lastNs last. The edge was read
// before they were. It reports whether anything moved.
func (e *edge) takeLive(live flow, lastNs uint64, clock bpf.Clock) bool {
	was, read := e.shown(), e.read.counted()
	if open(&read) == 0 { // it was opened since
		live = flow{}
	}
	moved := live != e.open()
	e.live = nil
	if live != (flow{}) {
		e.live = &live
	}
	e.raise(&read, was, live.moved)
	if last := nanos(clock.Mono(lastNs)); moved && last > e.of.last {
		e.of.last = last
	}
	return moved || e.shown() != was
}

// glance is what the open connections of one edge tell while they are read.
type glance struct {
	flow
	fare   bpf.Health
	lastNs uint64
}

func (g *glance) add(t *bpf.Traffic, nowNs uint64) {
	g.flow.add(t)
	observe(&g.fare, t, nowNs)
	g.lastNs = max(g.lastNs, t.LastNs)
}

// taken is what they told in all, and when one of them moved last; nothing of nil.
func (g *glance) taken() (live flow, lastNs uint64) {
	if g == nil {
		return flow{}, 0
	}
	g.health.advance(&g.fare)
	return g.flow, g.lastNs
}

// trafficReads says when the open connections may be read, and counts how often they
// were. Times are CLOCK_MONOTONIC nanoseconds.
type trafficReads struct {
	reads  uint64
	spared uint64 // somebody asked so soon after a read that its figures were shown
	took   time.Duration
	after  uint64 // when they may be read again
}

// due reports whether enough time has passed, and counts when it has not.
func (r *trafficReads) due(now uint64) bool {
	if now < r.after {
		r.spared++
		return false
	}
	return true
}

func (r *trafficReads) done(begun, ended uint64) {
	r.reads++
	r.took += time.Duration(ended - begun)
	r.after = ended + trafficShare*(ended-begun)
}

// readTraffic adds what open connections have moved to the edges that were just read,
// places. It calls moved for those that moved.
func (c *Capture) readTraffic(ctx context.Context, places []*edge, clock bpf.Clock, moved func(*edge)) error {
	if c.edges.totals.open()+c.edges.totals.openSCTP() == 0 || c.cfg.Kernel.ProbeTraffic() != nil {
		return nil
	}
	begun, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	if !c.traffic.due(begun.MonoNs) {
		return nil
	}
	seen := make(map[uint32]*glance) // most edges have no open connection
	err = c.cfg.Kernel.OpenTraffic(ctx, func(t *bpf.Traffic) {
		if int(t.Edge) >= len(places) {
			return // made after the edges were read
		}
		if e := places[t.Edge]; e != nil && e.read.life == t.Life {
			if seen[t.Edge] == nil {
				seen[t.Edge] = new(glance)
			}
			seen[t.Edge].add(t, begun.MonoNs)
		}
	})
	if err != nil {
		return err
	}
	for place, e := range places {
		live, lastNs := seen[uint32(place)].taken()
		if e != nil && e.takeLive(live, lastNs, clock) {
			moved(e)
		}
	}
	ended, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	c.traffic.done(begun.MonoNs, ended.MonoNs)
	return nil
}
