package capture

import (
	"time"

	"cassini/bpf"
	"cassini/model"
)

// edges is the table of dependencies. Kernel edges that people cannot tell apart
// (one program in two login sessions) are one dependency. It is not safe for
// concurrent use.
type edges struct {
	byKernel map[bpf.EdgeKey]*edge
	byKey    map[string]*dependency
	udp      int // of byKernel
	totals   totals
}

// totals sums the counters of all edges there ever were, as last read: outbound,
// and all others; those of UDP apart.
type totals struct {
	out, in       bpf.Edge
	udpOut, udpIn bpf.Edge
}

// move adds what an edge counted since it was last read.
func (t *totals) move(direction uint8, last, now *bpf.Edge) {
	sum := &t.in
	switch udp := now.Key.Proto == bpf.ProtoUDP; {
	case udp && direction == bpf.DirectionOut:
		sum = &t.udpOut
	case udp:
		sum = &t.udpIn
	case direction == bpf.DirectionOut:
		sum = &t.out
	}
	addCounters(sum, now)
	subtractCounters(sum, last)
}

// open is how many TCP connections are open or being opened.
func (t *totals) open() uint64 {
	pending := t.out.Attempts - min(t.out.Attempts, t.out.Connections+failures(&t.out))
	return open(&t.out) + open(&t.in) + pending
}

// edge is one edge of the kernel map as it was last read.
type edge struct {
	of        *dependency
	direction uint8
	read      bpf.Edge
	shown     flow // what people see of bytes and retransmits; never falls
	live      flow // what open connections had moved when they were last read
	liveNs    uint64
	// waiting is how many of read.Waiting count: sockets that live longer than one
	// that only looks up its source address.
	waiting uint64
}

// inUse is IN_USE of bpf/udp.h.
const inUse = 100 * time.Millisecond

// waits is how many count now: those that did, while others have just come.
func (e *edge) waits(read *bpf.Edge, clock bpf.Clock) uint64 {
	if read.LastNs+uint64(inUse) > clock.MonoNs {
		return min(e.waiting, read.Waiting)
	}
	return read.Waiting
}

// dependency is what a document tells.
type dependency struct {
	model.Dependency
	parts []*edge
	base  bpf.Edge // counters of edges that were evicted from the kernel ...
	moved flow     // ... and what they had moved
	sent  model.Counters
	sends int
}

func newEdges() *edges {
	return &edges{byKernel: make(map[bpf.EdgeKey]*edge), byKey: make(map[string]*dependency)}
}

// add puts a kernel edge under the dependency that describes it.
func (t *edges) add(key bpf.EdgeKey, describe model.Dependency) *edge {
	name := describe.Key()
	dep, ok := t.byKey[name]
	if !ok {
		dep = &dependency{Dependency: describe}
		t.byKey[name] = dep
	}
	e := &edge{of: dep, direction: key.Direction}
	dep.parts = append(dep.parts, e)
	t.byKernel[key] = e
	if key.Proto == bpf.ProtoUDP {
		t.udp++
	}
	return e
}

// update takes what the kernel counted. It reports whether anything moved.
func (t *edges) update(e *edge, read *bpf.Edge, clock bpf.Clock) bool {
	waits := e.waits(read, clock)
	if e.read == *read && e.waiting == waits && e.of.sends > 0 {
		return false
	}
	e.waiting = waits
	t.totals.move(e.direction, &e.read, read)
	e.read = *read
	e.show()
	dep := e.of
	if first := clock.Mono(read.FirstNs); dep.FirstSeen.IsZero() || first.Before(dep.FirstSeen) && dep.sends == 0 {
		dep.FirstSeen = first
	}
	if last := clock.Mono(read.LastNs); last.After(dep.LastSeen) {
		dep.LastSeen = last
		if read.Owner.Kind == bpf.OwnerProcess {
			dep.PID = int(read.Owner.Tgid)
		}
	}
	return true
}

// drop removes an edge that was evicted from the kernel with its last counters.
// The dependency goes with its last edge.
func (t *edges) drop(key bpf.EdgeKey) {
	e := t.byKernel[key]
	delete(t.byKernel, key)
	if key.Proto == bpf.ProtoUDP {
		t.udp--
	}
	dep := e.of
	addCounters(&dep.base, &e.read)
	dep.moved.plus(&e.shown)
	for i, part := range dep.parts {
		if part == e {
			dep.parts = append(dep.parts[:i], dep.parts[i+1:]...)
			break
		}
	}
	if len(dep.parts) == 0 {
		delete(t.byKey, dep.Key())
	}
}

// body is the dependency as a document tells it. progress says that only
// counters moved since the last one; ok is false when nothing did.
func (d *dependency) body() (body model.Dependency, progress, ok bool) {
	sum, moved, live := d.base, d.moved, flow{}
	for _, part := range d.parts {
		addCounters(&sum, &part.read)
		moved.plus(&part.shown)
		live.plus(&part.live)
		sum.Waiting += part.waiting
	}
	counters := toCounters(&sum, &moved, &live)
	if d.sends == 0 && d.Proto == "udp" && counters.Connections+counters.Adopted+counters.Failed == 0 {
		return model.Dependency{}, false, false // sockets that may have asked for their source address only
	}
	if d.sends > 0 && counters == d.sent {
		return model.Dependency{}, false, false
	}
	progress = d.sends > 0 && (counters.Failed > 0) == (d.sent.Failed > 0)
	d.sent = counters
	d.sends++
	d.Counters = counters
	return d.Dependency, progress, true
}

func addCounters(to, from *bpf.Edge) {
	to.Attempts += from.Attempts
	to.Connections += from.Connections
	to.Adopted += from.Adopted
	to.Refused += from.Refused
	to.TimedOut += from.TimedOut
	to.Unreachable += from.Unreachable
	to.Aborted += from.Aborted
	to.Closed += from.Closed
	to.RttUs += from.RttUs
	to.AdoptedSent += from.AdoptedSent
	to.AdoptedReceived += from.AdoptedReceived
	to.AdoptedRetransmits += from.AdoptedRetransmits
}

func subtractCounters(from, what *bpf.Edge) {
	from.Attempts -= what.Attempts
	from.Connections -= what.Connections
	from.Adopted -= what.Adopted
	from.Refused -= what.Refused
	from.TimedOut -= what.TimedOut
	from.Unreachable -= what.Unreachable
	from.Aborted -= what.Aborted
	from.Closed -= what.Closed
}

func failures(e *bpf.Edge) uint64 { return e.Refused + e.TimedOut + e.Unreachable + e.Aborted }

// toCounters are the counters of e, of which moved is what all connections moved, and
// live what the open ones did.
func toCounters(e *bpf.Edge, moved, live *flow) model.Counters {
	c := model.Counters{
		Connections:   e.Connections + e.Waiting,
		Adopted:       e.Adopted,
		Attempts:      e.Attempts,
		Failed:        failures(e),
		Refused:       e.Refused,
		TimedOut:      e.TimedOut,
		Unreachable:   e.Unreachable,
		Aborted:       e.Aborted,
		Open:          open(e) + e.Waiting,
		BytesSent:     moved.sent,
		BytesReceived: moved.received,
		Retransmits:   moved.retransmits,
		Closed:        e.Closed,
		OpenTraffic:   live.traffic(),
		AdoptedTraffic: model.Traffic{
			BytesSent: e.AdoptedSent, BytesReceived: e.AdoptedReceived, Retransmits: e.AdoptedRetransmits,
		},
	}
	if sockets := e.Closed + live.sockets; sockets > 0 {
		c.RTTMicros = (e.RttUs + live.rttUs) / sockets
	}
	return c
}

// open is how many connections are established now. The counters of an edge are
// not read at one instant, so that a close may be seen before its connection.
func open(e *bpf.Edge) uint64 {
	if opened := e.Connections + e.Adopted; opened > e.Closed {
		return opened - e.Closed
	}
	return 0
}
