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
}

// strangers adds machines that hosts see and where no agent is.
func (v *view) strangers() {
	for _, s := range v.g.seen {
		v.addSeen(s)
	}
	for _, c := range v.g.clients {
		v.addClient(c)
	}
}

// addSeen adds a sighting.
func (v *view) addSeen(s *seen) {
	if n := v.meet(s.MAC, s.at(), s.Addr); n != nil {
		m := v.machine(n, s.MAC)
		m.sightings = append(m.sightings, s)
	}
}

// dropSeen undoes addSeen, as long as interfaces are what they were.
func (v *view) dropSeen(s *seen) {
	if n := v.part(s.MAC, s.at(), s.Addr); n != nil {
		m := n.stranger()
		m.sightings = remove(m.sightings, s)
		v.forgets(n)
	}
}

// addClient adds what asked for an address.
func (v *view) addClient(c *client) {
	if n := v.meet(c.MAC, c.at(), c.Addr); n != nil {
		v.machine(n, c.MAC).ask(c)
	}
}

// dropClient undoes addClient, as long as interfaces are what they were.
func (v *view) dropClient(c *client) {
	if n := v.part(c.MAC, c.at(), c.Addr); n != nil {
		m := n.stranger()
		m.asked = slices.DeleteFunc(m.asked, func(o *client) bool { return o == c })
		v.forgets(n)
	}
}

func latestFirst(a, b *client) int {
	return cmp.Or(b.Changed.Compare(a.Changed), strings.Compare(a.name.String(), b.name.String()))
}

// meet joins an interface with a machine that it sees, and this with its address. It is
// nil when there is no such interface, and when a host with an agent is known to have that
// hardware address.
func (v *view) meet(mac, from string, addr netip.Addr) *node {
	here := v.named(from)
	if here == nil || v.named(model.KindMAC+":"+mac) != nil {
		return nil
	}
	n, _ := v.node(model.UnknownHostOf(mac), nodeUnknownHost, "")
	v.hold(edgeSees, here, n)
	if wide(addr) {
		ip, _ := v.node(model.KindIP+":"+addr.String(), nodeIP, "")
		v.hold(edgeHas, n, ip)
	}
	return n
}

// part undoes meet.
func (v *view) part(mac, from string, addr netip.Addr) *node {
	here := v.named(from)
	if here == nil || v.named(model.KindMAC+":"+mac) != nil {
		return nil
	}
	n := v.named(model.UnknownHostOf(mac))
	v.release(v.find(edgeSees, here, n))
	if wide(addr) {
		v.release(v.find(edgeHas, n, v.named(model.KindIP+":"+addr.String())))
	}
	return n
}

// wide says whether an address means something beyond one link.
func wide(addr netip.Addr) bool { return addr.IsValid() && !addr.IsLinkLocalUnicast() }

// machine is what is known of a machine by its hardware address.
func (v *view) machine(n *node, mac string) *stranger {
	w := n.knows()
	if w.stranger == nil {
		w.stranger = &stranger{mac: mac}
	}
	return w.stranger
}

// forgets lets go of a machine of which nobody tells any more.
func (v *view) forgets(n *node) {
	w := n.claimed()
	if m := w.stranger; m != nil && len(m.sightings)+len(m.asked)+len(m.behind) == 0 {
		w.stranger = nil
	}
	if w.stranger == nil && len(w.claims) == 0 {
		n.fact = nil
		v.suspects = append(v.suspects, n)
	}
}

// ask adds what it asked for; the latest comes first.
func (s *stranger) ask(c *client) {
	at, _ := slices.BinarySearchFunc(s.asked, c, latestFirst)
	s.asked = slices.Insert(s.asked, at, c)
}

// describe is what is known of the machine, as an answer.
func (s *stranger) describe(g *Graph, id string) model.Stranger {
	d := model.Stranger{ID: id, MAC: s.mac, Vendor: vendors.Of(s.mac), Addresses: []string{}, SeenBy: []string{}}
	var addrs []netip.Addr
	var first time.Time
	earliest := func(at time.Time) {
		if first.IsZero() || at.Before(first) {
			first = at
		}
	}
	for _, sighting := range s.sightings {
		addrs = append(addrs, sighting.Addr)
		d.DHCPServer = d.DHCPServer || g.serving[sighting.Addr] > 0
		d.Router = d.Router || sighting.Router || g.isGateway(sighting)
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
func (s *stranger) attrs(g *Graph, id string, a model.Attrs) {
	d := s.describe(g, id)
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
		for n := range v.byID() {
			if s := n.stranger(); s != nil {
				list = append(list, s.describe(g, n.id))
			}
		}
	})
	return list
}
