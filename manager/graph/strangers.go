package graph

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"cassini/manager/vendors"
	"cassini/model"
)

// seen is what one host saw of another machine.
type seen struct {
	name model.Name
	host string
	model.Seen
}

// forgetOldest drops the longest unchanged beyond the limit, a tenth at once.
func forgetOldest[T any](g *Graph, all map[model.Name]T, changed func(T) time.Time, drop func(model.Name)) {
	if len(all) <= g.limits.Sightings {
		return
	}
	type aged struct {
		name model.Name
		at   time.Time
	}
	list := make([]aged, 0, len(all))
	for name, one := range all {
		list = append(list, aged{name, changed(one)})
	}
	slices.SortFunc(list, func(a, b aged) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return cmp.Or(strings.Compare(a.name.Host, b.name.Host), strings.Compare(a.name.Package, b.name.Package), strings.Compare(a.name.Key, b.name.Key))
	})
	for _, one := range list[:len(list)-g.limits.Sightings*9/10] {
		drop(one.name)
		g.spent.note(one.name)
		g.forgotten++
	}
}

func (g *Graph) applySeen(doc *Decoded, e *events) bool {
	before := g.seen[doc.Name]
	s := &seen{name: doc.Name, host: doc.Host}
	if !doc.Gone() && (!take(doc, &s.Seen) || !s.Addr.IsValid() || s.MAC == "") {
		return false
	}
	g.topology++
	if before != nil {
		g.dropSeen(before)
	}
	if doc.Gone() {
		if before != nil {
			g.touchSighting(before)
		}
		return true
	}
	g.seen[doc.Name] = s
	g.seenBy.add(s.MAC, s.at(), s)
	if before == nil || before.MAC != s.MAC || before.Unconfirmed != s.Unconfirmed {
		g.touchSighting(s)
	}
	if g.built != nil {
		g.built.addSeen(s)
	}
	forgetOldest(g, g.seen, func(s *seen) time.Time { return s.Changed }, func(n model.Name) {
		gone := g.seen[n]
		g.dropSeen(gone)
		g.touchSighting(gone)
	})
	g.tellSeen(before, s, e)
	return true
}

// at is the interface that saw it.
func (s *seen) at() string { return model.InterfaceID(s.host, s.Interface, s.Netns) }

// tellSeen says what a person may want to hear of a sighting.
func (g *Graph) tellSeen(before, s *seen, e *events) {
	at := model.InterfaceID(s.host, s.Interface, s.Netns)
	_, label, _ := strings.Cut(at, ":")
	moved := before == nil || before.MAC != s.MAC || before.Unconfirmed
	switch {
	case !s.Conflict.IsZero() && (before == nil || !before.Conflict.Equal(s.Conflict)):
		g.duplicate(at, s.Addr.String(), fmt.Sprintf("%s: %s and %s claim %s in turn%s", label, who(s.MAC), who(s.Before), s.Addr, g.wayOut(s)), e)
	case moved && g.ownerBesides(s) != nil:
		owner := g.ownerBesides(s)
		g.claimed(owner, s, fmt.Sprintf("%s claims %s, which %s has (%s); %s sees it", who(s.MAC), s.Addr, owner.label(), owner.Address, label), e)
	case s.Before != "" && s.Before != s.MAC && moved:
		e.add(model.EventAddressMoved, at, fmt.Sprintf("%s: %s is at %s instead of %s%s", label, s.Addr, who(s.MAC), who(s.Before), g.wayOut(s)))
	case before == nil && len(g.seenBy.byMAC[s.MAC]) == 1 && len(g.askedBy.byMAC[s.MAC]) == 0 && !g.hasMAC(s.MAC):
		e.add(model.EventStrangerSeen, model.UnknownHostOf(s.MAC), fmt.Sprintf("%s sees %s at %s, where no agent is", label, s.Addr, who(s.MAC)))
	}
	if s.Router && (before == nil || !before.Router) && !g.hasMAC(s.MAC) {
		e.add(model.EventRouterSeen, model.UnknownHostOf(s.MAC), fmt.Sprintf("%s hears that %s at %s routes", label, s.Addr, who(s.MAC)))
	}
}

// claimed tells of another machine that is seen at the address of a known host, which is an
// incident where that lasts.
func (g *Graph) claimed(owner *iface, s *seen, what string, e *events) {
	e.add(model.EventAddressDuplicate, owner.id(), what)
	g.findings.Claimed(s.Addr.String(), what, e.at, func(since time.Time) (holds, live bool) {
		now := g.seen[s.name]
		if now == nil || now.MAC != s.MAC {
			return false, false
		}
		owner := g.ownerBesides(now)
		return owner != nil, owner != nil && g.isLive(g.hosts[owner.host], since)
	})
}

// who is a hardware address with its vendor, where the registry knows one.
func who(mac string) string {
	if vendor := vendors.Of(mac); vendor != "" {
		return mac + " (" + vendor + ")"
	}
	return mac
}

// ownerBesides is the interface of a known host that has the address on the same link,
// when another machine was seen at it; nil when that is the host itself, or can be, with the card
// that it had before.
func (g *Graph) ownerBesides(s *seen) *iface {
	a := g.addresses.of(s.Addr)
	if s.Unconfirmed || a == nil || len(a.owners) == 0 {
		return nil
	}
	here := g.hosts[s.host].iface(model.Interface{Name: s.Interface, Netns: s.Netns}.Key())
	if here == nil {
		return nil
	}
	var owner *iface
	for _, p := range a.owners {
		for _, i := range g.interfacesOf(p.host) {
			if i.Address == s.MAC {
				return nil // one of the host's cards answers for another
			}
			if i != here && i.Netns == p.netns && i.sharesLink(s.Addr, here) && (s.Before == i.Address || g.meet(i, here)) {
				owner = i
			}
		}
	}
	return owner
}

// meet says whether either of two interfaces has heard the other: many links have the same private
// addresses, at branches, of containers and of tenants.
func (g *Graph) meet(a, b *iface) bool {
	hears := func(at, of *iface) bool {
		return slices.ContainsFunc(g.seenBy.at[at.id()], func(s *seen) bool { return s.MAC == of.Address })
	}
	return hears(a, b) || hears(b, a)
}

// sharesLink says whether an interface has an address in a subnet that another one is
// in as well.
func (i *iface) sharesLink(addr netip.Addr, other *iface) bool {
	for _, text := range i.prefixes() {
		p, err := netip.ParsePrefix(text)
		if err != nil || p.Addr() != addr || p.IsSingleIP() {
			continue
		}
		for _, text := range other.prefixes() {
			if q, err := netip.ParsePrefix(text); err == nil && q.Masked() == p.Masked() {
				return true
			}
		}
	}
	return false
}

// wayOut tells when the address is the way out: then another machine there is news.
func (g *Graph) wayOut(s *seen) string {
	if g.isGateway(s) {
		return "; it is the default gateway"
	}
	return ""
}

// isGateway says whether the address is the default gateway of who saw it.
func (g *Graph) isGateway(s *seen) bool {
	for _, i := range g.interfacesOf(s.host) {
		if i.Name == s.Interface && slices.Contains(i.DefaultGateways, s.Addr) {
			return true
		}
	}
	return false
}

func (g *Graph) dropSeen(s *seen) {
	delete(g.seen, s.name)
	if g.built != nil {
		g.built.dropSeen(s)
	}
	g.seenBy.drop(s.MAC, s.at(), s)
}

func (g *Graph) hasMAC(mac string) bool { return g.cards[mac] > 0 }
