package graph

import (
	"cmp"
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

func (g *Graph) applyAsked(doc *Decoded) bool {
	g.words++
	if doc.Gone() {
		g.dropAsked(doc.Name)
		return true
	}
	var a model.Asked
	if !take(doc, &a) || !a.Addr.IsValid() || a.Key() != doc.Key || len(a.Names) == 0 {
		return false
	}
	g.dropAsked(doc.Name)
	g.asked[doc.Name] = &a
	g.askedOf[a.Addr] = append(g.askedOf[a.Addr], &a)
	forgetOldest(g, g.asked, func(a *model.Asked) time.Time { return a.Names[0].First }, g.dropAsked)
	return true
}

func (g *Graph) dropAsked(name model.Name) {
	a := g.asked[name]
	if a == nil {
		return
	}
	delete(g.asked, name)
	if g.askedOf[a.Addr] = remove(g.askedOf[a.Addr], a); g.askedOf[a.Addr] == nil {
		delete(g.askedOf, a.Addr)
	}
}

// of are the names that the hosts of Out documents were told the server's address for.
func (all askedNames) of(outs []*dependency) []string {
	if len(all) == 0 {
		return nil
	}
	var asked []*model.Asked
	for _, d := range outs {
		if a := all[model.Name{Host: d.host, Package: model.PackageNames, Key: model.AskedKey(d.asDialled().link.target.server.Addr, d.netns)}]; a != nil {
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
	if n.kind != nodeUnknownHost {
		return n.g.asked.of(n.dialled())
	}
	if addr := n.addr(); addr.IsValid() {
		return newestNames(n.g.askedOf[addr])
	}
	return nil
}
