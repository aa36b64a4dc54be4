package graph

// fewEdges is how many edges of a node are gone through one by one while all is joined, when they are in
// no order. Most nodes have fewer.
const fewEdges = 16

// edgeKey is an edge by what it joins.
type edgeKey struct {
	from, to *node
	kind     edgeKind
}

func (e *edge) key() edgeKey { return edgeKey{e.from, e.to, e.kind} }

// amongAll finds an edge while all is joined, or nil.
func (v *view) amongAll(kind edgeKind, from, to *node) *edge {
	out := from.out()
	if len(out) > fewEdges {
		return v.bulk[edgeKey{from, to, kind}]
	}
	for _, e := range out {
		if e.to == to && e.kind == kind {
			return e
		}
	}
	return nil
}

// keepAmongAll has amongAll find an edge that its node is about to get.
func (v *view) keepAmongAll(fresh *edge) {
	out := fresh.from.out()
	if len(out) < fewEdges {
		return
	}
	if len(out) == fewEdges {
		for _, e := range out {
			v.bulk[e.key()] = e
		}
	}
	v.bulk[fresh.key()] = fresh
}
