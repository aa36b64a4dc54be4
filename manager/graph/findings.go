package graph

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"cassini/manager/findings"
	"cassini/model"
)

// Advance tells the graph the time, so that what did not come back for a while is found
// to be gone. Documents tell it as well; only where none come for long it makes a
// difference. It returns what a person may want to hear of. The time must not be ahead of
// documents that are still to come.
func (g *Graph) Advance(at time.Time) []model.Event {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.findings.Advance(at)
	e := events{at: at.Add(1), time: at}
	g.tellFindings(&e)
	return e.list
}

// keyTime is how log keys, and identifiers of events, begin.
const keyTime = "2006-01-02.15:04:05.000000"

// tellFindings makes events of what was found. What was due before the document that is
// applied has an identifier of its own, so that it is the same whenever the log is
// replayed.
func (g *Graph) tellFindings(e *events) {
	for _, i := range g.findings.Take() {
		kind, node := model.EventIncidentOpened, subjectNode(i)
		if i.State != model.IncidentOpen {
			kind = model.EventIncidentClosed
		}
		if !i.Changed.Before(e.at) {
			e.add(kind, node, i.Summary)
			continue
		}
		at := i.Changed.UTC()
		e.list = append(e.list, model.Event{
			ID: at.Format(keyTime) + ".incidents." + i.ID, Time: at, Kind: kind, Host: model.SubjectHost(node), Node: node, Summary: i.Summary,
		})
	}
}

// isUp says whether a host is up, as far as its neighbors tell.
func (g *Graph) isUp(host string) bool {
	s, ok := g.incidents.Status(host)
	return !ok || s.Kind == model.VerdictLink || s.Kind == model.VerdictDeaf
}

func (g *Graph) watchService(h *host, before, now model.Service, at time.Time) {
	known := findings.Host{Known: h.known.Time()}
	if h.identity != nil {
		known.Boot = h.identity.BootTime
	}
	if before.State == "" && at.Sub(h.known.Time()) >= g.limits.Learn { // else nobody looks at it
		for s := range h.services() {
			if s.id != now.ID && s.proto == now.Proto && s.program() == now.Program() {
				known.Siblings++
			}
		}
	}
	g.findings.Service(before, now, known, at)
}

// duplicate tells of an address that two machines claim.
func (g *Graph) duplicate(node, addr, what string, e *events) {
	e.add(model.EventAddressDuplicate, node, what)
	g.findings.Duplicate(addr, what, e.at)
}

// tellRefused tells of addresses that the kernel found to be taken (RFC 4862, duplicate
// address detection).
func (g *Graph) tellRefused(before, now *iface, e *events) {
	for _, text := range now.prefixes() {
		p, err := netip.ParsePrefix(text)
		if err != nil || !now.config(text).Failed || before != nil && before.failed(text) {
			continue
		}
		g.duplicate(now.id(), p.Addr().String(), fmt.Sprintf("%s may not use %s: another machine answered that it has it", now.label(), p.Addr()), e)
	}
}

// reading is what is known of when the counters of a host were read. A reading is told by
// documents of several dependencies that bear the same time; it is whole once the next one
// begins.
type reading struct {
	newest, whole time.Time
	first         model.Name // of newest
	several       bool
	steady        map[*dependency]struct{}
	silent        map[*dependency]string // the pairs of those that were told of
}

// readApart is how far apart the beginnings of two readings are at least.
const readApart = time.Minute

// talked notes that a dependency was seen, and looks for those that fell silent.
func (g *Graph) talked(d *dependency, doc *Decoded, at time.Time) {
	before := d.talk.Last()
	d.talk.See(d.lastSeen, d.counts.numbers().Open > 0, doc.Time)
	r := g.telling.reading
	if r == nil && !doc.Progress {
		return
	}
	if r == nil {
		r = &reading{steady: make(map[*dependency]struct{}), silent: make(map[*dependency]string)}
		g.telling.reading = r
	}
	if pair, ok := r.silent[d]; ok && d.talk.Last().After(before) {
		delete(r.silent, d)
		g.findings.Talks(pair, at)
	}
	if d.talk.Steady() {
		r.steady[d] = struct{}{}
	} else {
		delete(r.steady, d)
	}
	if !doc.Progress {
		return
	}
	switch {
	case doc.Time.Equal(r.newest):
		r.several = r.several || doc.Name != r.first
	case doc.Time.Sub(r.newest) >= readApart, doc.Time.After(r.newest) && !r.several: // one that fails is told of alone
		if r.several {
			r.whole = r.newest
			g.fellSilent(r, at)
		}
		r.newest, r.first, r.several = doc.Time, doc.Name, false
	}
}

// fellSilent finds clients that had stopped when the counters of their host were last
// read.
func (g *Graph) fellSilent(r *reading, at time.Time) {
	var stopped []*dependency
	for d := range r.steady {
		if r.silent[d] == "" && d.talk.Silent(r.whole) && d.direction() != model.Unknown && (d.direction() == model.Out || g.sameConnections(d) == nil) {
			stopped = append(stopped, d)
		}
	}
	slices.SortFunc(stopped, func(a, b *dependency) int { return strings.Compare(a.docKey(), b.docKey()) })
	for _, d := range stopped {
		client, server := g.ends(d)
		pair := model.EdgeID(model.EdgeDependsOn, client.id, server.id)
		told := g.findings.Stopped(findings.Client{
			Pair: pair, Client: client.id, Server: server.id, ClientHost: client.host, ServerHost: server.host,
			ClientName: client.label(), For: server.label(),
		}, d.talk.Last(), at)
		if told {
			r.silent[d] = pair
		}
	}
}
