package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"cassini/model"
)

// OverviewOf tells an estate on one screen: what there is, what ails since an earlier
// moment, what came and went since, and what must not die. No list is longer than limit.
func OverviewOf(before, now *Graph, limit int) model.Overview {
	o := model.Overview{There: now.there(), Sick: []model.Ailment{}}
	o.Sick = append(o.Sick, now.deaths()...)
	o.Sick = append(o.Sick, failing(before, now)...)
	o.Sick = append(o.Sick, now.linksDown()...)
	for _, p := range now.Ports(PortFilter{}) {
		if len(p.Differences) > 0 {
			o.Sick = append(o.Sick, model.Ailment{Node: p.ID, What: "the ends of its cable differ: " + strings.Join(p.Differences, "; ")})
		}
	}
	o.Sick = o.Sick[:min(len(o.Sick), limit)]
	d := DiffGraphs(before, now)
	o.Came, o.Went = grouped(d.Came, limit), grouped(d.Went, limit)
	o.SinglePoints, _ = now.SinglePoints("")
	o.SinglePoints = o.SinglePoints[:min(len(o.SinglePoints), limit)]
	return o
}

func (g *Graph) there() map[string]int {
	s := g.Stats()
	there := map[string]int{"dependency": s.Edges[model.EdgeDependsOn], model.KindService: s.Services[model.StateListening]}
	for _, kind := range []string{model.KindHost, model.KindSwitch, model.KindUnknownHost} {
		there[kind] = s.Nodes[kind]
	}
	return there
}

// failing are dependencies that failed since, the most often first.
func failing(before, now *Graph) (list []model.Ailment) {
	earlier := make(map[string]uint64)
	old, _ := before.Dependencies(DependencyFilter{})
	for _, d := range old {
		earlier[d.ID] = d.Failed
	}
	deps, _ := now.Dependencies(DependencyFilter{})
	type worse struct {
		model.DependencyView
		by uint64
	}
	var all []worse
	for _, d := range deps {
		if d.Failed > earlier[d.ID] {
			all = append(all, worse{d, d.Failed - earlier[d.ID]})
		}
	}
	slices.SortFunc(all, func(a, b worse) int { return cmp.Or(cmp.Compare(b.by, a.by), strings.Compare(a.ID, b.ID)) })
	for _, w := range all {
		list = append(list, model.Ailment{Node: w.ID, What: fmt.Sprintf("failed to connect %d times", w.by)})
	}
	return list
}

// linksDown are interfaces that are set up and have no carrier, but for those that never
// had one.
func (g *Graph) linksDown() (list []model.Ailment) {
	for _, i := range g.Interfaces("") {
		if i.Up && i.Carrier == 0 && i.CarrierChanges > 1 && (i.Kind == "device" || i.Kind == "bond") {
			list = append(list, model.Ailment{Node: i.ID, What: "has no carrier"})
		}
	}
	return list
}

// grouped counts changes by kind, the most of a kind first.
func grouped(changes []model.Change, limit int) []model.Group {
	groups := []model.Group{}
	for _, c := range changes { // they come by kind
		if len(groups) == 0 || groups[len(groups)-1].Kind != c.Kind {
			groups = append(groups, model.Group{Kind: c.Kind})
		}
		g := &groups[len(groups)-1]
		if g.Count++; len(g.First) < limit {
			g.First = append(g.First, strings.TrimPrefix(c.ID, c.Kind+":"))
		}
	}
	slices.SortStableFunc(groups, func(a, b model.Group) int { return cmp.Compare(b.Count, a.Count) })
	return groups
}
