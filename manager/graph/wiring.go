package graph

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"unsafe"

	"cassini/manager/vendors"
	"cassini/model"
)

// network adds interfaces, their addresses, what they are wired to and what they see.
func (v *view) network() {
	for i := range v.g.interfaces() {
		v.addInterface(i)
	}
	for i := range v.g.interfaces() {
		v.addOn(i)
	}
	for n := range v.g.neighbors() {
		n.wire, n.there = nil, ""
	}
	for n := range v.g.neighbors() {
		v.addWire(n)
	}
	v.strangers()
	for _, f := range v.g.forwarding {
		v.addForwarding(f)
	}
}

// addInterface adds an interface with its addresses. It is false, and nothing is added, when
// another document tells of the same interface.
func (v *view) addInterface(i *iface) bool {
	n, _ := v.node(i.id(), nodeInterface, i.host)
	if n.fact != nil {
		return false
	}
	n.fact = unsafe.Pointer(i)
	v.hold(edgeOwns, v.host(i.host), n)
	v.parts(i, n, func(kind edgeKind, from, to *node) { v.hold(kind, from, to) })
	return true
}

// dropInterface undoes addInterface. It is false, and nothing has changed, when another
// document tells of the same interface.
func (v *view) dropInterface(i *iface) bool {
	n := v.named(i.id())
	if n == nil || n.iface() != i {
		return false
	}
	v.parts(i, n, func(kind edgeKind, from, to *node) { v.release(v.find(kind, from, to)) })
	v.release(v.find(edgeOwns, v.host(i.host), n))
	n.fact = nil
	v.unsum(n)
	v.suspects = append(v.suspects, n)
	return true
}

// parts tells what an interface has: its hardware address, its addresses and its VLAN.
func (v *view) parts(i *iface, n *node, each func(kind edgeKind, from, to *node)) {
	if i.Address != "" && strings.Trim(i.Address, "0:") != "" {
		mac, _ := v.node(model.KindMAC+":"+i.Address, nodeMAC, "")
		each(edgeHas, n, mac)
	}
	if i.VLAN != 0 {
		each(edgeIn, n, v.vlan(i.VLAN))
	}
	for _, text := range i.prefixes() {
		p, err := netip.ParsePrefix(text)
		if err != nil || p.Addr().IsLoopback() || p.Addr().IsLinkLocalUnicast() {
			continue // they mean something on one link alone
		}
		ip, _ := v.node(model.KindIP+":"+p.Addr().String(), nodeIP, "")
		each(edgeHas, n, ip)
		if !p.IsSingleIP() {
			subnet, _ := v.node(model.KindSubnet+":"+p.Masked().String(), nodeSubnet, "")
			each(edgeIn, ip, subnet)
		}
	}
}

// addOn joins an interface with those that it stands on.
func (v *view) addOn(i *iface) {
	v.standsOn(i, func(n, under *node) { v.hold(edgeOn, n, under) })
}

// dropOn undoes addOn, as long as interfaces are what they were.
func (v *view) dropOn(i *iface) {
	v.standsOn(i, func(n, under *node) { v.release(v.find(edgeOn, n, under)) })
}

func (v *view) standsOn(i *iface, each func(n, under *node)) {
	for _, other := range []string{i.Master, i.Parent} {
		if other == "" {
			continue
		}
		if n, under := v.named(i.id()), v.named(model.InterfaceID(i.host, other, i.Netns)); n != nil && under != nil {
			each(n, under)
		}
	}
}

// otherEnd is the interface of a host with an agent where the frames tell one, else
// the port of a switch, else a host that nobody watches.
func (v *view) otherEnd(n *neighbor, here *node) *node {
	if peer := v.hostEnd(n, here); peer != nil {
		return peer
	}
	chassis, w := n.Chassis.ID, n.wire
	if n.Protocol != model.LLDP {
		if same := v.sameDevice(n); same != nil {
			n = same // both protocols tell of one cable
			chassis = same.Chassis.ID
			w.as = n
		}
	}
	claim := func(x *node) {
		x.knows().claim(n)
		v.unsum(x)
		w.claimed = append(w.claimed, x)
	}
	if station(n.Discovery) {
		host, _ := v.node(model.KindUnknownHost+":"+chassis, nodeUnknownHost, "")
		claim(host)
		return host
	}
	sw, _ := v.node(model.SwitchID(chassis), nodeSwitch, "")
	port, _ := v.node(model.SwitchPortID(chassis, n.Port.ID), nodeSwitchPort, "")
	claim(sw)
	claim(port)
	w.edges = append(w.edges, v.hold(edgeHas, sw, port))
	w.edges = v.vlans(w.edges, port, n.Discovery)
	return port
}

// vlans joins a port of a switch with the VLANs that it says it carries.
func (v *view) vlans(edges []*edge, port *node, d model.Discovery) []*edge {
	if d.PortVLAN != 0 {
		edges = append(edges, v.hold(edgeIn, port, v.vlan(int(d.PortVLAN))))
	}
	for _, vlan := range d.VLANs {
		if vlan.ID != 0 {
			edges = append(edges, v.hold(edgeIn, port, v.vlan(int(vlan.ID))))
		}
	}
	return edges
}

// vlan is the node of a VLAN.
func (v *view) vlan(number int) *node {
	n, _ := v.node(model.VLANID(number), nodeVLAN, "")
	return n
}

// vlanName is how the switches call a VLAN. They may call it differently: the first name in
// their order stands.
func (n *node) vlanName() (name string) {
	for _, e := range n.in() {
		w := e.from.claimed()
		if w == nil {
			continue
		}
		for _, says := range w.claims {
			for _, v := range says.VLANs {
				if v.Name != "" && model.VLANID(int(v.ID)) == n.id && (name == "" || v.Name < name) {
					name = v.Name
				}
			}
		}
	}
	return name
}

// compareNeighbors orders several that tell of the same device, the one that is believed first:
// LLDP before FDP and CDP, then by name, so that the order of documents does not matter.
func compareNeighbors(a, b *neighbor) int {
	return cmp.Or(strings.Compare(b.Protocol, a.Protocol), strings.Compare(a.host, b.host), strings.Compare(a.key, b.key))
}

// station says whether a device says that it is an end of the network.
func station(d model.Discovery) bool {
	caps := d.Enabled
	if len(caps) == 0 {
		caps = d.Capabilities
	}
	for _, c := range caps {
		switch c {
		case "station", "station-only", "host", "telephone", "phone":
		default:
			return false
		}
	}
	return len(caps) > 0
}

// sameDevice is the LLDP neighbor on the same interface that a CDP neighbor is: the
// same sender, or the same name.
func (v *view) sameDevice(n *neighbor) (found *neighbor) {
	short, _, _ := strings.Cut(n.Chassis.ID, ".")
	for o := range v.g.heardAt(n) {
		if o.Protocol != model.LLDP || o.State != model.NeighborPresent {
			continue
		}
		name, _, _ := strings.Cut(o.SystemName, ".")
		if o.SourceMAC == n.SourceMAC || short != "" && strings.EqualFold(name, short) {
			if found == nil || compareNeighbors(o, found) < 0 {
				found = o
			}
		}
	}
	return found
}

// hostEnd is the interface of a known host that a neighbor is: by the hardware
// address of its port, or by a chassis of ours and the port's name.
func (v *view) hostEnd(n *neighbor, here *node) *node {
	if n.Port.Kind == "mac" {
		if peer := only(v.cards(n.Port.ID), here); peer != nil {
			return peer
		}
	}
	if n.Chassis.Kind != "mac" {
		return nil
	}
	hosts := hostsOf(v.cards(n.Chassis.ID))
	if len(hosts) != 1 {
		return nil
	}
	var named []*node
	for _, i := range v.g.interfacesOf(hosts[0]) {
		if i.Name == n.Port.ID {
			named = append(named, v.named(i.id()))
		}
	}
	return only(named, here)
}

// only is the one node of a list besides another, or nil.
func only(nodes []*node, besides *node) (one *node) {
	for _, n := range nodes {
		if n == besides {
			continue
		}
		if one != nil {
			return nil
		}
		one = n
	}
	return one
}

// networkAttrs are the attributes of the nodes that this file makes.
func (n *node) networkAttrs() model.Attrs {
	switch n.kind {
	case nodeInterface:
		return n.iface().attrs()
	case nodeMAC:
		a := model.Attrs{"address": n.text()}
		set(a, "vendor", vendors.Of(n.text()))
		return a
	case nodeSubnet:
		return model.Attrs{"prefix": n.text()}
	case nodeVLAN:
		a := model.Attrs{"vlan": n.text()}
		set(a, "name", n.vlanName())
		return a
	case nodeSwitch:
		a := model.Attrs{"chassis": n.says().Chassis.ID, "chassis_kind": n.says().Chassis.Kind}
		set(a, "name", n.says().SystemName)
		set(a, "description", n.says().SystemDescr)
		set(a, "platform", n.says().Platform)
		setList(a, "capabilities", n.says().Capabilities)
		if ip, ok := n.says().ManagementIP(); ok {
			a["management"] = ip
		}
		return a
	case nodeSwitchPort:
		a := model.Attrs{"port": n.says().Port.ID, "port_kind": n.says().Port.Kind, "switch": model.SwitchID(n.says().Chassis.ID)}
		set(a, "description", n.says().PortDescr)
		set(a, "switch_name", n.says().SystemName)
		set(a, "vlan", n.says().PortVLAN)
		return a
	}
	a := model.Attrs{"name": or(n.says().SystemName, n.says().Chassis.ID), "chassis": n.says().Chassis.ID, "port": n.says().Port.ID}
	set(a, "description", n.says().SystemDescr)
	return a
}

func (i *iface) attrs() model.Attrs {
	a := model.Attrs{
		"host": i.host, "name": i.Name, "kind": i.Kind, "mtu": i.MTU, "up": i.Up,
		"operstate": i.OperState, "carrier": i.Carrier != 0, "carrier_changes": i.CarrierChanges,
	}
	set(a, "netns", i.Netns)
	set(a, "address", i.Address)
	set(a, "vendor", vendors.Of(i.Address))
	set(a, "alias", i.Alias)
	set(a, "speed", i.Speed)
	set(a, "duplex", i.Duplex)
	set(a, "driver", i.Driver)
	set(a, "vlan", i.VLAN)
	setList(a, "addresses", i.prefixes())
	if len(i.DefaultGateways) > 0 {
		a["default_gateways"] = i.DefaultGateways
	}
	return a
}

func setList(a model.Attrs, key string, values []string) {
	if len(values) > 0 {
		a[key] = slices.Clone(values)
	}
}
