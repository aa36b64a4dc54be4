package graph

import (
	"cmp"
	"slices"
	"strings"

	"cassini/model"
)

// PortFilter selects ends of cables; an empty field matches everything.
type PortFilter struct {
	Host, Interface string
	Switch          string // ID of a switch, or its name
	Ended           bool   // also what is not heard any more
}

// Ports are the interfaces of hosts that hear a neighbor, with what each says, and
// with Ended also what an interface heard last; sorted by host and interface.
func (g *Graph) Ports(f PortFilter) []model.Port {
	ports := []model.Port{}
	g.read(func(v *view) {
		for _, p := range g.ports(v) {
			if f.Host != "" && f.Host != p.Host || f.Interface != "" && f.Interface != p.Interface || !f.Ended && p.State != model.NeighborPresent {
				continue
			}
			if f.Switch != "" && f.Switch != model.SwitchID(p.Neighbor.Chassis.ID) && f.Switch != p.Neighbor.SystemName && f.Switch != p.Neighbor.Chassis.ID {
				continue
			}
			ports = append(ports, p)
		}
	})
	return ports
}

// ports makes one entry of the neighbors that an interface hears of one node.
func (g *Graph) ports(v *view) (ports []model.Port) {
	type cable struct{ here, there string }
	all, tagged := make(map[cable][]*neighbor), g.tagged()
	for n := range g.neighbors() {
		c := cable{here: n.interfaceID(), there: n.name().String()}
		if n.State == model.NeighborPresent {
			c.there = v.peerOf(n)
		}
		all[c] = append(all[c], n)
	}
	for c, list := range all {
		slices.SortFunc(list, compareNeighbors)
		p := port(list[0], v.named(c.here), tagged)
		if list[0].State == model.NeighborPresent {
			p.PeerID = c.there
		}
		for _, n := range list {
			if !slices.Contains(p.Protocols, n.Protocol) {
				p.Protocols = append(p.Protocols, n.Protocol)
			}
		}
		ports = append(ports, p)
	}
	slices.SortFunc(ports, func(a, b model.Port) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(a.PeerID, b.PeerID), a.Since.Compare(b.Since),
			strings.Compare(a.Neighbor.Chassis.ID, b.Neighbor.Chassis.ID), strings.Compare(a.Neighbor.Port.ID, b.Neighbor.Port.ID), strings.Compare(b.Neighbor.Protocol, a.Neighbor.Protocol))
	})
	return ports
}

// peerOf is the node that a neighbor was found to be.
func (v *view) peerOf(n *neighbor) string {
	here := v.named(n.interfaceID())
	if here == nil {
		return ""
	}
	return n.there
}

// tagged are the VLANs that interfaces send with tags, by the interface's identifier.
func (g *Graph) tagged() map[string][]int {
	all := make(map[string][]int)
	for i := range g.interfaces() {
		if i.VLAN != 0 && i.Parent != "" {
			id := model.InterfaceID(i.host, i.Parent, i.Netns)
			all[id] = append(all[id], i.VLAN)
		}
	}
	return all
}

func port(n *neighbor, here *node, tagged map[string][]int) model.Port {
	d := n.discovery()
	p := model.Port{
		Host: n.host, Interface: n.Interface, Netns: n.Netns, ID: n.interfaceID(),
		State: n.State, Since: n.firstSeen.Time(), Ended: n.ended.Time(), Neighbor: &d,
	}
	if here != nil && here.iface() != nil {
		i := here.iface()
		p.Carrier, p.Speed, p.Duplex, p.MTU = i.Carrier != 0, i.Speed, i.Duplex, i.MTU
		if n.State == model.NeighborPresent {
			p.Differences = differences(*i.Interface, d)
			vlans := tagged[p.ID]
			if i.Master != "" { // a bond's
				vlans = append(slices.Clone(vlans), tagged[model.InterfaceID(n.host, i.Master, n.Netns)]...)
			}
			p.Differences = append(p.Differences, vlanDifferences(vlans, d)...)
		}
	}
	return p
}

// Switches are the devices that hosts are wired to, sorted by ID.
func (g *Graph) Switches() []model.Switch {
	list := []model.Switch{}
	g.read(func(v *view) {
		by := make(map[string][]model.Port)
		for _, p := range g.ports(v) {
			if p.State == model.NeighborPresent {
				peer := v.named(p.PeerID)
				if peer == nil {
					continue
				}
				for _, e := range peer.in() {
					if e.from.kind == nodeSwitch {
						by[e.from.id] = append(by[e.from.id], p)
					}
				}
			}
		}
		for n := range v.byID() {
			if n.kind == nodeSwitch {
				list = append(list, n.device(by[n.id]))
			}
		}
	})
	return list
}

func (n *node) device(ports []model.Port) model.Switch {
	d := n.says().Discovery
	s := model.Switch{
		ID: n.id, Name: d.SystemName, Chassis: d.Chassis, Description: d.SystemDescr, Platform: d.Platform,
		Capabilities: d.Enabled, Ports: ports,
	}
	if d.Protocol != model.LLDP {
		s.Name = or(s.Name, d.Chassis.ID)
	}
	if len(s.Capabilities) == 0 {
		s.Capabilities = d.Capabilities
	}
	for _, m := range d.Management {
		s.Management = append(s.Management, m.Address)
	}
	slices.SortFunc(s.Ports, func(a, b model.Port) int { return natural(a.Neighbor.Port.ID, b.Neighbor.Port.ID) })
	return s
}

// natural compares names so that port 2 comes before port 10.
func natural(a, b string) int {
	same := 0
	for same < len(a) && same < len(b) && a[same] == b[same] {
		same++
	}
	for same > 0 && a[same-1] >= '0' && a[same-1] <= '9' { // a number counts as a whole
		same--
	}
	a, b = a[same:], b[same:]
	for a != "" && b != "" {
		x, y := digits(a), digits(b)
		if x > 0 && y > 0 {
			na, nb := strings.TrimLeft(a[:x], "0"), strings.TrimLeft(b[:y], "0")
			if c := cmp.Or(cmp.Compare(len(na), len(nb)), strings.Compare(na, nb)); c != 0 {
				return c
			}
			a, b = a[x:], b[y:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

func digits(s string) (n int) {
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// Interfaces are the interfaces that are there, of one host or of all, sorted by ID.
func (g *Graph) Interfaces(host string) []model.HostInterface {
	g.mu.RLock()
	defer g.mu.RUnlock()
	list := []model.HostInterface{}
	for i := range g.interfaces() {
		if host == "" || host == i.host {
			list = append(list, model.HostInterface{Host: i.host, ID: i.id(), Interface: i.whole()})
		}
	}
	slices.SortFunc(list, func(a, b model.HostInterface) int { return natural(a.ID, b.ID) })
	return list
}
