package graph

import (
	"strings"
	"time"

	"cassini/model"
)

// herd is what is known of a program's lives over all runs of its agent.
type herd struct {
	now, total    model.Lives // of the newest run, and of all
	countingSince time.Time   // that run
	first, last   time.Time   // when the first and the latest life was seen
}

func (g *Graph) applyProgram(doc *Decoded) bool {
	if doc.Gone() {
		delete(g.herds, doc.Name)
		return true
	}
	var now model.Program
	if !take(doc, &now) || now.Exe == "" || now.Key() != doc.Key || now.Deaths > now.Count() {
		return false
	}
	p := g.herds[doc.Name]
	if p == nil {
		p = &herd{first: now.Since}
		g.herds[doc.Name] = p
	}
	p.take(now)
	forgetOldest(g, g.herds, func(p *herd) time.Time { return p.last }, func(n model.Name) { delete(g.herds, n) })
	return true
}

// take adds what a document tells. What another run of the agent found was alive before,
// or began while no agent looked; what is missing died then.
func (p *herd) take(now model.Program) {
	was := p.now
	if !now.CountingSince.Equal(p.countingSince) {
		if now.CountingSince.Before(p.countingSince) {
			return // sent again
		}
		was = model.Lives{}
		alive := p.total.Alive()
		p.total.Deaths += alive - min(alive, now.Found)
		p.total.Found += now.Found - min(alive, now.Found)
		was.Found = now.Found
	}
	p.total.Found += grew(was.Found, now.Found)
	p.total.Births += grew(was.Births, now.Births)
	p.total.Deaths += grew(was.Deaths, now.Deaths)
	if now.Since.Before(p.first) {
		p.first = now.Since
	}
	p.now, p.countingSince, p.last = now.Lives, now.CountingSince, now.Last
}

// grew is by how much a count that never falls grew.
func grew(was, is uint64) uint64 { return is - min(was, is) }

// lives are those of a program, or of a service as documents told them; the zero value
// where there is nothing to tell.
func (n *node) lives() (l model.Lives, since, last time.Time) {
	switch {
	case n.kind == nodeProcess:
		name := model.Name{Host: n.host(), Package: model.PackagePrograms, Key: strings.TrimPrefix(n.id, model.KindProcess+":"+n.host())}
		if p := n.g.herds[name]; p != nil {
			return p.total, p.first.UTC(), p.last.UTC()
		}
	case n.service() != nil:
		return n.service().lives(), since, last
	}
	return l, since, last
}

// lives of a service are told of its listeners: what was at work when an agent came was
// found.
func (s *service) lives() model.Lives {
	var l model.Lives
	for _, n := range s.listeners { // all addresses begin and end with the service
		l.Births, l.Deaths = max(l.Births, uint64(n.births)), max(l.Deaths, uint64(n.deaths))
	}
	alive := uint64(b2i(s.state == model.StateListening))
	l.Found = l.Deaths + alive - min(l.Births, l.Deaths+alive)
	return l
}

// livesAttrs adds how often a program or a service was born and died, of those that were
// more than once.
func (n *node) livesAttrs(a model.Attrs) {
	l, since, last := n.lives()
	if l.Count() < 2 {
		return
	}
	a["lives"], a["births"], a["deaths"], a["alive"] = l.Count(), l.Births, l.Deaths, l.Alive()
	if n.kind == nodeProcess {
		a["since"], a["last"] = since, last
	}
}
