// Package netbox holds what NetBox says of hosts against what Cassini sees of them. It
// reads NetBox's REST API (version 4, https://netboxlabs.com/docs/netbox/integrations/rest-api/)
// and never writes to it.
package netbox

import (
	"net/netip"
	"strings"

	"cassini/model"
)

// Inventory is what NetBox has of machines.
type Inventory struct {
	Machines []*Machine // by name
	// holders are where NetBox has an address, "web-1 eth0".
	holders map[netip.Addr]string
}

// Machine is a device or a virtual machine.
type Machine struct {
	Name       string
	Virtual    bool
	Status     string // active, planned, offline, ...
	Interfaces map[string]*Interface
}

// Interface is one of a machine.
type Interface struct {
	MAC       string // aa:bb:cc:dd:ee:ff in any case; "" where NetBox has none
	MTU       int    // 0 where NetBox has none
	Enabled   bool
	Addresses []netip.Prefix
	// Far is where its cable ends, over patch panels; of cables with several ends the first.
	Far *End
}

// End is a port of a device.
type End struct{ Device, Port string }

// Cables are those of hosts, as a plan for package wiring: the host by the name that it
// has here.
func (v *Inventory) Cables(hosts []string) (cables []model.PlannedCable) {
	names := newNames(hosts)
	for _, m := range v.Machines {
		host := names.find(m.Name)
		if host == "" {
			continue
		}
		for _, name := range sortedNames(m.Interfaces) {
			if far := m.Interfaces[name].Far; far != nil {
				cables = append(cables, model.PlannedCable{Host: host, Interface: name, CableEnd: model.CableEnd{Switch: far.Device, Port: far.Port}})
			}
		}
	}
	return cables
}

// names find hosts by what somebody else calls them.
type names struct {
	exact map[string]string
	short map[string]string // "" where several hosts have it
}

func newNames(hosts []string) names {
	n := names{exact: make(map[string]string), short: make(map[string]string)}
	for _, h := range hosts {
		n.exact[strings.ToLower(h)] = h
		label, _, _ := strings.Cut(strings.ToLower(h), ".")
		if _, taken := n.short[label]; taken {
			h = ""
		}
		n.short[label] = h
	}
	return n
}

// find is the host of a name, in any case; where one of both has no domain, that counts for
// any. It is "" for none, or where several could be meant.
func (n names) find(name string) string {
	name = strings.ToLower(name)
	if h := n.exact[name]; h != "" {
		return h
	}
	label, domain, _ := strings.Cut(name, ".")
	h := n.short[label]
	if _, theirs, _ := strings.Cut(strings.ToLower(h), "."); domain != "" && theirs != "" {
		return "" // another domain
	}
	return h
}
