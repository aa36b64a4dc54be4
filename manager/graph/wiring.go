package graph

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"cassini/manager/vendors"
	"cassini/model"
)

// network adds interfaces, their addresses and what they are wired to. It returns the
// interfaces by hardware address.
func (b *builder) network() (byMAC map[string][]*node) {
	byMAC = make(map[string][]*node)
	for _, i := range b.g.interfaces {
		n := b.iface(i)
		b.ownedBy[i.host] = append(b.ownedBy[i.host], n)
		if i.Address != "" && strings.Trim(i.Address, "0:") != "" {
			byMAC[i.Address] = append(byMAC[i.Address], n)
		}
	}
	for _, i := range b.g.interfaces {
		b.standsOn(i, i.Master)
		b.standsOn(i, i.Parent)
	}
	for _, n := range b.g.neighbors {
		if n.State == model.NeighborPresent {
			b.wire(n, byMAC)
		}
	}
	return byMAC
}

func (b *builder) iface(i *iface) *node {
	n, _ := b.node(i.id(), model.KindInterface, i.host)
	n.iface = i
	b.edge(model.EdgeOwns, b.host(i.host), n)
	if i.Address != "" && strings.Trim(i.Address, "0:") != "" {
		mac, _ := b.node(model.KindMAC+":"+i.Address, model.KindMAC, "")
		mac.text = i.Address
		b.edge(model.EdgeHas, n, mac)
	}
	if i.VLAN != 0 {
		b.edge(model.EdgeIn, n, b.vlan(i.VLAN, ""))
	}
	for prefix := range i.Addresses {
		p, err := netip.ParsePrefix(prefix)
		if err != nil || p.Addr().IsLoopback() || p.Addr().IsLinkLocalUnicast() {
			continue // they mean something on one link alone
		}
		ip, _ := b.node(model.KindIP+":"+p.Addr().String(), model.KindIP, "")
		ip.addr = p.Addr()
		b.edge(model.EdgeHas, n, ip)
		if !p.IsSingleIP() {
			subnet, _ := b.node(model.KindSubnet+":"+p.Masked().String(), model.KindSubnet, "")
			subnet.text = p.Masked().String()
			b.edge(model.EdgeIn, ip, subnet)
		}
	}
	return n
}

func (b *builder) standsOn(i *iface, other string) {
	if other == "" {
		return
	}
	if under := b.nodes[model.InterfaceID(i.host, other, i.Netns)]; under != nil {
		b.edge(model.EdgeOn, b.nodes[i.id()], under)
	}
}

// wire joins an interface with what it hears.
func (b *builder) wire(n *neighbor, byMAC map[string][]*node) {
	here := b.nodes[n.interfaceID()]
	if here == nil {
		return // its own document is still to come
	}
	there := b.otherEnd(n, here, byMAC)
	if here.peers == nil {
		here.peers = make(map[model.Name]string)
	}
	here.peers[n.name] = there.id
	b.edge(model.EdgeWiredTo, here, there)
}

// otherEnd is the interface of a host with an agent where the frames tell one, else
// the port of a switch, else a host that nobody watches.
func (b *builder) otherEnd(n *neighbor, here *node, byMAC map[string][]*node) *node {
	if peer := b.hostEnd(n, here, byMAC); peer != nil {
		return peer
	}
	chassis := n.Chassis.ID
	if n.Protocol != model.LLDP {
		if same := b.sameDevice(n); same != nil {
			n = same // both protocols tell of one cable
			chassis = same.Chassis.ID
		}
	}
	if station(n.Discovery) {
		host, _ := b.node(model.KindUnknownHost+":"+chassis, model.KindUnknownHost, "")
		host.says = n
		return host
	}
	sw, _ := b.node(model.SwitchID(chassis), model.KindSwitch, "")
	port, _ := b.node(model.SwitchPortID(chassis, n.Port.ID), model.KindSwitchPort, "")
	for _, x := range []*node{sw, port} {
		if x.says == nil || preferNeighbor(n, x.says) {
			x.says = n
		}
	}
	b.edge(model.EdgeHas, sw, port)
	b.vlans(port, n.Discovery)
	return port
}

// vlans joins a port of a switch with the VLANs that it says it carries.
func (b *builder) vlans(port *node, d model.Discovery) {
	if d.PortVLAN != 0 {
		b.edge(model.EdgeIn, port, b.vlan(int(d.PortVLAN), ""))
	}
	for _, v := range d.VLANs {
		if v.ID != 0 {
			b.edge(model.EdgeIn, port, b.vlan(int(v.ID), v.Name))
		}
	}
}

// vlan is the node of a VLAN. Switches may call it differently: the first name in
// their order stands.
func (b *builder) vlan(number int, name string) *node {
	n, _ := b.node(model.VLANID(number), model.KindVLAN, "")
	n.text = strconv.Itoa(number)
	if name != "" && (n.name == "" || name < n.name) {
		n.name = name
	}
	return n
}

// preferNeighbor chooses one of several that tell of the same device: LLDP before
// CDP, then by name, so that the order of documents does not matter.
func preferNeighbor(a, b *neighbor) bool {
	if a.Protocol != b.Protocol {
		return a.Protocol > b.Protocol // LLDP, then FDP, then CDP
	}
	return a.name.String() < b.name.String()
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
func (b *builder) sameDevice(n *neighbor) (found *neighbor) {
	short, _, _ := strings.Cut(n.Chassis.ID, ".")
	for _, o := range b.g.heard[n.interfaceID()] {
		if o.Protocol != model.LLDP || o.State != model.NeighborPresent {
			continue
		}
		name, _, _ := strings.Cut(o.SystemName, ".")
		if o.SourceMAC == n.SourceMAC || short != "" && strings.EqualFold(name, short) {
			if found == nil || preferNeighbor(o, found) {
				found = o
			}
		}
	}
	return found
}

// hostEnd is the interface of a known host that a neighbor is: by the hardware
// address of its port, or by a chassis of ours and the port's name.
func (b *builder) hostEnd(n *neighbor, here *node, byMAC map[string][]*node) *node {
	if n.Port.Kind == "mac" {
		if peer := only(byMAC[n.Port.ID], here); peer != nil {
			return peer
		}
	}
	hosts := make(map[string]bool)
	for _, x := range byMAC[n.Chassis.ID] {
		hosts[x.host] = true
	}
	if len(hosts) != 1 || n.Chassis.Kind != "mac" {
		return nil
	}
	var named []*node
	for host := range hosts {
		for _, e := range b.ownedBy[host] {
			if e.iface.Name == n.Port.ID {
				named = append(named, e)
			}
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
	case model.KindInterface:
		return n.iface.attrs()
	case model.KindMAC:
		a := model.Attrs{"address": n.text}
		set(a, "vendor", vendors.Of(n.text))
		return a
	case model.KindSubnet:
		return model.Attrs{"prefix": n.text}
	case model.KindVLAN:
		a := model.Attrs{"vlan": n.text}
		set(a, "name", n.name)
		return a
	case model.KindSwitch:
		a := model.Attrs{"chassis": n.says.Chassis.ID, "chassis_kind": n.says.Chassis.Kind}
		set(a, "name", n.says.SystemName)
		set(a, "description", n.says.SystemDescr)
		set(a, "platform", n.says.Platform)
		setList(a, "capabilities", n.says.Capabilities)
		if ip, ok := n.says.ManagementIP(); ok {
			a["management"] = ip
		}
		return a
	case model.KindSwitchPort:
		a := model.Attrs{"port": n.says.Port.ID, "port_kind": n.says.Port.Kind, "switch": model.SwitchID(n.says.Chassis.ID)}
		set(a, "description", n.says.PortDescr)
		set(a, "switch_name", n.says.SystemName)
		set(a, "vlan", n.says.PortVLAN)
		return a
	}
	a := model.Attrs{"name": or(n.says.SystemName, n.says.Chassis.ID), "chassis": n.says.Chassis.ID, "port": n.says.Port.ID}
	set(a, "description", n.says.SystemDescr)
	return a
}

func (i *iface) attrs() model.Attrs {
	a := model.Attrs{
		"host": i.host, "name": i.Name, "kind": i.Kind, "mtu": i.MTU, "up": i.Up,
		"operstate": i.OperState, "carrier": i.Carrier != 0, "carrier_changes": i.CarrierChanges,
	}
	set(a, "netns", i.Netns)
	set(a, "address", i.Address)
	set(a, "vendor", i.vendor)
	set(a, "alias", i.Alias)
	set(a, "speed", i.Speed)
	set(a, "duplex", i.Duplex)
	set(a, "driver", i.Driver)
	set(a, "vlan", i.VLAN)
	setList(a, "addresses", sortedKeys(i.Addresses))
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
