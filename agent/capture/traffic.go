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

// flow is what connections moved.
type flow struct {
	sent, received, retransmits uint64
	rttUs                       uint64 // summed up ...
	sockets                     uint64 // ... over so many
}

func (f *flow) add(t *bpf.Traffic) {
	f.sent += t.Sent
	f.received += t.Received
	f.retransmits += uint64(t.Retransmits)
	f.rttUs += uint64(t.RttUs)
	f.sockets++
}

func (f *flow) plus(g *flow) {
	f.sent += g.sent
	f.received += g.received
	f.retransmits += g.retransmits
	f.rttUs += g.rttUs
	f.sockets += g.sockets
}

func (f *flow) traffic() model.Traffic {
	return model.Traffic{BytesSent: f.sent, BytesReceived: f.received, Retransmits: f.retransmits}
}

// show is what people see of an edge: what its closed connections moved, and what the
// open ones had moved when they were last read. A connection that closed in between is
// in neither for a moment, never in both: so what is shown may lag, and it never falls.
func (e *edge) show() {
	if open(&e.read) == 0 {
		e.live = flow{}
	}
	e.shown.sent = max(e.shown.sent, e.read.BytesSent)
	e.shown.received = max(e.shown.received, e.read.BytesReceived)
	e.shown.retransmits = max(e.shown.retransmits, e.read.Retransmits)
}

// takeLive takes what the edge's open connections moved. The edge was read before
// they were. It reports whether anything moved.
func (e *edge) takeLive(live flow, clock bpf.Clock) bool {
	was := e.shown
	if open(&e.read) == 0 { // it was opened since
		live = flow{}
	}
	moved := live != e.live
	e.live = live
	e.shown.sent = max(was.sent, e.read.BytesSent+live.sent)
	e.shown.received = max(was.received, e.read.BytesReceived+live.received)
	e.shown.retransmits = max(was.retransmits, e.read.Retransmits+live.retransmits)
	if last := clock.Mono(e.liveNs); moved && last.After(e.of.LastSeen) {
		e.of.LastSeen = last
	}
	return moved || e.shown != was
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
	if c.edges.totals.open() == 0 || c.cfg.Kernel.ProbeTraffic() != nil {
		return nil
	}
	begun, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	if !c.traffic.due(begun.MonoNs) {
		return nil
	}
	live := make([]flow, len(places))
	err = c.cfg.Kernel.OpenTraffic(ctx, func(t *bpf.Traffic) {
		if int(t.Edge) >= len(places) {
			return // made after the edges were read
		}
		if e := places[t.Edge]; e != nil && e.read.Life == t.Life {
			live[t.Edge].add(t)
			e.liveNs = max(e.liveNs, t.LastNs)
		}
	})
	if err != nil {
		return err
	}
	for i, e := range places {
		if e != nil && e.takeLive(live[i], clock) {
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
