package graph

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"cassini/model"
)

// Unmonitored are things that nobody watches: hosts that are on no ring with others,
// machines without an agent, and services that somebody dials and no agent knows; those
// with the most clients first.
func (g *Graph) Unmonitored() []model.Unmonitored {
	list := []model.Unmonitored{}
	g.read(func(v *view) {
		for n := range v.byID() {
			if u := v.unmonitored(n); u.Why != "" {
				u.ID, u.Kind = n.id, n.kind.String()
				list = append(list, u)
			}
		}
	})
	slices.SortStableFunc(list, func(a, b model.Unmonitored) int {
		return cmp.Or(cmp.Compare(b.Clients, a.Clients), cmp.Compare(b.Seen, a.Seen), cmp.Compare(a.Kind, b.Kind), natural(a.ID, b.ID))
	})
	return list
}

func (v *view) unmonitored(n *node) (u model.Unmonitored) {
	switch n.kind {
	case nodeHost:
		if n.status() == nil && !n.heard() {
			u.Why = "no other host watches it"
		}
	case nodeUnknownHost:
		u.Why = "no agent reports from there"
		u.Seen = len(n.far(n.in(), edgeSees))
	case nodeService:
		u.Clients = len(n.far(n.in(), edgeDependsOn))
		if n.state() == StateAbsent {
			u.Why = dialledBy(u.Clients) + ", and no agent knows it"
			if host := n.supposed(); host != "" {
				u.Why = fmt.Sprintf("%s, and %s's agent sees nothing listen there", dialledBy(u.Clients), host)
			}
		}
	}
	return u
}

// supposed is the host with an agent on which a service would be that nobody knows; "" if
// that is not told by the address.
func (n *node) supposed() string {
	if n.g.hosts[n.host()] != nil {
		return n.host()
	}
	for _, e := range n.in() {
		for _, d := range e.outs() {
			if p := n.g.whose(d.link.target.server, n.g.vantage(d)); p != nil {
				return p.host
			}
		}
	}
	return ""
}

func dialledBy(programs int) string {
	if programs == 1 {
		return "1 program dials it"
	}
	return fmt.Sprintf("%d programs dial it", programs)
}

// Versions are the kernels, systems and agents of hosts, those of the most hosts first.
func (g *Graph) Versions() []model.Version {
	hosts := make(map[[2]string][]string)
	g.mu.RLock()
	for name, h := range g.hosts {
		add := func(of, version string) {
			if version != "" {
				hosts[[2]string{of, version}] = append(hosts[[2]string{of, version}], name)
			}
		}
		if h.identity != nil {
			add("agent", h.identity.Agent)
		}
		if h.os != nil {
			add("kernel", h.os.Kernel)
			add("os", h.os.Name)
		}
	}
	g.mu.RUnlock()
	list := make([]model.Version, 0, len(hosts))
	for key, names := range hosts {
		slices.SortFunc(names, natural)
		list = append(list, model.Version{Of: key[0], Version: key[1], Hosts: names})
	}
	slices.SortFunc(list, func(a, b model.Version) int {
		return cmp.Or(strings.Compare(a.Of, b.Of), cmp.Compare(len(b.Hosts), len(a.Hosts)), natural(a.Version, b.Version))
	})
	return list
}

// AllAddresses are the IP addresses that hosts have or somebody uses, in order. With
// state only those in that state.
func (g *Graph) AllAddresses(state string) []model.Address {
	found := make(map[netip.Addr]*model.Address)
	g.read(func(v *view) {
		for n := range v.byID() {
			addr := n.addr()
			if n.kind == nodeService && n.state() == StateAbsent {
				addr = n.dialledAt()
			}
			if !addr.IsValid() || addr.IsLoopback() || addr.IsUnspecified() || n.kind == nodeEndpoint {
				continue
			}
			a := found[addr]
			if a == nil {
				a = &model.Address{Addr: addr, State: model.AddressUnknown, Owners: []string{}}
				found[addr] = a
			}
			v.owners(n, a)
		}
	})
	list := []model.Address{}
	for _, a := range found {
		if state == "" || state == a.State {
			list = append(list, *a)
		}
	}
	slices.SortFunc(list, func(a, b model.Address) int { return a.Addr.Compare(b.Addr) })
	return list
}

// owners adds who has an address by a node of it: the interfaces that have an ip, or what
// is known by its address alone.
func (v *view) owners(n *node, a *model.Address) {
	if n.kind != nodeIP {
		a.Owners = append(a.Owners, n.id)
		return
	}
	holders := n.far(n.in(), edgeHas)
	for _, owner := range holders {
		a.Owners = append(a.Owners, owner.id)
		if owner.kind == nodeInterface {
			a.State = model.AddressOwned
		}
	}
	if len(hostsOf(holders)) > 1 {
		a.State = model.AddressShared
	}
}

func hostsOf(nodes []*node) (hosts []string) {
	for _, n := range nodes {
		if n.host() != "" && !slices.Contains(hosts, n.host()) {
			hosts = append(hosts, n.host())
		}
	}
	return hosts
}
