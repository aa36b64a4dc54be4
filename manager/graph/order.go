package graph

import (
	"iter"
	"slices"
)

// order is nodes of a view by ID, since somebody first asked for it. Nobody may change the list: a
// question that is being answered may have it.
type order struct {
	compared bool    // only those that differences are told of
	list     []int32 // their indices, as far as late and gone are empty; nil before somebody asks
	late     []int32 // came since
	gone     []int32 // went since: others may have these indices by now
}

// byID are the nodes by ID.
func (v *view) byID() iter.Seq[*node] {
	list := v.indicesByID(&v.inOrder)
	return func(yield func(*node) bool) {
		for _, i := range list {
			if !yield(v.list[i]) {
				return
			}
		}
	}
}

// indicesByID are the indices of an order. Nobody may change the list.
func (v *view) indicesByID(o *order) []int32 {
	v.ordering.Lock()
	defer v.ordering.Unlock()
	o.follow(v)
	return o.list
}

// follow puts in order what came, and leaves out what went.
func (o *order) follow(v *view) {
	if o.list == nil {
		o.list, o.late, o.gone = v.inRanks(compareNodes, o.has, idRank), nil, nil
	}
	if len(o.late)+len(o.gone) == 0 {
		return
	}
	gone := make(members, (len(v.list)+63)/64)
	for _, i := range o.gone {
		gone.add(int(i))
	}
	list := make([]int32, 0, len(o.list)+len(o.late))
	for _, i := range o.list {
		if !gone.has(int(i)) {
			list = append(list, i)
		}
	}
	late := slices.DeleteFunc(o.late, func(i int32) bool { return v.list[i] == nil || !o.has(v.list[i].kind) })
	compare := func(a, b int32) int { return compareNodes(v.list[a], v.list[b]) }
	slices.SortFunc(late, compare)
	o.list, o.late, o.gone = putAmong(list, slices.Compact(late), compare), nil, nil
}

// has says whether nodes of a kind are in it.
func (o *order) has(kind nodeKind) bool { return !o.compared || compared(kind) }

// changes remembers the index of a node that came or went. Where so many did that nobody may ever
// ask, the order is made anew for who does.
func (o *order) changes(list *[]int32, n *node) {
	switch {
	case o.list == nil || !o.has(n.kind):
	case len(o.late)+len(o.gone) > lateMost+len(o.list)/latePart:
		o.list, o.late, o.gone = nil, nil, nil
	default:
		*list = append(*list, n.index)
	}
}

// How many nodes may come or go until an order is given up: so many, and besides a part of all.
const (
	lateMost = 1024
	latePart = 4
)

// comes tells orders of a node that came, goes of one that goes.
func (v *view) comes(n *node) {
	for _, o := range [...]*order{&v.inOrder, &v.compared} {
		o.changes(&o.late, n)
	}
}

func (v *view) goes(n *node) {
	for _, o := range [...]*order{&v.inOrder, &v.compared} {
		o.changes(&o.gone, n)
	}
}

// putAmong puts what came last among what is in order, from behind, as far as any of it goes. Both are
// in order; what it makes may have the memory of the first.
func putAmong[T any](inOrder, last []T, compare func(a, b T) int) []T {
	list := append(inOrder, last...)
	for at := len(list); len(last) > 0; {
		x := last[len(last)-1]
		last = last[:len(last)-1]
		from, _ := slices.BinarySearchFunc(inOrder, x, compare)
		at -= copy(list[at-len(inOrder[from:]):at], inOrder[from:]) + 1
		list[at], inOrder = x, inOrder[:from]
	}
	return list
}

// allEdges are the edges by ID, in a list of the caller's own.
func (v *view) allEdges() []*edge {
	n := 0
	for _, c := range v.edgeCount {
		n += c
	}
	list := make([]*edge, 0, n)
	sorted := true
	for from := range v.byID() {
		if len(from.out()) > 0 && len(list) > 0 && compareEdges(list[len(list)-1], from.out()[0]) > 0 {
			sorted = false // the identifier of one node begins as that of another
		}
		list = append(list, from.out()...)
	}
	if !sorted {
		slices.SortFunc(list, compareEdges)
	}
	return list
}
