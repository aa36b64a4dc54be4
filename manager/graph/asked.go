package graph

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"cassini/model"
)

// askedNames are the names by which hosts asked for addresses, by name of the document.
// They say what somebody asked a name server: a label, never an identity. So they are on
// the dependency, on services that no agent knows and on hosts without one, and join
// nothing.
type askedNames map[model.Name]*model.Asked

func (g *Graph) applyAsked(doc model.Document) bool {
	if doc.Gone() {
		delete(g.asked, doc.Name)
		g.topology++
		return true
	}
	var a model.Asked
	if doc.Decode(&a) != nil || !a.Addr.IsValid() || a.Key() != doc.Key || len(a.Names) == 0 {
		return false
	}
	g.asked[doc.Name] = &a
	g.topology++
	forgetOldest(g, g.asked, func(a *model.Asked) time.Time { return a.Names[0].First }, func(n model.Name) { delete(g.asked, n) })
	return true
}

// of are the names that the hosts of Out documents were told the server's address for.
func (all askedNames) of(outs []*dependency) []string {
	var asked []*model.Asked
	for _, d := range outs {
		if a := all[model.Name{Host: d.host, Package: model.PackageNames, Key: model.AskedKey(d.Server, d.netns)}]; a != nil {
			asked = append(asked, a)
		}
	}
	return newestNames(asked)
}

// newestNames joins what several hosts were told, the newest first.
func newestNames(asked []*model.Asked) (list []string) {
	var names []model.AskedName
	for _, a := range asked {
		names = append(names, a.Names...)
	}
	if len(asked) > 1 { // of one, the order is the agent's
		slices.SortFunc(names, func(a, b model.AskedName) int {
			return cmp.Or(b.First.Compare(a.First), strings.Compare(a.Name, b.Name))
		})
	}
	for _, n := range names {
		if !slices.Contains(list, n.Name) {
			list = append(list, n.Name)
		}
	}
	return list
}

// askedAs are the names of a service that no agent knows, or of an unknown host.
func (n *node) askedAs() []string {
	if n.dialled != nil {
		return n.g.asked.of(n.dialled)
	}
	return newestNames(n.asked)
}

// askedHosts finds what hosts were told of the addresses of unknown hosts.
func (b *builder) askedHosts() {
	unknown := make(map[netip.Addr]*node)
	for _, n := range b.nodes {
		if n.kind == model.KindUnknownHost && n.addr.IsValid() {
			unknown[n.addr] = n
		}
	}
	for _, a := range b.g.asked {
		if n := unknown[a.Addr]; n != nil {
			n.asked = append(n.asked, a)
		}
	}
	for _, n := range unknown { // the order of documents must not matter
		slices.SortFunc(n.asked, func(a, b *model.Asked) int {
			return cmp.Or(b.Names[0].First.Compare(a.Names[0].First), strings.Compare(a.Names[0].Name, b.Names[0].Name))
		})
	}
}
