package graph

import (
	"cmp"
	"slices"
	"strings"

	"cassini/manager/vendors"
	"cassini/model"
)

// Programs are the programs of one host or of all that were seen, by name and host. A prefix
// is that of a name or, where it begins with a slash, of a path.
func (g *Graph) Programs(host, prefix string) []model.ProgramView {
	list := []model.ProgramView{}
	g.read(func(v *view) {
		for n := range v.all() {
			if n.kind != nodeProcess || host != "" && host != n.host() {
				continue
			}
			p, ok := n.latest()
			of := p.Program()
			if strings.HasPrefix(prefix, "/") {
				of = p.Exe
			}
			if ok && strings.HasPrefix(of, prefix) {
				list = append(list, n.program(p))
			}
		}
	})
	slices.SortFunc(list, func(a, b model.ProgramView) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), natural(a.ID, b.ID))
	})
	return list
}

func (n *node) program(p model.Process) model.ProgramView {
	v := model.ProgramView{ID: n.id, Host: n.host(), Name: p.Program(), Process: p, Where: n.g.containers.where(n.host(), p)}
	for _, e := range n.in() {
		if e.kind == edgeRunsAs && e.from.listens() {
			v.Listening++
			v.Dials += dials(e.from)
		}
	}
	v.Dials += dials(n)
	return v
}

func dials(n *node) (count int) {
	for _, e := range n.out() {
		if e.kind == edgeDependsOn {
			count++
		}
	}
	return count
}

// Cards are the network cards of one host or of all by maker, those of none that is known last.
func (g *Graph) Cards(host string) []model.Card {
	list := []model.Card{}
	for _, i := range g.Interfaces(host) {
		if i.Kind == "device" && i.Address != "" {
			list = append(list, model.Card{
				ID: i.ID, Host: i.Host, Name: i.Name, Address: i.Address, Vendor: vendors.Of(i.Address),
				Driver: i.Driver, Speed: i.Speed, Up: i.Up && i.Carrier != 0,
			})
		}
	}
	slices.SortStableFunc(list, func(a, b model.Card) int {
		if (a.Vendor == "") != (b.Vendor == "") {
			return -strings.Compare(a.Vendor, b.Vendor)
		}
		return strings.Compare(a.Vendor, b.Vendor)
	})
	return list
}

// Unknown is what hosts dial, are dialled by or see and no agent knows, that with the most
// clients first: services on addresses of nobody, and machines.
func (g *Graph) Unknown() []model.UnknownNode {
	list := []model.UnknownNode{}
	g.read(func(v *view) {
		for n := range v.byID() {
			if n.kind != nodeUnknownHost && (n.kind != nodeService || n.state() != StateAbsent || n.supposed() != "") {
				continue
			}
			u := model.UnknownNode{ID: n.id, Kind: n.kind.String(), AskedAs: n.askedAs(), Clients: len(n.far(n.in(), edgeDependsOn)), Dials: dials(n), SeenBy: len(n.far(n.in(), edgeSees))}
			if s := n.stranger(); s != nil {
				u.Vendor = s.describe(n.g, n.id).Vendor
			}
			list = append(list, u)
		}
	})
	slices.SortStableFunc(list, func(a, b model.UnknownNode) int {
		return cmp.Or(cmp.Compare(b.Clients, a.Clients), cmp.Compare(b.Dials, a.Dials), cmp.Compare(b.SeenBy, a.SeenBy))
	})
	return list
}
