package graph

import (
	"net/netip"
	"slices"
	"strings"

	"cassini/model"
)

// Unused are services that listen and that nobody was ever seen to be a client of,
// sorted by identifier.
func (g *Graph) Unused(host string) []model.Service {
	return g.listen(host, func(v *view, n *node) bool {
		if model.IsTap(n.service().proto) {
			return false // it has no clients
		}
		return !slices.ContainsFunc(n.in(), func(e *edge) bool { return e.kind == edgeDependsOn })
	})
}

// Exposed are services that listen on every address of their host, and packet and raw
// sockets that hear more than the loopback, sorted by identifier.
func (g *Graph) Exposed(host string) []model.Service {
	return g.listen(host, func(_ *view, n *node) bool {
		if s := n.service(); model.IsTap(s.proto) {
			return hearsOthers(s.owner())
		}
		return slices.ContainsFunc(n.service().addrs(), netip.Addr.IsUnspecified)
	})
}

func (g *Graph) listen(host string, which func(*view, *node) bool) []model.Service {
	list := []model.Service{}
	g.read(func(v *view) {
		for n := range v.byID() {
			if n.listens() && (host == "" || host == n.host()) && which(v, n) {
				list = append(list, g.containers.show(n.service()))
			}
		}
	})
	slices.SortFunc(list, func(a, b model.Service) int { return strings.Compare(a.ID, b.ID) })
	return list
}
