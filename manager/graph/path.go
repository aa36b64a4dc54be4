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
		a, b := v.nodes[from], v.nodes[to]
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

// came is how a node was reached.
type came struct {
	by   *edge
	from *node
}

func (v *view) path(a, b *node) []model.Step {
	reached := map[*node]came{a: {}}
	for level := []*node{a}; len(level) > 0; {
		var next []*node
		for _, n := range level {
			if n != a && joinsAll(n) {
				continue
			}
			for _, e := range n.around() {
				if e.kind == model.EdgeNext {
					continue // who watches whom is no way
				}
				other := e.to
				if other == n {
					other = e.from
				}
				if _, known := reached[other]; known {
					continue
				}
				reached[other] = came{e, n}
				if other == b {
					return retrace(reached, b)
				}
				next = append(next, other)
			}
		}
		level = next
	}
	return []model.Step{}
}

// joinsAll says whether a node is no more than a number that many things have.
func joinsAll(n *node) bool {
	return n.kind == model.KindSubnet || n.kind == model.KindVLAN || n.kind == model.KindRing
}

func (n *node) around() []*edge { return slices.Concat(n.out, n.in) }

func retrace(reached map[*node]came, end *node) []model.Step {
	steps := []model.Step{}
	for at := end; reached[at].by != nil; at = reached[at].from {
		c := reached[at]
		steps = append(steps, model.Step{From: c.from.id, Kind: c.by.kind, To: at.id, Against: c.by.to == c.from})
	}
	slices.Reverse(steps)
	return steps
}
