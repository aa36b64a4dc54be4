package graph

import (
	"slices"
	"strings"
)

// ordered are nodes of a view by ID: those that differences are told of.
type ordered struct {
	nodes []*node // all, by index
	list  []int32 // the indices of these
}

func (v *view) ordered() ordered { return ordered{v.list, v.indicesByID(&v.compared)} }

func (o ordered) to(end int) ordered     { return ordered{o.nodes, o.list[:end]} }
func (o ordered) from(first int) ordered { return ordered{o.nodes, o.list[first:]} }

// before is how many come before a node of another view.
func (o ordered) before(n *node) int {
	at, _ := slices.BinarySearchFunc(o.list, n.id, func(i int32, id string) int { return strings.Compare(o.nodes[i].id, id) })
	return at
}

// at is one by its place, nil behind the last.
func (o ordered) at(i int) *node {
	if i == len(o.list) {
		return nil
	}
	return o.nodes[o.list[i]]
}

// sideBySide calls f with nodes of two views that have the same identifier, and with nil for those that
// are in one of them alone. It does not even look at two that are the same by their indices.
func sideBySide(then, now ordered, same func(was, is int32) bool, f func(was, is *node)) {
	for i, j := 0, 0; i < len(then.list) || j < len(now.list); {
		if i < len(then.list) && j < len(now.list) && same(then.list[i], now.list[j]) {
			i, j = i+1, j+1
			continue
		}
		was, is := firstOf(then.at(i), now.at(j), func(n *node) string { return n.id })
		i, j = i+b2i(was != nil), j+b2i(is != nil)
		f(was, is)
	}
}

// mergeEdges does so with edges of a kind from two nodes, of which one may not be there.
func mergeEdges(was, is *node, kind edgeKind, f func(was, is *edge)) {
	for a, b := was.to(kind), is.to(kind); len(a) > 0 || len(b) > 0; {
		x, y := firstOf(head(a), head(b), func(e *edge) string { return e.to.id })
		a, b = a[b2i(x != nil):], b[b2i(y != nil):]
		f(x, y)
	}
}

func head(list []*edge) *edge {
	if len(list) == 0 {
		return nil
	}
	return list[0]
}

// firstOf is what has the first name of two, of which one may be nil: both where it is of both, else
// nil of the other.
func firstOf[T any](a, b *T, name func(*T) string) (x, y *T) {
	if a == nil || b == nil {
		return a, b
	}
	order := strings.Compare(name(a), name(b))
	if order <= 0 {
		x = a
	}
	if order >= 0 {
		y = b
	}
	return x, y
}
