package graph

import (
	"slices"
	"time"

	"cassini/manager/moment"
	"cassini/model"
)

// maxSpent bounds the names of documents that wait to be withdrawn. What finds no room is
// withdrawn in a later life of the manager, whose replay comes to it again.
const maxSpent = 100_000

// spent are names of documents that tell of nothing which the graph has: of things that it
// forgot at a bound, and of interfaces that are gone. Only where somebody withdraws them
// they are noted.
type spent struct {
	on    bool
	names map[model.Name]struct{}
}

// note takes in the name of a document.
func (s *spent) note(name model.Name) {
	if !s.on || len(s.names) >= maxSpent {
		return
	}
	if s.names == nil {
		s.names = make(map[model.Name]struct{})
	}
	s.names[name] = struct{}{}
}

// told lets go of a name of which there is another document.
func (s *spent) told(name model.Name) {
	if len(s.names) > 0 {
		delete(s.names, name)
	}
}

// NoteSpent has names noted from now on for Spent.
func (g *Graph) NoteSpent() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.spent.on = true
}

// Spent are names of documents that may be withdrawn, so many at most: of what the graph has
// forgotten, and of services and neighbors that ended before a moment. They come again until
// a document says that their thing is forgotten.
func (g *Graph) Spent(before time.Time, most int) (names []model.Name) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	for name := range g.spent.names {
		if len(names) == most {
			return names
		}
		names = append(names, name)
	}
	end := moment.Of(before)
	for _, h := range g.hosts {
		for _, d := range h.described {
			if l := d.listener(); l != nil && !l.listens && l.ended < end {
				names = append(names, model.Name{Host: h.name, Package: model.PackageListeners, Key: d.key})
			}
		}
		for _, n := range h.neighbors {
			if n.State != model.NeighborPresent && n.ended < end {
				names = append(names, n.name())
			}
		}
		if len(names) >= most {
			return names[:most]
		}
	}
	return names
}

// Unheard are the hosts of which the manager had no document since a moment, and when it had
// the last one.
func (g *Graph) Unheard(since time.Time) map[string]time.Time {
	g.mu.RLock()
	defer g.mu.RUnlock()
	list, end := make(map[string]time.Time), moment.Of(since)
	for name, h := range g.hosts {
		if h.heard < end {
			list[name] = h.heard.Time()
		}
	}
	return list
}

// Knows says whether a host has reported and is not forgotten.
func (g *Graph) Knows(host string) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.hosts[host] != nil
}

// applyForgotten forgets a host, whose documents have been withdrawn before. What others know
// of the machine stays.
func (g *Graph) applyForgotten(doc *Decoded, e *events) bool {
	for _, i := range g.incidents.ForgetHost(doc.Host, e.at) {
		e.add(model.EventIncidentClosed, subjectNode(i), i.Summary)
	}
	g.findings.Forget(doc.Host)
	delete(g.refused, doc.Host)
	g.flaps.Forget(model.HostID(doc.Host))
	h := g.hosts[doc.Host]
	if h == nil {
		return true
	}
	g.forgetFacts(h)
	delete(g.hosts, h.name)
	g.telling = nil
	delete(g.numbered, h.name)
	g.touchHost(h.name)
	e.add(model.EventHostForgotten, model.HostID(h.name), h.name+" is forgotten")
	return true
}

// forgetFacts forgets what documents of a host left behind: services that ended, and what
// the log had of it and could not be read any more.
func (g *Graph) forgetFacts(h *host) {
	g.forgetMachine(h)
	for _, i := range slices.Clone(h.ifaces) {
		g.changeInterface(h, i, nil)
	}
	for _, n := range slices.Clone(h.neighbors) {
		g.changeNeighbor(h, n, nil)
	}
	for _, s := range slices.Collect(h.services()) {
		g.forgetService(s)
	}
	if len(h.places) == 0 {
		return
	}
	var left []*dependency
	for d := range g.allDependencies() {
		if d.host == h.name {
			left = append(left, d)
		}
	}
	for _, d := range left {
		g.removeDependency(d)
	}
}

// forgetListener forgets one address of a service that has ended there, and the service with
// its last one.
func (g *Graph) forgetListener(at described) {
	s, h := at.service, g.hosts[at.service.host]
	if slices.ContainsFunc(h.described, func(d described) bool { return d.service == s && d.addr == at.addr && d.on == at.on }) {
		return // another document tells of it
	}
	if len(s.listeners) == 1 {
		g.forgetService(s)
		return
	}
	i := slices.IndexFunc(s.listeners, func(l listening) bool { return at.is(&l) })
	g.letGo(s, &s.listeners[i])
	s.listeners = slices.Delete(s.listeners, i, i+1)
	s.derive()
	g.touchService(s, true)
}

// VerdictOver says whether a document of a verdict tells of nothing that is open, or has been
// since a moment.
func (g *Graph) VerdictOver(doc model.Document, before time.Time) bool {
	var v model.Verdict
	if doc.Decode(&v) != nil {
		return true
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	over, known := g.incidents.ReportOver(v.ID, before)
	return over || !known
}

// ForgetOver forgets incidents that are over since before a moment, which the log does not
// remember either.
func (g *Graph) ForgetOver(before time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.incidents.ForgetOver(before)
}
