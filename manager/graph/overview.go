package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"cassini/model"
)

// OverviewOf tells an estate on one screen: what there is, what ails since an earlier
// moment, what came and went since, and what must not die. No list is longer than limit.
func OverviewOf(before, now *Graph, limit int) model.Overview {
	d := DiffGraphs(before, now)
	o := model.Overview{There: now.there(), Sick: now.ailments(before, d.Flapping)}
	o.Sick = o.Sick[:min(len(o.Sick), limit)]
	o.Came, o.Went = grouped(d.Came, limit), grouped(d.Went, limit)
	o.SinglePoints, _ = now.SinglePoints("")
	o.SinglePoints = o.SinglePoints[:min(len(o.SinglePoints), limit)]
	return o
}

// ProblemsOf are all that ails an estate since an earlier moment, with the services that
// went since, and nothing else; at most limit.
func ProblemsOf(before, now *Graph, limit int) model.Overview {
	o := model.Overview{There: map[string]int{}, Came: []model.Group{}, Went: []model.Group{}, SinglePoints: []model.SinglePoint{}}
	d := DiffGraphs(before, now)
	o.Sick = now.ailments(before, d.Flapping)
	for _, c := range d.Went {
		if c.Kind == model.KindService && !slices.ContainsFunc(o.Sick, func(a model.Ailment) bool { return a.Node == c.ID }) {
			o.Sick = append(o.Sick, model.Ailment{Node: c.ID, What: "is gone"})
		}
	}
	o.Sick = o.Sick[:min(len(o.Sick), limit)]
	return o
}

// ailments are what is flapping, deaths, failing dependencies, links without a carrier and
// cables whose ends differ. What is flapping is told as that alone.
func (g *Graph) ailments(before *Graph, flapping []model.Flapping) []model.Ailment {
	list := g.deaths()
	list = append(list, failing(before, g)...)
	list = append(list, g.linksDown()...)
	for _, p := range g.Ports(PortFilter{}) {
		if len(p.Differences) > 0 {
			list = append(list, model.Ailment{Node: p.ID, What: "the ends of its cable differ: " + strings.Join(p.Differences, "; ")})
		}
	}
	known := make(map[string]bool)
	unsteady := []model.Ailment{}
	for _, f := range flapping {
		known[f.ID] = true
		window := time.Duration(f.WindowSeconds) * time.Second
		unsteady = append(unsteady, model.Ailment{Node: f.ID, What: fmt.Sprintf("is flapping: %d changes in %.0f minutes; now: %s", f.Changes, window.Minutes(), f.State)})
	}
	list = slices.DeleteFunc(list, func(a model.Ailment) bool { return known[a.Node] })
	return append(unsteady, list...)
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
