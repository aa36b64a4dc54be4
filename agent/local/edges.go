package local

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"cassini/bpf"
	"cassini/model"
)

// The kernel's map of edges is emptied as agent/capture's is.
const (
	evictFrom = 0.90
	evictTo   = 0.75
	evictIdle = time.Minute
)

// edge is one edge of the kernel's map as it was last read.
type edge struct {
	key    bpf.UnixKey
	target *target
	of     *dependency
	read   bpf.UnixEdge
	// How many of read.Unsure were found out about, and of read.Failed that the kernel side
	// gives no reason for; and what was found.
	settled, reasoned uint64
	reached, failed   uint64
	refused, absent   uint64 // reasons of both
	open              uint64
	sentNs            uint64 // when a datagram was last sent
	process           model.Process
}

// dependency is what a document tells: the edges of one program to one service.
type dependency struct {
	model.Dependency
	parts []*edge
	base  model.Counters // of edges that were evicted
	sent  model.Counters
	sends int
}

// unsettled says how many attempts nobody has found out about: whether they failed, and why.
func (e *edge) unsettled() (unsure, reasonless uint64) {
	r := &e.read
	reasonless = r.Failed - min(r.Failed, r.Refused+r.Missing)
	return r.Unsure - min(e.settled, r.Unsure), reasonless - min(e.reasoned, reasonless)
}

// settle says what became of these attempts, by what stands behind the name now.
func (e *edge) settle(answered, missing bool) {
	unsure, reasonless := e.unsettled()
	e.settled += unsure
	e.reasoned += reasonless
	if answered {
		e.reached += unsure
		return // nothing tells why others failed: it may be full, or let only some in
	}
	e.failed += unsure
	if missing {
		e.absent += unsure + reasonless
	} else {
		e.refused += unsure + reasonless
	}
}

// isTried says whether the C library asks for the service on behalf of every program, on
// the chance that somebody runs it: that nobody does is no failure (nscd(8), mcstransd(8), systemd-userdbd(8)).
func isTried(d *dependency) bool {
	if strings.HasPrefix(d.Path, "/run/systemd/userdb/") {
		return true
	}
	switch d.Path {
	case "/run/nscd/socket", "/var/run/nscd/socket", "/run/setrans/.setrans-unix", "/var/run/setrans/.setrans-unix":
		return true
	}
	return false
}

func (e *edge) counters() model.Counters {
	r := &e.read
	c := model.Counters{
		Attempts:    r.Attempts,
		Connections: r.Reached + e.reached,
		Adopted:     r.Adopted,
		Refused:     r.Refused + e.refused,
		Unreachable: r.Missing + e.absent,
		Failed:      r.Failed + e.failed,

		BytesSent: r.BytesSent, BytesReceived: r.BytesReceived,
	}
	c.Open = min(e.open, c.Connections+c.Adopted)
	c.Closed = c.Connections + c.Adopted - c.Open
	return c
}

func plus(a, b model.Counters) model.Counters {
	a.Attempts += b.Attempts
	a.Connections += b.Connections
	a.Adopted += b.Adopted
	a.Refused += b.Refused
	a.Unreachable += b.Unreachable
	a.Failed += b.Failed
	a.Open += b.Open
	a.Closed += b.Closed
	a.BytesSent += b.BytesSent
	a.BytesReceived += b.BytesReceived
	return a
}

// edges is the table of dependencies. It is not safe for concurrent use.
type edges struct {
	byKernel map[bpf.UnixKey]*edge
	byKey    map[string]*dependency
	evicted  uint64
	gone     model.Counters // of evicted edges, for totals
}

func newEdges() *edges {
	return &edges{byKernel: make(map[bpf.UnixKey]*edge), byKey: make(map[string]*dependency)}
}

// put brings an edge under the dependency that describes it now. It returns the
// dependency that it left, if that has no edge any more.
func (t *edges) put(e *edge, describe model.Dependency) (left *dependency) {
	name := describe.Key()
	if e.of != nil {
		if e.of.Key() == name {
			e.of.Dialled = describe.Dialled
			return nil
		}
		left = t.leave(e)
	}
	dep, known := t.byKey[name]
	if !known {
		dep = &dependency{Dependency: describe}
		t.byKey[name] = dep
	}
	e.of = dep
	dep.parts = append(dep.parts, e)
	t.byKernel[e.key] = e
	return left
}

func (t *edges) leave(e *edge) (left *dependency) {
	dep := e.of
	dep.parts = slices.DeleteFunc(dep.parts, func(x *edge) bool { return x == e })
	if len(dep.parts) > 0 {
		return nil
	}
	delete(t.byKey, dep.Key())
	return dep
}

// drop forgets an edge that was evicted from the kernel.
func (t *edges) drop(e *edge) {
	delete(t.byKernel, e.key)
	delete(e.target.edges, e)
	e.of.base = plus(e.of.base, e.counters())
	t.gone = plus(t.gone, e.counters())
	t.leave(e)
	t.evicted++
}

// seen takes what an edge tells of its times and its latest process.
func (d *dependency) seen(e *edge, clock bpf.Clock) {
	if first := clock.Mono(e.read.FirstNs); d.FirstSeen.IsZero() || first.Before(d.FirstSeen) && d.sends == 0 {
		d.FirstSeen = first
	}
	if last := clock.Mono(max(e.read.LastNs, e.sentNs)); last.After(d.LastSeen) {
		d.LastSeen = last
		if e.read.Owner.Kind == bpf.OwnerProcess {
			d.PID = int(e.read.Owner.Tgid)
		}
	}
}

// body is the dependency as a document tells it. progress says that only counters moved
// since the last one; ok is false when nothing did.
func (d *dependency) body() (body model.Dependency, progress, ok bool) {
	sum := d.base
	for _, part := range d.parts {
		sum = plus(sum, part.counters())
	}
	if d.sends > 0 && sum == d.sent || d.sends == 0 && isTried(d) && sum.Connections+sum.Adopted == 0 {
		return model.Dependency{}, false, false
	}
	progress = d.sends > 0 && (sum.Failed > 0) == (d.sent.Failed > 0)
	d.sent, d.Counters = sum, sum
	d.sends++
	return d.Dependency, progress, true
}

// totals are the counters of all edges that there ever were.
func (t *edges) totals() model.Counters {
	sum := t.gone
	for _, e := range t.byKernel {
		sum = plus(sum, e.counters())
	}
	return sum
}

// toEvict chooses the edges to forget, the longest idle first. nowNs is CLOCK_MONOTONIC.
func (t *edges) toEvict(limit uint32, nowNs uint64) []bpf.UnixKey {
	if float64(len(t.byKernel)) < evictFrom*float64(limit) {
		return nil
	}
	var idle []bpf.UnixKey
	last := func(key bpf.UnixKey) uint64 { e := t.byKernel[key]; return max(e.read.LastNs, e.sentNs) }
	for key, e := range t.byKernel {
		if e.open == 0 && last(key)+uint64(evictIdle) < nowNs {
			idle = append(idle, key)
		}
	}
	slices.SortFunc(idle, func(a, b bpf.UnixKey) int { return cmp.Compare(last(a), last(b)) })
	surplus := len(t.byKernel) - int(evictTo*float64(limit))
	return idle[:min(len(idle), surplus)]
}
