package graph

import (
	"net/netip"
	"slices"

	"cassini/model"
)

// What addresses mean depends on interfaces and on what these see (vantage.go). Here is what has to
// be joined anew when these change.

// touchPlaces marks what joins at the places of a host that a namespace's interfaces are the way
// from: its own, or all for the host's own namespace.
func (g *Graph) touchPlaces(h *host, netns string) {
	for p := range h.placesBy(netns) {
		for _, o := range p.owned {
			g.touchAddress(o.address)
		}
		for _, l := range p.odd {
			g.touch(l)
		}
	}
}

// placesBy are the places of a host from which the interfaces of a namespace are a way.
func (h *host) placesBy(netns string) func(yield func(*place) bool) {
	return func(yield func(*place) bool) {
		for _, p := range h.places {
			if (netns == "" || p.netns == netns) && !yield(p) {
				return
			}
		}
	}
}

// touchSighting marks what a sighting can have joined otherwise.
func (g *Graph) touchSighting(s *seen) {
	h := g.hosts[s.host]
	if g.built == nil || h == nil {
		return
	}
	here := h.iface(model.Interface{Name: s.Interface, Netns: s.Netns}.Key())
	if here != nil && slices.Contains(here.DefaultGateways, s.Addr) {
		g.touchPlaces(h, s.Netns)
		return
	}
	a := g.addresses.of(s.Addr)
	if a == nil {
		return
	}
	for p := range h.placesBy(s.Netns) {
		for _, o := range p.owned {
			g.touchBetween(o.address, a)
			g.touchBetween(a, o.address)
		}
		for _, l := range p.odd {
			if l.client == a || l.target.server == a {
				g.touch(l)
			}
		}
	}
}

// touchBetween marks the links from one address to another.
func (g *Graph) touchBetween(client, server *address) {
	for _, l := range client.clients {
		if l.target.server == server {
			g.touch(l)
		}
	}
}

// touchInterface marks what an interface that came, went or changed can have joined otherwise; closed
// are the links inside of its host as they were before.
func (g *Graph) touchInterface(h *host, closed []netip.Prefix, before, now *iface) {
	if g.built == nil {
		return
	}
	if !slices.Equal(closed, g.enclosures(h)) {
		g.touchPlaces(h, "")
	}
	same := before != nil && now != nil && before.meansAs(now)
	for _, i := range []*iface{before, now} {
		if i == nil {
			continue
		}
		if i.Address != "" && !(same && before.Address == now.Address) {
			for _, s := range g.seenBy.byMAC[i.Address] {
				g.touchSighting(s)
			}
		}
		if !same {
			g.touchLink(h, i)
		}
	}
}

// meansAs says whether addresses mean the same on an interface as on another, but for its own card.
func (i *iface) meansAs(o *iface) bool {
	return i.Name == o.Name && i.Netns == o.Netns && slices.Equal(i.prefixes(), o.prefixes()) && slices.Equal(i.DefaultGateways, o.DefaultGateways)
}

// touchLink marks what joins at the places from which an interface is a way to its link, and at its
// own addresses.
func (g *Graph) touchLink(h *host, i *iface) {
	wide, own := false, i.single()
	for p := range i.wide() {
		wide, own = true, append(own, p.Addr())
	}
	for _, one := range own {
		if a := g.addresses.of(one); a != nil {
			g.touchAddress(a)
		}
	}
	if wide {
		g.touchPlaces(h, i.Netns)
		return
	}
	for p := range h.placesBy(i.Netns) { // what is link-local is found by the name of its interface
		for _, l := range p.odd {
			if l.client.IsLinkLocalUnicast() || l.target.server.IsLinkLocalUnicast() {
				g.touch(l)
			}
		}
	}
}
