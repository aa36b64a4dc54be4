package graph

import (
	"slices"

	"cassini/model"
)

// alike says that a node has the same attributes in another graph, but for those that
// always move, without making them. It says no where it cannot tell so easily.
func (n *node) alike(o *node) bool {
	switch n.kind {
	case nodeHost:
		h, i := n.facts(), o.facts()
		return h != nil && i != nil && h.name == i.name && same(h.identity, i.identity) && same(h.os, i.os) &&
			same(n.status(), o.status()) && n.onRing() == o.onRing() && n.labels().Equal(o.labels())
	case nodeService:
		s, t := n.service(), o.service()
		return s != nil && t != nil && s.alike(t)
	case nodeInterface:
		i, j := n.iface(), o.iface()
		return i != nil && j != nil && alikeInterfaces(i, j)
	case nodeSwitch, nodeSwitchPort:
		d, e := n.says(), o.says()
		return d != nil && e != nil && alikeNeighbors(d, e)
	case nodeSubnet:
		return true
	}
	return false
}

// same says that both are not there, or are equal.
func same[T comparable](a, b *T) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

func (s *service) alike(o *service) bool {
	return s.id == o.id && s.proto == o.proto && s.port == o.port && s.netns == o.netns && s.state == o.state && s.since == o.since && s.ended == o.ended &&
		slices.EqualFunc(s.listeners, o.listeners, alikeListeners)
}

// alikeListeners compares numbers of processes too: by them it is told which of several
// listeners is the owner.
func alikeListeners(a, b listening) bool {
	return a.more == nil && b.more == nil && a.charged == b.charged &&
		a.addr == b.addr && a.pid == b.pid && a.since == b.since && a.ended == b.ended && a.listens == b.listens && a.approx == b.approx &&
		(a.program == b.program || alikeProcesses(&a.program.Process, &b.program.Process))
}

// alikeProcesses does not know what containers are called.
func alikeProcesses(a, b *model.Process) bool {
	return a.Exe == b.Exe && a.Comm == b.Comm && a.CalledAs == b.CalledAs && slices.Equal(a.Cmdline, b.Cmdline) && a.UID == b.UID && a.GID == b.GID && a.Cwd == b.Cwd &&
		a.Cgroup == b.Cgroup && a.Partial == b.Partial && same(a.Home, b.Home) && (a.Home == nil || a.Home.ContainerID == "")
}

func alikeInterfaces(a, b *iface) bool {
	return a.Name == b.Name && a.Kind == b.Kind && a.MTU == b.MTU && a.Up == b.Up && a.OperState == b.OperState && (a.Carrier != 0) == (b.Carrier != 0) &&
		a.Netns == b.Netns && a.Address == b.Address && a.Alias == b.Alias && a.Speed == b.Speed && a.Duplex == b.Duplex && a.Driver == b.Driver &&
		a.VLAN == b.VLAN && slices.Equal(a.DefaultGateways, b.DefaultGateways) &&
		slices.EqualFunc(a.addresses, b.addresses, func(x, y prefix) bool { return x.text == y.text })
}

func alikeNeighbors(a, b *neighbor) bool {
	return a.Chassis == b.Chassis && a.Port == b.Port && a.PortDescr == b.PortDescr && a.SystemName == b.SystemName && a.SystemDescr == b.SystemDescr &&
		a.Platform == b.Platform && a.PortVLAN == b.PortVLAN && slices.Equal(a.Capabilities, b.Capabilities) && slices.Equal(a.Management, b.Management)
}
