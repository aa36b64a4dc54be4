package graph

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"cassini/manager/findings"
	"cassini/model"
)

// dependency is what the documents of one name tell: the connections between one
// program and one address, seen from one end.
type dependency struct {
	name model.Name
	place
	model.Dependency // the newest
	link             link
	runs             int            // of the agent, that counted
	base             model.Counters // of the runs before this one
	left             model.Traffic  // of that, what connections had moved that were open then
	earlier          time.Time      // the run before this one: its documents may be sent again
	firstSeen        time.Time
	announced        string // the pair that an event told of
	talk             findings.Talk
}

// link is what both ends of the same connections see.
type link struct {
	place          // only where an address means nothing elsewhere
	client, server netip.Addr
	port           uint16
	proto          string
}

func linkOf(p place, d model.Dependency) link {
	l := link{client: d.Client, server: d.Server, port: d.Port, proto: d.Proto}
	if d.Client.IsLoopback() || d.Server.IsLoopback() {
		l.place = p
	}
	return l
}

func (g *Graph) applyDependency(doc model.Document, e *events) bool {
	d := g.deps[doc.Name]
	if doc.Gone() {
		if d != nil {
			g.removeDependency(d)
		}
		return true
	}
	var body model.Dependency
	if doc.Decode(&body) != nil || !validDependency(body) {
		return false
	}
	body.Client, body.Server = body.Client.Unmap(), body.Server.Unmap()
	if d != nil && !sameThing(d.Dependency, body) {
		g.removeDependency(d)
		d = nil
	}
	if d == nil {
		d = g.addDependency(doc.Name, body)
	} else if d.runs > 1 && body.CountingSince.Equal(d.earlier) {
		return true // sent again
	}
	g.announce(d, body, e)
	d.take(body)
	g.talked(d, doc, e.at)
	g.boundDependencies()
	return true
}

func validDependency(d model.Dependency) bool {
	switch d.Direction {
	case model.Out, model.In, model.Unknown:
		return d.Client.IsValid() && d.Server.IsValid() && d.Proto != ""
	}
	return false
}

// sameThing reports whether two documents differ in what may move only.
func sameThing(a, b model.Dependency) bool {
	return a.Direction == b.Direction && a.Proto == b.Proto && a.Client == b.Client && a.Server == b.Server &&
		a.Port == b.Port && a.NetnsName == b.NetnsName && model.ProcessID("", a.Process) == model.ProcessID("", b.Process)
}

func (g *Graph) addDependency(name model.Name, body model.Dependency) *dependency {
	p := place{name.Host, body.NetnsName}
	d := &dependency{name: name, place: p, Dependency: body, link: linkOf(p, body)}
	d.Counters = model.Counters{}
	g.deps[name] = d
	g.indexDependency(d, 1)
	return d
}

func (g *Graph) removeDependency(d *dependency) {
	delete(g.deps, d.name)
	g.indexDependency(d, -1)
	if r := g.readings[d.host]; r != nil {
		delete(r.steady, d)
		delete(r.silent, d)
	}
	if d.announced != "" {
		if g.pairs[d.announced]--; g.pairs[d.announced] == 0 {
			delete(g.pairs, d.announced)
		}
	}
}

// indexDependency adds (n=1) or removes (n=-1) a dependency from the indices.
func (g *Graph) indexDependency(d *dependency, n int) {
	g.topology++
	switch d.Direction {
	case model.Out:
		index(g.outs, d, n)
		g.own(d.Client, d.place, n)
	case model.In:
		index(g.ins, d, n)
		g.own(d.Server, d.place, n)
	case model.Unknown:
		g.undirected += n
		g.own(d.Server, d.place, n)
	}
}

func index(m map[link][]*dependency, d *dependency, n int) {
	if n > 0 {
		m[d.link] = append(m[d.link], d)
		return
	}
	m[d.link] = slices.DeleteFunc(m[d.link], func(x *dependency) bool { return x == d })
	if len(m[d.link]) == 0 {
		delete(m, d.link)
	}
}

// take replaces the newest document. A new run of the agent counts from zero:
// what the run before it counted becomes the base.
func (d *dependency) take(body model.Dependency) {
	if d.runs == 0 || !body.CountingSince.Equal(d.CountingSince) {
		if d.runs > 0 {
			d.base = d.totals()
			d.left = d.OpenTraffic
			d.base.Open, d.base.Adopted, d.base.OpenTraffic, d.base.AdoptedTraffic = 0, 0, model.Traffic{}, model.Traffic{}
			d.earlier = d.CountingSince
		}
		d.runs++
	}
	if d.firstSeen.IsZero() || body.FirstSeen.Before(d.firstSeen) {
		d.firstSeen = body.FirstSeen
	}
	if body.LastSeen.Before(d.LastSeen) {
		body.LastSeen = d.LastSeen
	}
	d.Dependency = body
}

// totals are the counters over all runs. Connections that were open when a run
// began were counted by the run before it, if there was one, and so was what they had
// moved, as far as it had been told: what they moved unseen between two runs counts.
func (d *dependency) totals() model.Counters {
	c := d.Counters
	if d.runs == 1 {
		c.Connections += c.Adopted
	}
	c.BytesSent -= twice(c.BytesSent, d.left.BytesSent, c.AdoptedTraffic.BytesSent)
	c.BytesReceived -= twice(c.BytesReceived, d.left.BytesReceived, c.AdoptedTraffic.BytesReceived)
	c.Retransmits -= twice(c.Retransmits, d.left.Retransmits, c.AdoptedTraffic.Retransmits)
	return plus(c, d.base)
}

// twice is how much of count the run before told too: of what open connections had
// moved, left at its end and found at the next one's start.
func twice(count, left, found uint64) uint64 { return min(count, left, found) }

func plus(a, b model.Counters) model.Counters {
	ofA, ofB := a.Closed+a.Open, b.Closed+b.Open
	if ofA+ofB > 0 {
		a.RTTMicros = (a.RTTMicros*ofA + b.RTTMicros*ofB) / (ofA + ofB)
	}
	a.Connections += b.Connections
	a.Adopted += b.Adopted
	a.Attempts += b.Attempts
	a.Failed += b.Failed
	a.Refused += b.Refused
	a.TimedOut += b.TimedOut
	a.Unreachable += b.Unreachable
	a.Aborted += b.Aborted
	a.Open += b.Open
	a.BytesSent += b.BytesSent
	a.BytesReceived += b.BytesReceived
	a.Retransmits += b.Retransmits
	a.OpenTraffic = plusTraffic(a.OpenTraffic, b.OpenTraffic)
	a.AdoptedTraffic = plusTraffic(a.AdoptedTraffic, b.AdoptedTraffic)
	a.Closed += b.Closed
	return a
}

func plusTraffic(a, b model.Traffic) model.Traffic {
	a.BytesSent += b.BytesSent
	a.BytesReceived += b.BytesReceived
	a.Retransmits += b.Retransmits
	return a
}

// announce tells of a pair of client and service that was not known, and of
// failures where the run had none. It comes before take.
func (g *Graph) announce(d *dependency, body model.Dependency, e *events) {
	if d.Direction == model.Unknown {
		return
	}
	sameRun := d.runs > 0 && body.CountingSince.Equal(d.CountingSince)
	failing := body.Failed > 0 && !(sameRun && d.Failed > 0)
	if d.announced != "" && !failing {
		return
	}
	if d.Direction == model.In && g.sameConnections(d, g.outs) != nil {
		return // the client's end tells
	}
	client, server := g.ends(d)
	pair := model.EdgeID(model.EdgeDependsOn, client.id, server.id)
	if d.announced == "" && client.kind != model.KindHost {
		d.announced = pair
		if g.pairs[pair]++; g.pairs[pair] == 1 {
			e.add(model.EventDependencyNew, pair, fmt.Sprintf("%s is a client of %s", client.label(), server.label()))
		}
	}
	if failing {
		e.add(model.EventDependencyFail, pair, fmt.Sprintf("%s fails to connect to %s: %s", client.label(), server.label(), reasons(body.Counters)))
	}
}

func reasons(c model.Counters) string {
	var s []string
	for _, r := range []struct {
		n    uint64
		name string
	}{{c.Refused, "refused"}, {c.TimedOut, "timed out"}, {c.Unreachable, "unreachable"}, {c.Aborted, "given up"}} {
		if r.n > 0 {
			s = append(s, fmt.Sprintf("%d %s", r.n, r.name))
		}
	}
	if s == nil {
		return fmt.Sprintf("%d failed", c.Failed)
	}
	return strings.Join(s, ", ")
}

// boundDependencies forgets the longest idle, some at a time.
func (g *Graph) boundDependencies() {
	excess := len(g.deps) - g.limits.Dependencies
	if excess <= 0 {
		return
	}
	idle := make([]*dependency, 0, len(g.deps))
	for _, d := range g.deps {
		idle = append(idle, d)
	}
	slices.SortFunc(idle, func(a, b *dependency) int {
		return cmp.Or(a.LastSeen.Compare(b.LastSeen), strings.Compare(a.name.String(), b.name.String()))
	})
	excess += g.limits.Dependencies / 100
	for _, d := range idle[:excess] {
		g.removeDependency(d)
	}
	g.forgotten += uint64(excess)
}
