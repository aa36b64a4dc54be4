package graph

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"cassini/manager/vendors"
	"cassini/model"
)

// stranger is what hosts know of a machine without an agent.
type stranger struct {
	mac       string
	sightings []*seen
	asked     []*client
	behind    []*forwarding
	serves    bool // DHCP
	routes    bool // a host has it as its default gateway
}

// strangers adds machines that hosts see and where no agent is.
func (b *builder) strangers() {
	serving := make(map[netip.Addr]bool)
	for _, s := range b.g.servers {
		serving[s.Addr] = true
	}
	for _, s := range b.g.seen {
		n := b.stranger(s.MAC, model.InterfaceID(s.host, s.Interface, s.Netns))
		if n == nil {
			continue
		}
		n.stranger.sightings = append(n.stranger.sightings, s)
		n.stranger.serves = n.stranger.serves || serving[s.Addr]
		n.stranger.routes = n.stranger.routes || s.Router || b.g.isGateway(s)
		b.holds(n, s.Addr)
	}
	for _, c := range b.g.clients {
		n := b.stranger(c.MAC, c.at())
		if n == nil {
			continue
		}
		n.stranger.asked = append(n.stranger.asked, c)
		b.holds(n, c.Addr)
	}
	for addr := range serving {
		if ip := b.nodes[model.KindIP+":"+addr.String()]; ip != nil {
			ip.servesDHCP = true
		}
	}
	for _, n := range b.nodes {
		if n.stranger != nil {
			slices.SortFunc(n.stranger.asked, latestFirst)
		}
	}
}

func latestFirst(a, b *client) int {
	return cmp.Or(b.Changed.Compare(a.Changed), strings.Compare(a.name.String(), b.name.String()))
}

// stranger is the node of a machine that is seen from an interface; nil when a host
// with an agent is known to have that hardware address.
func (b *builder) stranger(mac, from string) *node {
	here := b.nodes[from]
	if here == nil || b.nodes[model.KindMAC+":"+mac] != nil {
		return nil
	}
	n := b.machine(mac)
	b.edge(model.EdgeSees, here, n)
	return n
}

// machine is the node of a machine that is known by its hardware address.
func (b *builder) machine(mac string) *node {
	n, _ := b.node(model.UnknownHostOf(mac), model.KindUnknownHost, "")
	if n.stranger == nil {
		n.stranger = &stranger{mac: mac}
	}
	return n
}

// holds joins a machine with an address that means something beyond one link.
func (b *builder) holds(n *node, addr netip.Addr) {
	if !addr.IsValid() || addr.IsLinkLocalUnicast() {
		return
	}
	ip, _ := b.node(model.KindIP+":"+addr.String(), model.KindIP, "")
	ip.addr = addr
	b.edge(model.EdgeHas, n, ip)
}

// describe is what is known of the machine, as an answer.
func (s *stranger) describe(id string) model.Stranger {
	d := model.Stranger{ID: id, MAC: s.mac, Vendor: vendors.Of(s.mac), Router: s.routes, DHCPServer: s.serves, Addresses: []string{}, SeenBy: []string{}}
	var addrs []netip.Addr
	var first time.Time
	earliest := func(at time.Time) {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	for _, sighting := range s.sightings {
		addrs = append(addrs, sighting.Addr)
		d.SeenBy = append(d.SeenBy, strings.TrimPrefix(model.InterfaceID(sighting.host, sighting.Interface, sighting.Netns), model.KindInterface+":"))
		earliest(sighting.FirstSeen)
	}
	for _, c := range s.asked { // the latest first
		d.Name, d.System = cmp.Or(d.Name, c.HostName), cmp.Or(d.System, c.VendorClass)
		d.PXE = d.PXE || c.PXE
		if c.Addr.IsValid() {
			addrs = append(addrs, c.Addr)
		}
		d.SeenBy = append(d.SeenBy, strings.TrimPrefix(c.at(), model.KindInterface+":"))
		earliest(c.FirstSeen)
	}
	for _, f := range s.behind {
		d.Ports = append(d.Ports, strings.TrimPrefix(model.InterfaceID(f.host, f.Port, f.Netns), model.KindInterface+":"))
		earliest(f.FirstSeen)
	}
	slices.SortFunc(d.Ports, natural)
	d.Ports = slices.Compact(d.Ports)
	slices.SortFunc(addrs, netip.Addr.Compare)
	for _, a := range slices.Compact(addrs) {
		d.Addresses = append(d.Addresses, a.String())
	}
	slices.SortFunc(d.SeenBy, natural)
	d.SeenBy, d.FirstSeen = slices.Compact(d.SeenBy), first
	return d
}

// attrs is the same as attributes of the node.
func (s *stranger) attrs(id string, a model.Attrs) {
	d := s.describe(id)
	a["mac"], a["first_seen"], a["addresses"], a["seen_by"] = d.MAC, d.FirstSeen, d.Addresses, d.SeenBy
	setList(a, "ports", d.Ports)
	set(a, "vendor", d.Vendor)
	set(a, "name", d.Name)
	set(a, "system", d.System)
	setTrue(a, "pxe", d.PXE)
	setTrue(a, "router", d.Router)
	setTrue(a, "dhcp_server", d.DHCPServer)
}

func setTrue(a model.Attrs, key string, is bool) {
	if is {
		a[key] = true
	}
}

// has says whether the machine was met at an address.
func (s *stranger) has(addr netip.Addr) bool {
	return slices.ContainsFunc(s.sightings, func(seen *seen) bool { return seen.Addr == addr }) ||
		slices.ContainsFunc(s.asked, func(c *client) bool { return c.Addr == addr })
}

// named says whether the machine told a name that contains a text in lower case.
func (s *stranger) named(text string) bool {
	return slices.ContainsFunc(s.asked, func(c *client) bool { return strings.Contains(strings.ToLower(c.HostName), text) })
}

// Strangers are the machines that hosts see and where no agent is, sorted by ID.
func (g *Graph) Strangers() []model.Stranger {
	list := []model.Stranger{}
	g.read(func(v *view) {
		for _, n := range v.sorted {
			if n.stranger != nil {
				list = append(list, n.stranger.describe(n.id))
			}
		}
	})
	return list
}
