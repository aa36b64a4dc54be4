package graph

import (
	"slices"

	"cassini/model"
)

// Path is a shortest way between two nodes, whatever the direction of its edges;
// empty when they are the same or nothing joins them. Nodes that join everything with
// everything, as a subnet does, are ends of a way but not on it. unknown is the first of
// them that there is not.
func (g *Graph) Path(from, to string) (steps []model.Step, unknown string) {
	steps = []model.Step{}
	g.read(func(v *view) {
		a, b := v.named(from), v.named(to)
		switch {
		case a == nil:
			unknown = from
		case b == nil:
			unknown = to
		case a != b:
			steps = v.path(a, b)
		}
	})
	return steps, unknown
}

// path looks from both ends at once, each time from where fewer edges lead on.
func (v *view) path(a, b *node) []model.Step {
	from, to := newSearch(a), newSearch(b)
	for len(from.level) > 0 && len(to.level) > 0 {
		if from.edges <= to.edges {
			if n, e := from.widen(to); e != nil {
				return slices.Concat(from.way(n), []model.Step{e.step(n)}, to.back(e.other(n)))
			}
		} else if n, e := to.widen(from); e != nil {
			return slices.Concat(from.way(e.other(n)), []model.Step{e.step(e.other(n))}, to.back(n))
		}
	}
	return []model.Step{}
}

// search is what was reached from one end of a path.
type search struct {
	end   *node
	came  map[*node]*edge // by which each was reached; nil at the end
	level []*node         // reached last
	edges int             // that lead on from there
}

func newSearch(end *node) *search {
	return &search{end: end, came: map[*node]*edge{end: nil}, level: []*node{end}, edges: len(end.out()) + len(end.in())}
}

// leads says whether a way can go on from a node.
func (s *search) leads(n *node) bool { return n == s.end || !joinsAll(n) }

// widen goes one edge on from all that was reached last, until it meets what was reached
// from the other end: by an edge from a node.
func (s *search) widen(far *search) (*node, *edge) {
	level := s.level
	s.level, s.edges = nil, 0
	for _, n := range level {
		if !s.leads(n) {
			continue
		}
		for _, edges := range [2][]*edge{n.out(), n.in()} {
			for _, e := range edges {
				if e.kind == edgeNext {
					continue // who watches whom is no way
				}
				other := e.other(n)
				if _, known := s.came[other]; known {
					continue
				}
				if _, met := far.came[other]; met && far.leads(other) {
					return n, e
				}
				s.came[other] = e
				s.level = append(s.level, other)
				if s.leads(other) {
					s.edges += len(other.out()) + len(other.in())
				}
			}
		}
	}
	return nil, nil
}

// back are the steps from a node that was reached to the end.
func (s *search) back(n *node) (steps []model.Step) {
	for e := s.came[n]; e != nil; e = s.came[n] {
		steps = append(steps, e.step(n))
		n = e.other(n)
	}
	return steps
}

// way are the steps from the end to a node that was reached.
func (s *search) way(n *node) (steps []model.Step) {
	for e := s.came[n]; e != nil; e = s.came[n] {
		n = e.other(n)
		steps = append(steps, e.step(n))
	}
	slices.Reverse(steps)
	return steps
}

// other is the other end of an edge.
func (e *edge) other(n *node) *node {
	if e.to == n {
		return e.from
	}
	return e.to
}

// step is along an edge from one of its ends.
func (e *edge) step(from *node) model.Step {
	return model.Step{From: from.id, Kind: e.kind.String(), To: e.other(from).id, Against: e.to == from}
}

// joinsAll says whether a node is no more than a number that many things have.
func joinsAll(n *node) bool {
	return n.kind == nodeSubnet || n.kind == nodeVLAN || n.kind == nodeRing
}
