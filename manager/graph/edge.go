package graph

import (
	"cmp"
	"strings"
	"unsafe"

	"cassini/model"
)

// edge is one relation. Only depends_on has documents, for which there is room behind it.
type edge struct {
	from, to *node
	held     int32 // how often something has it; of depends_on how many documents are Out
	kind     edgeKind
}

// dependsOn is an edge of that kind, in one piece of memory with its documents: most edges are of
// others, and need not know where theirs are.
type dependsOn struct {
	edge
	evidence
}

// newEdge is an edge that nothing has yet.
func newEdge(kind edgeKind, from, to *node) *edge {
	if kind == edgeDependsOn {
		return &(&dependsOn{edge: edge{kind: kind, from: from, to: to}}).edge
	}
	return &edge{kind: kind, from: from, to: to}
}

// facts are the documents of depends_on, as newEdge has made it; nil of others.
func (e *edge) facts() *evidence {
	if e.kind != edgeDependsOn {
		return nil
	}
	return &(*dependsOn)(unsafe.Pointer(e)).evidence
}

// outs are the documents of the client's end.
func (e *edge) outs() []*dependency {
	if e.kind != edgeDependsOn {
		return nil
	}
	return e.facts().docs()[:e.held]
}

// ins are the documents of the service's end.
func (e *edge) ins() []*dependency {
	if e.kind != edgeDependsOn {
		return nil
	}
	return e.facts().docs()[e.held:]
}

// id is the edge's identifier: made when it is asked for, since it is longer than all else
// of the edge.
func (e *edge) id() string { return model.EdgeID(e.kind.String(), e.from.id, e.to.id) }

// compareEdges orders edges as their identifiers do, without making these.
func compareEdges(a, b *edge) int {
	if a.from == b.from {
		return compareOut(a.kind, a.to, b.kind, b.to)
	}
	if a.from.ranks.id != 0 && b.from.ranks.id != 0 && !a.from.begins && !b.from.begins {
		return cmp.Compare(a.from.ranks.id, b.from.ranks.id)
	}
	x, y := a.from.id, b.from.id
	if n := min(len(x), len(y)); x[:n] != y[:n] {
		return strings.Compare(x, y) // neither begins as the other
	}
	return compareParts([...]string{a.from.id, " -", a.kind.String(), "-> ", a.to.id}, [...]string{b.from.id, " -", b.kind.String(), "-> ", b.to.id})
}

// compareOut orders edges from one node as their identifiers do: no kind goes on from another
// with what sorts before the "->" behind it.
func compareOut(kindA edgeKind, toA *node, kindB edgeKind, toB *node) int {
	if kindA != kindB {
		return strings.Compare(kindA.String(), kindB.String())
	}
	return compareNodes(toA, toB)
}

// compareParts compares texts that lie in parts.
func compareParts(a, b [5]string) int {
	i, j := 0, 0
	for x, y := a[0], b[0]; ; {
		n := min(len(x), len(y))
		if c := strings.Compare(x[:n], y[:n]); c != 0 {
			return c
		}
		x, y = x[n:], y[n:]
		for x == "" && i < len(a)-1 {
			i++
			x = a[i]
		}
		for y == "" && j < len(b)-1 {
			j++
			y = b[j]
		}
		if x == "" || y == "" {
			return len(x) - len(y)
		}
	}
}
