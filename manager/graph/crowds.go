package graph

import "slices"

// crowdFrom is how many edges to a node, such as those of a name server's clients, are kept in
// order all the time. Where there are more, another one is put last: to make room for it among
// the others would take longer the more there are. They are put in order before somebody asks.
const crowdFrom = 1024

// arrives puts an edge among those to its node.
func (v *view) arrives(e *edge) {
	n := e.to
	if in := n.in(); n.crowd == 0 && len(in) < v.g.crowdFrom {
		at, _ := slices.BinarySearchFunc(in, e, compareEdges)
		n.edges.insert(int(n.outs)+at, e)
		return
	}
	if n.crowd == 0 {
		v.crowded = append(v.crowded, n)
	}
	n.edges.insert(len(n.edges.all()), e)
	n.crowd++
}

// order puts edges in order that came last.
func (v *view) order() {
	for _, n := range v.crowded {
		n.order()
	}
	clear(v.crowded) // no node that is gone
	v.crowded = v.crowded[:0]
}

// order puts the edges to a node in order.
func (n *node) order() {
	if n.crowd == 0 {
		return
	}
	in := n.in()
	before := len(in) - int(n.crowd)
	last := slices.Clone(in[before:])
	slices.SortFunc(last, compareEdges)
	putAmong(in[:before], last, compareEdges) // in the same place
	n.crowd = 0
}
