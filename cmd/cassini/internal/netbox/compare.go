package netbox

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"cassini/model"
)

// Kinds of differences.
const (
	KindMachine   = "machine"
	KindInterface = "interface"
	KindMAC       = "mac"
	KindMTU       = "mtu"
	KindState     = "state"
	KindAddress   = "address"
)

// Difference is something that NetBox and Cassini do not say the same of.
type Difference struct {
	Kind      string `json:"kind"`
	Host      string `json:"host"`
	Interface string `json:"interface,omitempty"`
	NetBox    string `json:"netbox"` // "" where it has nothing of it
	Seen      string `json:"seen"`   // "" where it is not seen
	Note      string `json:"note,omitempty"`
}

// Compare tells what differs, host by host. With host only of that one. Of machines that
// NetBox alone has only those are told that should be there (their status is active) and
// that are nobody's neighbor: a switch that is heard needs no agent.
func Compare(v *Inventory, hosts []string, interfaces []model.HostInterface, neighbors []string, host string) []Difference {
	c := comparison{inventory: v, list: []Difference{}}
	here := newNames(hosts)
	heard := newNames(neighbors)
	machines := make(map[string]*Machine)
	for _, m := range v.Machines {
		switch name := here.find(m.Name); {
		case name != "":
			machines[name] = m
		case m.Status == "active" && heard.find(m.Name) == "":
			c.add(Difference{Kind: KindMachine, Host: m.Name, NetBox: m.kind(), Note: "no agent reports from it"})
		}
	}
	byHost := make(map[string][]model.HostInterface)
	for _, i := range interfaces {
		if i.State == model.InterfacePresent && i.Netns == "" {
			byHost[i.Host] = append(byHost[i.Host], i)
		}
	}
	for _, name := range hosts {
		m := machines[name]
		if m == nil {
			c.add(Difference{Kind: KindMachine, Host: name, Seen: "a host with an agent", Note: "NetBox has no device and no virtual machine of that name"})
			continue
		}
		if m.Status != "active" {
			c.add(Difference{Kind: KindMachine, Host: name, NetBox: m.kind() + ", " + m.Status, Seen: "a host with an agent"})
		}
		c.host(name, m, byHost[name])
	}
	slices.SortStableFunc(c.list, func(a, b Difference) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(a.Interface, b.Interface), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Seen+a.NetBox, b.Seen+b.NetBox))
	})
	return slices.DeleteFunc(c.list, func(d Difference) bool { return host != "" && d.Host != host })
}

func (m *Machine) kind() string {
	if m.Virtual {
		return "virtual machine"
	}
	return "device"
}

type comparison struct {
	inventory *Inventory
	list      []Difference
}

func (c *comparison) add(d Difference) { c.list = append(c.list, d) }

// host compares the interfaces of one host.
func (c *comparison) host(name string, m *Machine, seen []model.HostInterface) {
	known := make(map[string]bool)
	for _, i := range seen {
		theirs := i.Name
		if m.Interfaces[theirs] == nil {
			for _, alt := range i.AltNames {
				if m.Interfaces[alt] != nil {
					theirs = alt
				}
			}
		}
		n := m.Interfaces[theirs]
		if n == nil {
			if lasting(i) {
				c.add(Difference{Kind: KindInterface, Host: name, Interface: i.Name, Seen: describe(i)})
			}
			continue
		}
		known[theirs] = true
		c.iface(name, i, n)
	}
	for _, iface := range sortedNames(m.Interfaces) {
		if !known[iface] {
			c.add(Difference{Kind: KindInterface, Host: name, Interface: iface, NetBox: "an interface", Note: "the host has none of that name"})
		}
	}
}

// lasting says whether an interface is one that an inventory should have: cards, bonds and
// VLANs, but not what containers and virtual machines come and go with.
func lasting(i model.HostInterface) bool {
	return (i.Kind == "device" || i.Kind == "bond" || i.Kind == "vlan") && i.Name != "lo"
}

func describe(i model.HostInterface) string {
	return strings.TrimSpace(i.Kind + " " + i.Address)
}

func (c *comparison) iface(host string, i model.HostInterface, n *Interface) {
	add := func(kind, netbox, seen string) {
		c.add(Difference{Kind: kind, Host: host, Interface: i.Name, NetBox: netbox, Seen: seen})
	}
	own := cmp.Or(i.PermanentAddress, i.Address) // what a bond gives its slaves is not theirs
	if n.MAC != "" && own != "" && !strings.EqualFold(n.MAC, own) && !strings.EqualFold(n.MAC, i.Address) {
		add(KindMAC, strings.ToLower(n.MAC), own)
	}
	if n.MTU != 0 && n.MTU != i.MTU {
		add(KindMTU, strconv.Itoa(n.MTU), strconv.Itoa(i.MTU))
	}
	if n.Enabled != i.Up {
		add(KindState, enabled(n.Enabled), enabled(i.Up))
	}
	c.addresses(host, i, n)
}

func enabled(up bool) string {
	if up {
		return "enabled"
	}
	return "disabled"
}

// addresses compares those that mean something beyond the link. Addresses that DHCP or
// autoconfiguration gave need not be in NetBox.
func (c *comparison) addresses(host string, i model.HostInterface, n *Interface) {
	theirs := make(map[netip.Addr]netip.Prefix)
	for _, p := range n.Addresses {
		theirs[p.Addr()] = p
	}
	for _, text := range slices.Sorted(maps.Keys(i.Addresses)) {
		how := i.Addresses[text]
		p, err := netip.ParsePrefix(text)
		if err != nil || how.Scope != "global" {
			continue
		}
		d := Difference{Kind: KindAddress, Host: host, Interface: i.Name, Seen: text}
		planned, ok := theirs[p.Addr()]
		delete(theirs, p.Addr())
		switch {
		case ok && planned != p:
			d.NetBox = planned.String()
			c.add(d)
		case !ok && !how.Dynamic:
			if holder := c.inventory.holders[p.Addr()]; holder != "" {
				d.Note = fmt.Sprintf("NetBox has it at %s", holder)
			}
			c.add(d)
		}
	}
	for _, p := range theirs {
		c.add(Difference{Kind: KindAddress, Host: host, Interface: i.Name, NetBox: p.String(), Note: "the interface does not have it"})
	}
}

func sortedNames(m map[string]*Interface) []string { return slices.Sorted(maps.Keys(m)) }
