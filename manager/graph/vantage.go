package graph

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	"cassini/model"
)

// vantage is from where an address is meant: a network namespace of a host, and the own
// address there; of a link-local one the interface on whose link it is, if that is told.
type vantage struct {
	host, netns string
	own         netip.Addr
	on          string
}

// vantage is where the end that a document tells of stands. Of connections that another host
// translates to an address of its own it is that host: there the server's address means something.
func (g *Graph) vantage(d *dependency) vantage {
	if b := d.branch(); b != nil {
		if last := b.goal.last[0]; last.host == d.host || g.isOf(d.link.target.server, last.host) {
			return vantage{host: last.host, netns: last.NetnsName, own: d.link.client.Addr}
		}
	}
	if d.direction() == model.Out {
		return vantage{d.host, d.netns, d.link.client.Addr, d.on()}
	}
	return vantage{d.host, d.netns, d.link.target.server.Addr, d.on()}
}

// answer says whether an address means a machine.
type answer int8

const (
	perhaps answer = iota // nothing tells
	yes
	no
)

// means says whether an address, seen from somewhere, is that of a place. Many links have the
// same private addresses: at branches, of containers and of tenants. So of one on the same link it
// counts who answers there.
func (g *Graph) means(from vantage, a netip.Addr, q vantage) answer {
	here, link := g.toward(from, a)
	if here == nil {
		return perhaps // through routers: they tell addresses apart
	}
	if q.host != from.host && g.enclosed(g.hosts[from.host], link) {
		return no
	}
	if s := g.sighting(here, a); s != nil && !s.Unconfirmed && !madeOf(s.MAC, a) {
		switch {
		case g.hasCard(q, from, s.MAC):
			return yes
		case !g.isWayOut(here, s.MAC) && (from.on != "" || g.holder(q, a) != nil):
			return no
		}
		return perhaps
	}
	if len(here.DefaultGateways) == 0 {
		return perhaps
	}
	if there := g.holder(q, a); there != nil && g.gatewaysDiffer(here, there) {
		return no
	}
	return perhaps
}

// toward is the interface on whose link an address is as seen from somewhere, and that link; nil
// for one behind routers. What is in a namespace is routed by the host's own at last.
func (g *Graph) toward(from vantage, a netip.Addr) (here *iface, link netip.Prefix) {
	if from.own.IsLoopback() {
		return nil, link // from there nobody is on a link
	}
	if h := g.hosts[from.host]; h != nil && from.on != "" {
		return h.iface(model.Interface{Name: from.on, Netns: from.netns}.Key()), link
	}
	best := 0
	for _, i := range g.interfacesOf(from.host) {
		if from.netns != model.NetnsOfLives && i.Netns != from.netns && i.Netns != "" {
			continue
		}
		for p := range i.wide() {
			if !p.Contains(a) {
				continue
			}
			rank := p.Bits() + 1
			switch {
			case p.Addr() == from.own:
				rank += 400
			case i.Netns == from.netns:
				rank += 200
			case i.Netns != "":
				continue // another namespace's
			}
			if rank > best {
				here, link, best = i, p.Masked(), rank
			}
		}
	}
	return here, link
}

// wide are the addresses of an interface with the subnets that they are in, of more than one
// address.
func (i *iface) wide() func(yield func(netip.Prefix) bool) {
	return func(yield func(netip.Prefix) bool) {
		for _, p := range i.addresses {
			if p.at.IsValid() && !p.at.IsSingleIP() && !yield(p.at) {
				return
			}
		}
	}
}

// enclosed says whether a link is inside of a host: it is that of a bridge none of whose ports leads
// out of there.
func (g *Graph) enclosed(h *host, link netip.Prefix) bool {
	return h != nil && slices.ContainsFunc(h.ifaces, func(i *iface) bool {
		if i.Kind != "bridge" {
			return false
		}
		for p := range i.wide() {
			if p.Masked() == link {
				return !h.leadsOut(i)
			}
		}
		return false
	})
}

// leadsOut says whether a bridge has a port behind which other hosts can be: any but those of
// containers and of virtual machines.
func (h *host) leadsOut(bridge *iface) bool {
	return slices.ContainsFunc(h.ifaces, func(port *iface) bool {
		if port.Master != bridge.Name || port.Netns != bridge.Netns {
			return false
		}
		switch port.Kind {
		case "tun", "dummy":
			return false
		case "veth":
			return h.switched(port)
		}
		return true
	})
}

// switched says whether the other end of a veth pair is here and a port of another switch.
func (h *host) switched(port *iface) bool {
	return port.Parent != "" && slices.ContainsFunc(h.ifaces, func(i *iface) bool {
		return i.Name == port.Parent && i.Netns == port.Netns && i.Master != ""
	})
}

// enclosures are the links inside of a host.
func (g *Graph) enclosures(h *host) (links []netip.Prefix) {
	for _, i := range h.ifaces {
		if i.Kind != "bridge" || h.leadsOut(i) {
			continue
		}
		for p := range i.wide() {
			links = append(links, p.Masked())
		}
	}
	return links
}

// holder is the interface of a place that has an address and a link with it; nil when none is
// told of.
func (g *Graph) holder(q vantage, a netip.Addr) *iface {
	for _, i := range g.interfacesOf(q.host) {
		if !i.in(q) {
			continue
		}
		for p := range i.wide() {
			if p.Addr() == a {
				return i
			}
		}
	}
	return nil
}

// floats says whether a place has an address by itself on an interface, as keepalived adds one
// that moves from host to host ("10.0.0.100/32").
func (g *Graph) floats(q vantage, a netip.Addr) bool {
	return slices.ContainsFunc(g.interfacesOf(q.host), func(i *iface) bool {
		return i.in(q) && slices.Contains(i.single(), a)
	})
}

// single are the addresses that an interface has by themselves. Of those of a loopback it is told
// nowhere who answers.
func (i *iface) single() (list []netip.Addr) {
	if i.Name == "lo" {
		return nil
	}
	for _, p := range i.addresses {
		if p.at.IsValid() && p.at.IsSingleIP() {
			list = append(list, p.at.Addr())
		}
	}
	return list
}

// in says whether an interface is in the namespace of a vantage.
func (i *iface) in(q vantage) bool { return i.Netns == q.netns || q.netns == model.NetnsOfLives }

// sighting is what an interface saw at an address, or nil.
func (g *Graph) sighting(here *iface, a netip.Addr) *seen {
	s := model.Seen{Interface: here.Name, Netns: here.Netns, Addr: a}
	return g.seen[model.Name{Host: here.host, Package: model.PackageSeen, Key: s.Key()}]
}

// hasCard says whether a hardware address is one of a place's host. Of the host that sees it, it is
// the namespace that counts.
func (g *Graph) hasCard(q, from vantage, mac string) bool {
	return slices.ContainsFunc(g.interfacesOf(q.host), func(i *iface) bool {
		return i.Address == mac && (q.host != from.host || i.in(q))
	})
}

// madeOf says whether a hardware address is made of an IP address, as Docker's were: it tells
// nothing more.
func madeOf(mac string, a netip.Addr) bool {
	b, err := net.ParseMAC(mac)
	if err != nil || len(b) != 6 || !a.Is4() {
		return false
	}
	ip := a.As4()
	return slices.Equal(b[2:], ip[:])
}

// isWayOut says whether a hardware address is that of the way out of a link. It may answer for
// others.
func (g *Graph) isWayOut(here *iface, mac string) bool {
	return slices.ContainsFunc(here.DefaultGateways, func(gateway netip.Addr) bool {
		s := g.sighting(here, gateway)
		return s != nil && s.MAC == mac
	})
}

// balancing begins the hardware addresses by which several routers answer for one (GLBP).
const balancing = "00:07:b4:"

// gatewaysDiffer says whether two interfaces reach one default gateway at different machines: they
// are on two links.
func (g *Graph) gatewaysDiffer(here, there *iface) bool {
	for _, gateway := range here.DefaultGateways {
		if gateway.IsLinkLocalUnicast() || !slices.Contains(there.DefaultGateways, gateway) {
			continue
		}
		a, b := g.sighting(here, gateway), g.sighting(there, gateway)
		if a != nil && b != nil && a.MAC != b.MAC && !strings.HasPrefix(a.MAC, balancing) && !strings.HasPrefix(b.MAC, balancing) {
			return true
		}
	}
	return false
}
