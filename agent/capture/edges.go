package capture

import (
	"hash/maphash"
	"iter"
	"time"

	"cassini/bpf"
	"cassini/model"
)

// edges is the table of dependencies. Kernel edges that people cannot tell apart
// (one program in two login sessions) are one dependency. It is not safe for
// concurrent use.
type edges struct {
	byKernel *index[bpf.EdgeKey, edge]
	byKey    *index[string, dependency]
	images   images
	fares    fares
	resting  map[*dependency]struct{} // of byKey, those without an edge in the kernel
	unsent   map[*dependency]struct{} // likewise, those that moved and were not told of
	udp      int                      // of byKernel
	healths  int                      // of byKernel, those whose health is known
	totals   totals
}

// totals sums the counters of all edges there ever were, as last read: outbound,
// and all others; those of UDP and of SCTP apart.
type totals struct {
	out, in         counted
	udpOut, udpIn   counted
	sctpOut, sctpIn counted
	health          [3]health // how closed connections of TCP and SCTP fared, by direction
}

// move adds what an edge counted since it was last read.
func (t *totals) move(of *facts, last, now *counted) {
	out, in := &t.out, &t.in
	switch of.proto {
	case bpf.ProtoUDP:
		out, in = &t.udpOut, &t.udpIn
	case bpf.ProtoSCTP:
		out, in = &t.sctpOut, &t.sctpIn
	}
	sum := in
	if of.direction == bpf.DirectionOut {
		sum = out
	}
	addCounters(sum, now)
	subtractCounters(sum, last)
}

// fared adds how connections fared that closed since an edge was last read.
func (t *totals) fared(direction uint8, last, now *health) {
	t.health[int(direction)%len(t.health)].plus(&health{now.rtts.Minus(last.rtts), now.lifetimes.Minus(last.lifetimes)})
}

// open is how many TCP connections are open or being opened.
func (t *totals) open() uint64 { return openOrPending(&t.out, &t.in) }

// openSCTP is likewise how many associations of SCTP are.
func (t *totals) openSCTP() uint64 { return openOrPending(&t.sctpOut, &t.sctpIn) }

func openOrPending(out, in *counted) uint64 {
	pending := out.Attempts - min(out.Attempts, out.Connections+failures(out))
	return open(out) + open(in) + pending
}

// edge is one edge of the kernel map as it was last read.
type edge struct {
	whose
	of       *dependency
	next     *edge // of the same dependency
	read     reading
	more     *moved  // what people see of bytes and retransmits, where that is not what was read; it never falls
	live     *flow   // what open connections had moved when they were last read; nil: nothing
	fared    *health // how its closed connections did, shared; nil: nothing is known
	healthAt uint32  // closed when that was read, modulo 2^32
	// waiting is how many of those that wait count: sockets that live longer than one
	// that only looks up its source address.
	waiting uint32
}

// inUse is IN_USE of bpf/udp.h.
const inUse = 100 * time.Millisecond

// waits is how many count now: those that did, while others have just come.
func (e *edge) waits(read *counted, clock bpf.Clock) uint64 {
	if read.LastNs+uint64(inUse) > clock.MonoNs {
		return min(uint64(e.waiting), read.Waiting)
	}
	return read.Waiting
}

// dependency is what a document tells.
type dependency struct {
	facts
	parts      *edge  // the first of them; nil: it rests
	rest       *rest  // what edges counted that are no more; nil: there was none
	sent       uint64 // hash of the counters that were told last
	told       uint32 // the network namespace that was told last
	failedIn   uint16 // the minute in which a failure was told of last, modulo 2^16
	sentFailed bool   // whether any of the counters that were told last were failures
	known      bool   // it was told
}

// rest is what is left of edges that were evicted from the kernel.
type rest struct {
	base  counted
	moved moved
	fared health
}

func newEdges() *edges {
	return &edges{
		byKernel: newIndex((*edge).key), byKey: newIndex((*dependency).key),
		images: make(images), fares: make(fares), resting: make(map[*dependency]struct{}), unsent: make(map[*dependency]struct{}),
	}
}

// add puts a kernel edge under the dependency that describes it.
func (t *edges) add(key bpf.EdgeKey, describe model.Dependency) *edge {
	dep := t.byKey.get(describe.Key())
	if dep == nil {
		dep = &dependency{facts: t.images.facts(&describe)}
		t.byKey.put(dep)
	} else if describe.PID != 0 { // another life of the same
		dep.common, dep.pid, dep.netns = t.images.share(&describe), int32(describe.PID), describe.Netns
	}
	delete(t.resting, dep)
	e := &edge{whose: whoseIs(&key, dep), of: dep, next: dep.parts}
	dep.parts = e
	t.byKernel.put(e)
	if key.Proto == bpf.ProtoUDP {
		t.udp++
	}
	return e
}

// update takes what the kernel counted. It reports whether anything moved.
func (t *edges) update(e *edge, read *bpf.Edge, clock bpf.Clock) bool {
	now, was, dep := countedOf(read), e.read.counted(), e.of
	waits := e.waits(&now, clock)
	if was == now && uint64(e.waiting) == waits && dep.known {
		return false
	}
	e.waiting = uint32(waits) // the kernel counts no more
	t.totals.move(&dep.facts, &was, &now)
	shown := e.shown()
	e.read.take(&now)
	e.show(shown)
	if first := nanos(clock.Mono(read.FirstNs)); dep.first == 0 || first != 0 && first < dep.first && !dep.known {
		dep.first = first
	}
	if last := nanos(clock.Mono(read.LastNs)); last > dep.last {
		dep.last = last
		if read.Owner.Kind == bpf.OwnerProcess {
			dep.pid = int32(read.Owner.Tgid)
		}
	}
	return true
}

// drop removes an edge that was evicted from the kernel with its last counters.
// The dependency goes with its last edge.
func (t *edges) drop(key bpf.EdgeKey) {
	if dep := t.part(key); dep.parts == nil {
		t.byKey.remove(dep)
	}
}

// part removes an edge from its dependency, which keeps what it counted.
func (t *edges) part(key bpf.EdgeKey) *dependency {
	e := t.byKernel.get(key)
	t.byKernel.remove(e)
	if key.Proto == bpf.ProtoUDP {
		t.udp--
	}
	if e.fared != nil {
		t.healths--
	}
	dep := e.of
	if dep.rest == nil {
		dep.rest = new(rest)
	}
	read, shown := e.read.counted(), e.shown()
	addCounters(&dep.rest.base, &read)
	dep.rest.moved.plus(&shown)
	dep.rest.fared.plus(e.health())
	for at := &dep.parts; *at != nil; at = &(*at).next {
		if *at == e {
			*at = e.next
			break
		}
	}
	return dep
}

// all are the edges of a dependency.
func (d *dependency) all() iter.Seq[*edge] {
	return func(yield func(*edge) bool) {
		for e := d.parts; e != nil; e = e.next {
			if !yield(e) {
				return
			}
		}
	}
}

// news says whether anything but counters is to be told.
func (d *dependency) news() bool {
	failed := uint64(0)
	if d.rest != nil {
		failed = failures(&d.rest.base)
	}
	for part := range d.all() {
		read := part.read.counted()
		failed += failures(&read)
	}
	// A name server is listened to where programs ask it.
	another := d.common.netnsName == model.NetnsOfLives && d.port == dnsPort && d.netns != d.told
	return !d.known || another || (failed > 0) != d.sentFailed
}

const dnsPort = 53

// counters sums up all edges, those that are no more as well.
func (d *dependency) counters() model.Counters {
	var sum rest
	var live flow
	if d.rest != nil {
		sum = *d.rest
	}
	for part := range d.all() {
		read, shown := part.read.counted(), part.shown()
		addCounters(&sum.base, &read)
		sum.fared.plus(part.health())
		sum.moved.plus(&shown)
		if part.live != nil {
			live.plus(part.live)
		}
		sum.base.Waiting += uint64(part.waiting)
	}
	counters := toCounters(&sum.base, &sum.moved, &live)
	counters.RTTs, counters.Lifetimes = sum.fared.rtts, sum.fared.lifetimes
	return counters
}

// hashSeed is the seed of hashes of what was told; of two that differ one in 2^64 is taken for the same.
var hashSeed = maphash.MakeSeed()

// body is the dependency as a document tells it. progress says that only
// counters moved since the last one; ok is false when nothing did.
func (d *dependency) body() (body model.Dependency, progress, ok bool) {
	counters := d.counters()
	if !d.known && d.proto == bpf.ProtoUDP && counters.Connections+counters.Adopted+counters.Failed == 0 {
		return model.Dependency{}, false, false // sockets that may have asked for their source address only
	}
	hash := maphash.Comparable(hashSeed, counters)
	if d.known && hash == d.sent {
		return model.Dependency{}, false, false
	}
	progress = d.known && (counters.Failed > 0) == d.sentFailed
	d.sent, d.sentFailed, d.told = hash, counters.Failed > 0, d.netns
	d.known = true
	body = d.describe()
	body.Counters = counters
	return body, progress, true
}
