package graph

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"cassini/manager/findings"
	"cassini/manager/moment"
	"cassini/model"
)

// dependency is what the documents of one name tell: the connections between one
// program and one address, seen from one end.
type dependency struct {
	*place
	program   *program
	link      *link
	edge      *edge  // in the view: nil for an In document that is joined with an Out one
	rare      *rare  // nil of most
	announced uint64 // the pair that an event told of
	counts    packed // of the newest run of the agent
	talk      findings.Talk

	firstSeen, lastSeen moment.Moment

	run uint32 // of the agent, the newest, by its number in the graph
	brief
}

// rare is what few dependencies have.
type rare struct {
	earlier *earlier
	key     *string // of its documents, when it is not what they tell
	branch  *branch // of an Out document whose connections are translated, which has several
	on      string  // of model.Dependency: the interface
}

// rarely is what few dependencies have, to be changed.
func (d *dependency) rarely() *rare {
	if d.rare == nil {
		d.rare = &rare{}
	}
	return d.rare
}

func (d *dependency) earlier() *earlier {
	if d.rare == nil {
		return nil
	}
	return d.rare.earlier
}

// branch is what makes it a part of another one; nil of most.
func (d *dependency) branch() *branch {
	if d.rare == nil {
		return nil
	}
	return d.rare.branch
}

// on is the interface on whose link the peer is, where its address means nothing elsewhere.
func (d *dependency) on() string {
	if d.rare == nil {
		return ""
	}
	return d.rare.on
}

// addrs are the addresses of both ends as people write them.
func (d *dependency) addrs() (client, server netip.Addr) {
	return model.Zoned(d.direction(), d.link.client.Addr, d.link.target.server.Addr, d.on())
}

// dials is the address and port of the service's end as people write them.
func (d *dependency) dials() netip.AddrPort {
	_, server := d.addrs()
	return netip.AddrPortFrom(server, d.link.target.port)
}

// earlier is what the runs of the agent before the newest one counted.
type earlier struct {
	base  packed        // its OpenTraffic is what connections had moved that were open at the end
	since moment.Moment // the last of these runs: its documents may be sent again
}

// endRun adds the run that ends to what those before it counted.
func (d *dependency) endRun(since moment.Moment) {
	base, left := d.totals(), d.counters().OpenTraffic
	base.Open, base.Adopted, base.OpenTraffic, base.AdoptedTraffic = 0, 0, left, model.Traffic{}
	base.OpenRTTs, base.OpenAges = "", "" // told again, or by the run in which they close
	r := d.rarely()
	if r.earlier == nil {
		r.earlier = &earlier{}
	}
	r.earlier.base, r.earlier.since = r.earlier.base.pack(&base), since
}

func (g *Graph) applyDependency(doc *Decoded, e *events) bool {
	d := g.dependency(doc.Name)
	if doc.Gone() {
		if d != nil {
			g.removeDependency(d)
		}
		return true
	}
	body, ok := doc.body.(*model.Dependency)
	if !ok || !validDependency(body) {
		return false
	}
	if d != nil && !d.isOf(body) {
		g.removeDependency(d)
		d = nil
	}
	known := d != nil
	if !known {
		d = g.addDependency(doc.Name, body)
	} else if d.earlier() != nil && moment.Of(body.CountingSince) == d.earlier().since {
		return true // sent again
	}
	g.announce(d, known, body, e)
	g.renew(d, known, body)
	g.talked(d, doc, e.at)
	g.boundDependencies()
	return true
}

// validDependency brings the document into the form of the graph as well.
func validDependency(d *model.Dependency) bool {
	switch d.Direction {
	case model.Out, model.In, model.Unknown:
		return placeDependency(d)
	}
	return false
}

// isOf reports whether a document differs from those before it in what may move only.
func (d *dependency) isOf(body *model.Dependency) bool {
	t := d.link.target
	return d.direction() == body.Direction && t.proto == body.Proto && t.port == body.Port && d.link.client.Addr == body.Client &&
		t.server.Addr == body.Server && d.netns == body.NetnsName && d.on() == body.Interface && d.program.samePath(&body.Process)
}

// process is this end's, as the newest document has it.
func (d *dependency) process() model.Process { return d.program.as(d.pid()) }

// counters are those of the newest run of the agent.
func (d *dependency) counters() model.Counters { return d.counts.counters() }

func (g *Graph) addDependency(name model.Name, body *model.Dependency) *dependency {
	p := g.holdPlace(name.Host, body.NetnsName)
	d := &dependency{place: p, program: g.programs.hold(&body.Process), link: g.holdLink(p, body), brief: briefOf(body.Direction)}
	if body.Interface != "" {
		d.rarely().on = strings.Clone(body.Interface)
	}
	if !d.isNamed(name) {
		key := name.Key
		d.rarely().key = &key
	}
	g.keepDependency(name, d)
	g.touch(d.link)
	d.link.add(d)
	g.indexDependency(d, 1)
	if d.direction() == model.Out {
		g.branch(d)
	}
	return d
}

func (g *Graph) removeDependency(d *dependency) {
	g.unbranch(d)
	g.forgetDependency(d)
	if r := g.hosts[d.host].reading; r != nil {
		delete(r.steady, d)
		delete(r.silent, d)
	}
	g.pairs.drop(d.announced)
	g.touch(d.link)
	g.indexDependency(d, -1)
	if d.link.remove(d); len(d.link.docs()) == 0 {
		g.dropLink(d.link)
	}
	g.programs.drop(d.program)
	g.runs.drop(d.run)
	g.dropPlace(d.place)
}

// indexDependency adds (n=1) or removes (n=-1) a dependency from the indices.
func (g *Graph) indexDependency(d *dependency, n int) {
	server, lives := d.link.target.server, d.netns == model.NetnsOfLives // which come and go at an address
	switch d.direction() {
	case model.Out:
		if !lives {
			g.ownKnown(d.link.client, d.place, int32(n))
		}
		if lives || d.on() != "" {
			d.setOdd(n)
		}
		return
	case model.In:
		if d.on() != "" || !global(server.Addr) && !server.IsLoopback() {
			d.setOdd(n)
		}
	case model.Unknown:
		if g.undirected += n; d.on() != "" {
			d.setOdd(n)
		}
	}
	g.ownKnown(server, d.place, int32(n))
}

// setOdd has the place remember (n=1) or forget (n=-1) a link that ends at no address of its own.
func (d *dependency) setOdd(n int) {
	if n > 0 {
		d.odd = append(d.odd, d.link)
	} else {
		d.odd = remove(d.odd, d.link)
	}
}

// renew takes the newest document. A new run of the agent counts from zero:
// what the run before it counted becomes the base.
func (g *Graph) renew(d *dependency, known bool, body *model.Dependency) {
	since := moment.Of(body.CountingSince)
	if before := g.runs.since(d.run); known && since != before {
		d.endRun(before)
	}
	d.run = g.runs.swap(d.run, since)
	if first := moment.Of(body.FirstSeen); d.firstSeen.IsZero() || first.Before(d.firstSeen) {
		d.firstSeen = first
	}
	d.lastSeen = max(d.lastSeen, moment.Of(body.LastSeen))
	d.program = g.programs.swap(d.program, &body.Process)
	d.isProcess(body.PID)
	d.counts = d.counts.pack(&body.Counters)
	if d.edge != nil {
		d.edge.unwrite()
	}
	g.followBranches(d)
}

// totals are the counters over all runs. Connections that were open when a run
// began were counted by the run before it, if there was one, and so was what they had
// moved, as far as it had been told: what they moved unseen between two runs counts.
func (d *dependency) totals() model.Counters {
	if d.branch() != nil {
		return d.branch().counters(d.branch().whole.totals())
	}
	c := d.counters()
	if d.earlier() == nil {
		c.Connections += c.Adopted
		return plus(c, model.Counters{})
	}
	base := d.earlier().base.counters()
	left := base.OpenTraffic
	base.OpenTraffic = model.Traffic{}
	c.BytesSent -= twice(c.BytesSent, left.BytesSent, c.AdoptedTraffic.BytesSent)
	c.BytesReceived -= twice(c.BytesReceived, left.BytesReceived, c.AdoptedTraffic.BytesReceived)
	c.Retransmits -= twice(c.Retransmits, left.Retransmits, c.AdoptedTraffic.Retransmits)
	return plus(c, base)
}

// sums are connections and failures over all runs; the other counters are of the newest.
func (d *dependency) sums() model.Counters {
	if d.branch() != nil {
		return d.branch().counters(d.branch().whole.sums())
	}
	n := d.counts.numbers()
	if d.earlier() == nil {
		n.Connections += n.Adopted
		return n
	}
	base := d.earlier().base.numbers()
	n.Connections += base.Connections
	n.Failed += base.Failed
	return n
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
	a.DatagramsSent += b.DatagramsSent
	a.DatagramsReceived += b.DatagramsReceived
	a.OpenTraffic = plusTraffic(a.OpenTraffic, b.OpenTraffic)
	a.AdoptedTraffic = plusTraffic(a.AdoptedTraffic, b.AdoptedTraffic)
	a.Closed += b.Closed
	a.RTTs, a.Lifetimes = a.RTTs.Plus(b.RTTs), a.Lifetimes.Plus(b.Lifetimes)
	a.OpenRTTs, a.OpenAges = a.OpenRTTs.Plus(b.OpenRTTs), a.OpenAges.Plus(b.OpenAges)
	return a
}

func plusTraffic(a, b model.Traffic) model.Traffic {
	a.BytesSent += b.BytesSent
	a.BytesReceived += b.BytesReceived
	a.Retransmits += b.Retransmits
	return a
}

// announce tells of a pair of client and service that was not known, and of
// failures where the run had none. It comes before renew.
func (g *Graph) announce(d *dependency, known bool, body *model.Dependency, e *events) {
	if d.direction() == model.Unknown {
		return
	}
	failing := body.Failed > 0
	if failing && known && moment.Of(body.CountingSince) == g.runs.since(d.run) {
		failing = d.counts.numbers().Failed == 0
	}
	if d.announced != 0 && !failing {
		return
	}
	if d.direction() == model.In && g.meets(d) {
		return // the client's end tells
	}
	client, server := g.ends(d)
	if d.announced == 0 && client.kind != nodeHost {
		d.announced = pairOf(client.id, server.id)
		if g.pairs.add(d.announced) {
			e.pair(model.EventDependencyNew, client, server, " is a client of ", "")
		}
	}
	if failing {
		e.pair(model.EventDependencyFail, client, server, " fails to connect to ", ": "+reasons(body.Counters))
	}
}

// pairOf stands for a pair of client and service: a number takes less memory than their
// names, and of a good hash no two are the same. It is never 0.
func pairOf(client, server string) uint64 {
	var room [512]byte // as much as most take
	sum := sha256.Sum256(append(append(append(room[:0], client...), 0), server...))
	return binary.LittleEndian.Uint64(sum[:]) | 1
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
