package graph

import (
	"slices"
	"strings"

	"cassini/model"
)

// DependencyFilter selects dependencies; an empty field matches everything.
type DependencyFilter struct {
	Host string // of either end
	// Of is a service, process, host or unknown host to begin at. Down follows
	// what it depends on, up who depends on it, Depth times.
	Of       string
	Down, Up bool
	Depth    int
}

// Dependencies are who is client of whom, sorted by ID. The second answer is
// false when there is no node Of.
func (g *Graph) Dependencies(f DependencyFilter) (list []model.DependencyView, ok bool) {
	list = []model.DependencyView{}
	g.read(func(v *view) {
		var found []*edge
		found, ok = v.dependencies(f)
		for _, e := range found {
			list = append(list, e.dependency())
		}
	})
	return list, ok
}

// DependencyGraph is the same as nodes and edges.
func (g *Graph) DependencyGraph(f DependencyFilter) (p model.Graph, ok bool) {
	g.read(func(v *view) {
		var found []*edge
		found, ok = v.dependencies(f)
		chosen := make(map[*node]bool)
		for _, e := range found {
			chosen[e.from], chosen[e.to] = true, true
		}
		p = part(chosen, found)
	})
	return p, ok
}

func (v *view) dependencies(f DependencyFilter) (list []*edge, ok bool) {
	among := v.edges
	if f.Of != "" {
		start := v.nodes[f.Of]
		if start == nil {
			return nil, false
		}
		among = v.reach(start, f)
	}
	for _, e := range among {
		if e.kind == model.EdgeDependsOn && (f.Host == "" || f.Host == e.from.host || f.Host == e.to.host) {
			list = append(list, e)
		}
	}
	return list, true
}

func (v *view) reach(start *node, f DependencyFilter) []*edge {
	found := make(map[*edge]bool)
	if f.Down {
		walk(v.within(start, true), f.Depth, found, func(n *node) []*edge { return n.out }, func(e *edge) []*node {
			return e.to.far(e.to.out, model.EdgeRunsAs)
		})
	}
	if f.Up {
		walk(v.within(start, false), f.Depth, found, func(n *node) []*edge { return n.in }, func(e *edge) []*node {
			return e.from.far(e.from.in, model.EdgeRunsAs)
		})
	}
	list := make([]*edge, 0, len(found))
	for e := range found {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b *edge) int { return strings.Compare(a.id, b.id) })
	return list
}

// walk follows depends_on edges from a set of nodes, breadth first; over says
// where an edge that was followed leads on from.
func walk(level []*node, depth int, found map[*edge]bool, along func(*node) []*edge, over func(*edge) []*node) {
	seen := make(map[*node]bool)
	for ; depth > 0 && len(level) > 0; depth-- {
		var next []*node
		for _, n := range level {
			if seen[n] {
				continue
			}
			seen[n] = true
			for _, e := range along(n) {
				if e.kind == model.EdgeDependsOn {
					found[e] = true
					next = append(next, over(e)...)
				}
			}
		}
		level = next
	}
}

// within lists the nodes that have depends_on edges on a node's behalf: going
// down the processes, going up the services.
func (v *view) within(n *node, down bool) []*node {
	switch {
	case n.kind == model.KindService && down:
		return n.far(n.out, model.EdgeRunsAs)
	case n.kind == model.KindProcess && !down:
		return n.far(n.in, model.EdgeRunsAs)
	case n.kind == model.KindHost && down:
		return append(n.far(n.out, model.EdgeHas), n)
	case n.kind == model.KindHost:
		return n.far(n.out, model.EdgeRuns)
	case n.kind == model.KindEndpoint && !down:
		return n.far(n.in, model.EdgeListensOn)
	}
	return []*node{n}
}

// far lists the nodes at the other end of those of a node's edges that are of a kind.
func (n *node) far(among []*edge, kind string) (list []*node) {
	for _, e := range among {
		if e.kind != kind {
			continue
		}
		if e.from == n {
			list = append(list, e.to)
		} else {
			list = append(list, e.from)
		}
	}
	return list
}
