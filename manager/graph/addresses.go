package graph

import "net/netip"

// place is one network namespace of one host: where an address means something.
type place struct {
	host, netns string // netns is "" for the host's own
}

// address is an address that was seen to be some place's own.
type address = netip.Addr

// global reports whether an address can tell one place from another.
func global(a netip.Addr) bool {
	return a.IsValid() && !a.IsUnspecified() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsMulticast()
}

// own remembers, or with a negative n forgets, that an address belongs to a place.
func (g *Graph) own(a netip.Addr, p place, n int) {
	if !global(a) {
		return
	}
	places := g.addresses[a]
	if places == nil {
		places = make(map[place]int)
		g.addresses[a] = places
	}
	if places[p] += n; places[p] <= 0 {
		delete(places, p)
	}
	if len(places) == 0 {
		delete(g.addresses, a)
	}
}

// isLocal reports whether a place reaches itself at an address.
func (g *Graph) isLocal(a netip.Addr, p place) bool {
	return a.IsLoopback() || g.addresses[a][p] > 0
}

// isOf reports whether an address is known as some place's of a host.
func (g *Graph) isOf(a netip.Addr, host string) bool {
	for p := range g.addresses[a] {
		if p.host == host {
			return true
		}
	}
	return false
}

// whose finds the one place that an address belongs to as seen from a host: the
// host's own namespaces come before other hosts'. Nothing is found when several
// places have it.
func (g *Graph) whose(a netip.Addr, from string) (place, bool) {
	var here, all []place
	for p := range g.addresses[a] {
		all = append(all, p)
		if p.host == from {
			here = append(here, p)
		}
	}
	switch {
	case len(here) == 1:
		return here[0], true
	case len(here) == 0 && len(all) == 1:
		return all[0], true
	}
	return place{}, false
}
