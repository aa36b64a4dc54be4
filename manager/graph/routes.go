package graph

import (
	"cmp"
	"slices"
	"strings"

	"cassini/model"
)

// hostRoute is a route of a host.
type hostRoute struct{ model.HostRoute }

func (g *Graph) applyRoute(doc *Decoded, e *events) bool {
	now := hostRoute{model.HostRoute{Host: doc.Host}}
	if !doc.Gone() && (!take(doc, &now.Route) || !now.Destination.IsValid()) {
		return false
	}
	before, known := g.routes[doc.Name]
	delete(g.routes, doc.Name)
	at := model.HostID(doc.Host)
	if doc.Gone() {
		if known && before.chosen() {
			e.add(model.EventRouteRemoved, at, before.label()+" is gone")
		}
		return true
	}
	g.routes[doc.Name] = now
	switch {
	case !now.chosen():
	case !known && !now.Since.IsZero():
		e.add(model.EventRouteAdded, at, now.label())
	case known && before.ways() != now.ways():
		e.add(model.EventRouteChanged, at, now.label()+" instead of"+before.ways())
	}
	return true
}

// chosen says whether somebody put the route there: those that come with an address are
// told by the address, default ones by the interface.
func (r hostRoute) chosen() bool {
	return r.Protocol != "kernel" && r.Protocol != "ra" && r.Destination.Bits() > 0
}

// label is "web-17: route to 10.0.0.0/8 via 192.168.0.1 dev eth0".
func (r hostRoute) label() string {
	text := r.Host
	if r.Netns != "" {
		text += "@" + r.Netns
	}
	text += ": route to " + r.Destination.String()
	if r.Table != "main" {
		text += " in table " + r.Table
	}
	return text + r.ways()
}

// ways are the ways that the route takes, each with a space in front.
func (r hostRoute) ways() (text string) {
	if r.Type != "unicast" {
		text = " " + r.Type
	}
	for _, h := range r.Hops {
		if h.Via.IsValid() {
			text += " via " + h.Via.String()
		}
		text += " dev " + h.Interface
	}
	return text
}

func (g *Graph) applyRule(doc *Decoded, e *events) bool {
	now := model.HostRule{Host: doc.Host}
	if !doc.Gone() && (!take(doc, &now.Rule) || now.Text == "") {
		return false
	}
	before, known := g.rules[doc.Name]
	delete(g.rules, doc.Name)
	at := model.HostID(doc.Host)
	if doc.Gone() {
		if known {
			e.add(model.EventRouteRemoved, at, doc.Host+": routing rule "+before.Text+" is gone")
		}
		return true
	}
	g.rules[doc.Name] = now
	if !known && !now.Since.IsZero() {
		e.add(model.EventRouteAdded, at, doc.Host+": routing rule "+now.Text)
	}
	return true
}

// Routes are the routes of a host, or of all, sorted by host, table and destination.
func (g *Graph) Routes(host string) []model.HostRoute {
	g.mu.RLock()
	defer g.mu.RUnlock()
	list := []model.HostRoute{}
	for _, r := range g.routes {
		if host == "" || host == r.Host {
			list = append(list, r.HostRoute)
		}
	}
	slices.SortFunc(list, func(a, b model.HostRoute) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(a.Netns, b.Netns), natural(a.Table, b.Table),
			a.Destination.Addr().Compare(b.Destination.Addr()), cmp.Compare(a.Destination.Bits(), b.Destination.Bits()),
			cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.TOS, b.TOS))
	})
	return list
}

// Rules are the routing rules of a host, or of all, in the order in which they apply.
func (g *Graph) Rules(host string) []model.HostRule {
	g.mu.RLock()
	defer g.mu.RUnlock()
	list := []model.HostRule{}
	for _, r := range g.rules {
		if host == "" || host == r.Host {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b model.HostRule) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(a.Netns, b.Netns), strings.Compare(a.Family, b.Family),
			cmp.Compare(a.Priority, b.Priority), strings.Compare(a.Text, b.Text))
	})
	return list
}
