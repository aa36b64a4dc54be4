package graph

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"cassini/model"
)

// seen is what one host saw of another machine.
type seen struct {
	name model.Name
	host string
	model.Seen
}

// maxSeen bounds what is remembered of all hosts' sightings; the longest unchanged are
// forgotten beyond it.
const maxSeen = 200_000

func (g *Graph) applySeen(doc model.Document, e *events) bool {
	before := g.seen[doc.Name]
	s := &seen{name: doc.Name, host: doc.Host}
	if !doc.Gone() && (doc.Decode(&s.Seen) != nil || !s.Addr.IsValid() || s.MAC == "") {
		return false
	}
	g.topology++
	if before != nil {
		g.dropSeen(before)
	}
	if doc.Gone() {
		return true
	}
	fresh := before == nil && g.seenMACs[s.MAC] == 0
	g.seen[doc.Name] = s
	g.seenMACs[s.MAC]++
	g.forgetSeen()
	at := model.InterfaceID(s.host, s.Interface, s.Netns)
	_, label, _ := strings.Cut(at, ":")
	switch {
	case s.Before != "" && s.Before != s.MAC && (before == nil || before.MAC != s.MAC):
		e.add(model.EventAddressMoved, at, fmt.Sprintf("%s: %s is at %s instead of %s%s", label, s.Addr, s.MAC, s.Before, g.isGateway(s)))
	case fresh && !g.hasMAC(s.MAC):
		e.add(model.EventStrangerSeen, model.UnknownHostOf(s.MAC), fmt.Sprintf("%s sees %s at %s, where no agent is", label, s.Addr, s.MAC))
	}
	return true
}

// isGateway tells when the address is the way out: then another machine there is news.
func (g *Graph) isGateway(s *seen) string {
	for _, i := range g.interfaces {
		if i.host == s.host && i.Name == s.Interface && slices.Contains(i.DefaultGateways, s.Addr) {
			return "; it is the default gateway"
		}
	}
	return ""
}

// forgetSeen drops the longest unchanged beyond the limit, a tenth at once.
func (g *Graph) forgetSeen() {
	if len(g.seen) <= maxSeen {
		return
	}
	all := make([]*seen, 0, len(g.seen))
	for _, s := range g.seen {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *seen) int { return a.Changed.Compare(b.Changed) })
	for _, s := range all[:len(all)-maxSeen*9/10] {
		g.dropSeen(s)
		g.forgotten++
	}
}

func (g *Graph) dropSeen(s *seen) {
	delete(g.seen, s.name)
	if g.seenMACs[s.MAC]--; g.seenMACs[s.MAC] == 0 {
		delete(g.seenMACs, s.MAC)
	}
}

func (g *Graph) hasMAC(mac string) bool {
	for _, i := range g.interfaces {
		if i.Address == mac {
			return true
		}
	}
	return false
}

// strangers adds machines that hosts see and where no agent is.
func (b *builder) strangers() {
	for _, s := range b.g.seen {
		if b.nodes[model.KindMAC+":"+s.MAC] != nil {
			continue // an interface of a host has it
		}
		here := b.nodes[model.InterfaceID(s.host, s.Interface, s.Netns)]
		if here == nil {
			continue
		}
		n, _ := b.node(model.UnknownHostOf(s.MAC), model.KindUnknownHost, "")
		n.sightings = append(n.sightings, s)
		b.edge(model.EdgeSees, here, n)
		if s.Addr.IsLinkLocalUnicast() {
			continue
		}
		ip, _ := b.node(model.KindIP+":"+s.Addr.String(), model.KindIP, "")
		ip.addr = s.Addr
		b.edge(model.EdgeHas, n, ip)
	}
}

// strangerAttrs are what hosts saw of a machine.
func (n *node) strangerAttrs(a model.Attrs) {
	var addrs, by []string
	first := n.sightings[0].FirstSeen
	for _, s := range n.sightings {
		addrs = append(addrs, s.Addr.String())
		by = append(by, strings.TrimPrefix(model.InterfaceID(s.host, s.Interface, s.Netns), model.KindInterface+":"))
		if s.FirstSeen.Before(first) {
			first = s.FirstSeen
		}
		if s.Router {
			a["router"] = true
		}
	}
	slices.Sort(addrs)
	slices.Sort(by)
	a["mac"], a["first_seen"] = n.sightings[0].MAC, first
	a["addresses"], a["seen_by"] = slices.Compact(addrs), slices.Compact(by)
}

// hasSighting says whether hosts saw the machine at an address.
func (n *node) hasSighting(addr netip.Addr) bool {
	return slices.ContainsFunc(n.sightings, func(s *seen) bool { return s.Addr == addr })
}
