package graph

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
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
	all := make(map[cable][]*neighbor)
	for _, n := range g.neighbors {
		c := cable{here: n.interfaceID(), there: n.name.String()}
		if n.State == model.NeighborPresent {
			c.there = v.peerOf(n)
		}
		all[c] = append(all[c], n)
	}
	for c, list := range all {
		slices.SortFunc(list, func(a, b *neighbor) int {
			return cmp.Or(strings.Compare(b.Protocol, a.Protocol), strings.Compare(a.name.String(), b.name.String()))
		})
		p := port(list[0], v.nodes[c.here])
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
			strings.Compare(a.Neighbor.Chassis.ID, b.Neighbor.Chassis.ID), strings.Compare(a.Neighbor.Port.ID, b.Neighbor.Port.ID))
	})
	return ports
}

// peerOf is the node that a neighbor was found to be.
func (v *view) peerOf(n *neighbor) string {
	here := v.nodes[n.interfaceID()]
	if here == nil {
		return ""
	}
	return here.peers[n.name]
}

func port(n *neighbor, here *node) model.Port {
	d := n.Discovery
	p := model.Port{
		Host: n.host, Interface: n.Interface, Netns: n.Netns, ID: n.interfaceID(),
		State: n.State, Since: n.FirstSeen, Ended: n.Ended, Neighbor: &d,
	}
	if here != nil && here.iface != nil {
		i := here.iface
		p.Carrier, p.Speed, p.Duplex, p.MTU = i.Carrier != 0, i.Speed, i.Duplex, i.MTU
		if n.State == model.NeighborPresent {
			p.Differences = differences(i.Interface, d)
		}
	}
	return p
}

// frameOverhead is what an Ethernet header and its checksum add to the MTU, in
// bytes; a VLAN tag adds four more (IEEE 802.3, 79.3.4).
const frameOverhead = 18

// differences tells where what both ends say does not fit.
func differences(i model.Interface, d model.Discovery) (list []string) {
	duplex, speed := d.Duplex, uint32(0)
	if d.MACPHY != nil {
		if s, full, ok := mauSpeed(d.MACPHY.MAU); ok {
			speed = s
			duplex = map[bool]string{true: "full", false: "half"}[full]
		}
	}
	if i.Duplex != "" && duplex != "" && i.Duplex != duplex {
		list = append(list, fmt.Sprintf("duplex: %s here, %s there", i.Duplex, duplex))
	}
	if i.Speed != 0 && speed != 0 && i.Speed != speed {
		list = append(list, fmt.Sprintf("speed: %d Mbit/s here, %d there", i.Speed, speed))
	}
	if d.MACPHY != nil && d.MACPHY.Supported && i.Speed != 0 && i.Kind == "device" && d.MACPHY.Enabled != i.Autonegotiation {
		list = append(list, fmt.Sprintf("autonegotiation: %s here, %s there", onOff(i.Autonegotiation), onOff(d.MACPHY.Enabled)))
	}
	if d.Protocol == model.LLDP && d.MTU != 0 && uint32(i.MTU)+frameOverhead > d.MTU {
		list = append(list, fmt.Sprintf("MTU: frames of %d bytes here, at most %d there", i.MTU+frameOverhead, d.MTU))
	}
	if d.Protocol == model.CDP && d.MTU != 0 && uint32(i.MTU) > d.MTU {
		list = append(list, fmt.Sprintf("MTU: %d here, %d there", i.MTU, d.MTU))
	}
	return list
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// mauSpeed reads speed in Mbit/s and duplex from a MAU type's name (RFC 4836), e.g.
// "1000BaseTFD" or "dot3MauType100BaseTXHD".
func mauSpeed(name string) (speed uint32, full, ok bool) {
	text := strings.ToLower(name)
	for _, cut := range []string{"dot3mautype", "b", "mau"} {
		if cut != "b" || strings.HasPrefix(text, "b1") {
			text = strings.TrimPrefix(text, cut)
		}
	}
	digits := 0
	for digits < len(text) && text[digits] >= '0' && text[digits] <= '9' {
		speed = speed*10 + uint32(text[digits]-'0')
		digits++
	}
	rest := text[digits:]
	if digits == 0 || digits > 6 || !strings.Contains(rest, "base") {
		return 0, false, false
	}
	if strings.HasPrefix(rest, "gig") || strings.HasPrefix(rest, "gbase") {
		speed *= 1000
	}
	full = !strings.HasSuffix(rest, "hd")
	return speed, full, strings.HasSuffix(rest, "fd") || strings.HasSuffix(rest, "hd") || speed > 1000
}

// Switches are the devices that hosts are wired to, sorted by ID.
func (g *Graph) Switches() []model.Switch {
	list := []model.Switch{}
	g.read(func(v *view) {
		by := make(map[string][]model.Port)
		for _, p := range g.ports(v) {
			if p.State == model.NeighborPresent {
				for _, e := range v.in[p.PeerID] {
					if e.from.kind == model.KindSwitch {
						by[e.from.id] = append(by[e.from.id], p)
					}
				}
			}
		}
		for _, n := range v.sorted {
			if n.kind == model.KindSwitch {
				list = append(list, n.device(by[n.id]))
			}
		}
	})
	return list
}

func (n *node) device(ports []model.Port) model.Switch {
	d := n.says.Discovery
	s := model.Switch{
		ID: n.id, Name: d.SystemName, Chassis: d.Chassis, Description: d.SystemDescr, Platform: d.Platform,
		Capabilities: d.Enabled, Ports: ports,
	}
	if d.Protocol == model.CDP {
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

// Strangers are the machines that hosts see and where no agent is, sorted by ID.
func (g *Graph) Strangers() []model.Stranger {
	list := []model.Stranger{}
	g.read(func(v *view) {
		for _, n := range v.sorted {
			if n.sightings == nil {
				continue
			}
			a := model.Attrs{}
			n.strangerAttrs(a)
			s := model.Stranger{ID: n.id, MAC: n.sightings[0].MAC, Router: a["router"] != nil}
			s.Addresses, _ = a["addresses"].([]string)
			s.SeenBy, _ = a["seen_by"].([]string)
			for _, sighting := range n.sightings {
				if s.FirstSeen.IsZero() || sighting.FirstSeen.Before(s.FirstSeen) {
					s.FirstSeen = sighting.FirstSeen
				}
			}
			list = append(list, s)
		}
	})
	return list
}

// Interfaces are the interfaces that are there, of one host or of all, sorted by ID.
func (g *Graph) Interfaces(host string) []model.HostInterface {
	g.mu.RLock()
	defer g.mu.RUnlock()
	list := []model.HostInterface{}
	for _, i := range g.interfaces {
		if host == "" || host == i.host {
			list = append(list, model.HostInterface{Host: i.host, ID: i.id(), Interface: i.Interface})
		}
	}
	slices.SortFunc(list, func(a, b model.HostInterface) int { return natural(a.ID, b.ID) })
	return list
}

// maxFound bounds the answer to a search.
const maxFound = 200

// Find looks for a hardware address, an IP address or a name, and says where each
// thing is that has it.
func (g *Graph) Find(text string) []model.Found {
	found := []model.Found{}
	g.read(func(v *view) {
		match := matcher(text)
		for _, n := range v.sorted {
			if len(found) == maxFound {
				return
			}
			if what := match(n); what != "" {
				found = append(found, model.Found{ID: n.id, Kind: n.kind, Host: n.host, What: what, Where: v.where(n)})
			}
		}
	})
	return found
}

// matcher says what of a node is what somebody looks for, or "".
func matcher(text string) func(*node) string {
	if mac, err := net.ParseMAC(text); err == nil {
		want := mac.String()
		return func(n *node) string {
			switch {
			case n.iface != nil && n.iface.Address == want:
				return "hardware address of the interface"
			case n.iface != nil && n.iface.PermanentAddress == want:
				return "permanent hardware address of the interface"
			case n.says != nil && n.kind != model.KindSwitchPort && n.says.Chassis.ID == want:
				return "chassis"
			case n.says != nil && n.kind != model.KindSwitch && n.says.Port.ID == want:
				return "port"
			case n.says != nil && n.kind != model.KindSwitch && n.says.SourceMAC == want:
				return "sender of its frames"
			case n.sightings != nil && n.sightings[0].MAC == want:
				return "hardware address"
			}
			return ""
		}
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap()
		return func(n *node) string { return n.hasAddress(addr) }
	}
	want := strings.ToLower(text)
	return func(n *node) string {
		_, rest, _ := strings.Cut(n.id, ":")
		switch {
		case n.kind == model.KindIP || n.kind == model.KindMAC || n.kind == model.KindEndpoint:
			return ""
		case strings.Contains(strings.ToLower(rest), want):
			return "name"
		case n.says != nil && strings.Contains(strings.ToLower(n.says.SystemName), want):
			return "system name"
		case n.says != nil && n.kind == model.KindSwitchPort && strings.Contains(strings.ToLower(n.says.PortDescr), want):
			return "port description"
		case n.iface != nil && strings.Contains(strings.ToLower(n.iface.Alias), want):
			return "alias"
		}
		return ""
	}
}

func (n *node) hasAddress(addr netip.Addr) string {
	switch {
	case n.iface != nil:
		for prefix := range n.iface.Addresses {
			if p, err := netip.ParsePrefix(prefix); err == nil && p.Addr() == addr {
				return "address " + prefix
			}
		}
	case n.says != nil && n.kind == model.KindSwitch:
		for _, m := range n.says.Management {
			if m.Address == addr.String() {
				return "management address"
			}
		}
	case n.kind == model.KindUnknownHost && (n.addr == addr || n.hasSighting(addr)):
		return "address"
	case n.kind == model.KindService && n.service == nil && n.owners == nil && n.absent.at.Addr() == addr:
		return "address that is dialled"
	}
	return ""
}

// where says in words where a node is.
func (v *view) where(n *node) string {
	wires := func(here *node) (texts []string) {
		for _, e := range v.out[here.id] {
			if e.kind == model.EdgeWiredTo {
				texts = append(texts, strings.TrimPrefix(here.id, model.KindInterface+":")+" -> "+v.callEnd(e.to))
			}
		}
		return texts
	}
	var texts []string
	switch n.kind {
	case model.KindInterface:
		texts = wires(n)
	case model.KindHost:
		for _, e := range v.out[n.id] {
			if e.kind == model.EdgeOwns {
				texts = append(texts, wires(e.to)...)
			}
		}
	case model.KindSwitchPort, model.KindUnknownHost:
		for _, e := range v.in[n.id] {
			switch e.kind {
			case model.EdgeWiredTo:
				texts = append(texts, wires(e.from)...)
			case model.EdgeSees:
				texts = append(texts, "seen by "+strings.TrimPrefix(e.from.id, model.KindInterface+":"))
			}
		}
	case model.KindSwitch:
		texts = []string{fmt.Sprintf("%d ports with hosts", len(v.out[n.id]))}
	}
	return strings.Join(texts, ", ")
}

// callEnd is how people call the other end of a cable.
func (v *view) callEnd(n *node) string {
	if n.says == nil {
		return strings.TrimPrefix(n.id, model.KindInterface+":")
	}
	return n.says.title()
}
