package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"cassini/manager/flaps"
	"cassini/model"
)

// SetClock gives the graph the time, by which what was flapping has calmed down. Without
// it the time is that of the newest document.
func (g *Graph) SetClock(now func() time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.clock = now
}

// now is the time; the caller holds the lock.
func (g *Graph) now() time.Time {
	if g.clock != nil {
		return g.clock()
	}
	return g.newest
}

// learned is when the host learned what its document tells, which may come late and together with
// others, but never later than the manager had it: the host's clock may be ahead.
func (e *events) learned() time.Time {
	if !e.at.IsZero() && e.at.Before(e.time) {
		return e.at
	}
	return e.time
}

// changed tells that a node went or came n times.
func (g *Graph) changed(id, label string, n int, e *events) {
	at := e.learned()
	if g.flaps.Changed(id, at, n) {
		e.add(model.EventFlapping, id, fmt.Sprintf("%s is flapping: it changed %d times or more within %v", label, flaps.Begin, flaps.Window))
	}
}

// serviceChanged counts ends and starts of a service.
func (g *Graph) serviceChanged(before, now model.Service, e *events) {
	if before.State != "" && before.State != now.State {
		g.changed(now.ID, strings.TrimPrefix(now.ID, model.KindService+":"), 1, e)
	}
}

// carrierChanged counts changes of a link's carrier, of which the kernel may have seen more
// than one between two documents. One document alone, which may tell of a long time, never
// makes a link flapping.
func (g *Graph) carrierChanged(before, now *iface, e *events) {
	n := now.CarrierChanges - before.CarrierChanges
	if differ := (before.Carrier != 0) != (now.Carrier != 0); n <= 0 && differ {
		n = 1
	}
	if n > 0 {
		g.changed(now.id(), now.label(), min(int(n), flaps.Begin-2), e)
	}
}

// flapping adds to attributes that a node is flapping.
func (n *node) flapping(a model.Attrs) {
	switch n.kind {
	case nodeService, nodeInterface, nodeHost:
	default:
		return
	}
	if f, ok := n.g.flaps.Of(n.id, n.g.now()); ok {
		a["flapping"], a["flapping_since"], a["changes"] = true, f.Since.UTC(), f.Changes
	}
}

// Flapping are services, links and hosts that come and go all the time, the most changes
// first.
func (g *Graph) Flapping() []model.Flapping {
	list := []model.Flapping{}
	g.read(func(v *view) {
		for _, f := range g.flaps.All(g.now()) {
			n := v.named(f.ID)
			if n == nil {
				continue // forgotten
			}
			list = append(list, model.Flapping{
				ID: n.id, Kind: n.kind.String(), Host: n.host(), State: n.stands(), Changes: f.Changes,
				WindowSeconds: int(flaps.Window / time.Second), Since: f.Since.UTC(), Last: f.Last.UTC(),
			})
		}
	})
	slices.SortFunc(list, func(a, b model.Flapping) int { return cmp.Or(cmp.Compare(b.Changes, a.Changes), natural(a.ID, b.ID)) })
	return list
}

// stands is the state of what can be flapping.
func (n *node) stands() string {
	switch {
	case n.kind == nodeService:
		return n.state()
	case n.iface() != nil && n.iface().Carrier != 0:
		return "carrier"
	case n.iface() != nil:
		return "no carrier"
	case n.status() != nil:
		return string(n.status().Kind)
	}
	return StateUp
}
