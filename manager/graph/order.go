package graph

import "slices"

// byID are the nodes by ID. Nobody may change the list.
func (v *view) byID() []*node {
	v.ordering.Lock()
	defer v.ordering.Unlock()
	return v.inOrder()
}

// indicesByID are the nodes by ID, with their indices. Nobody may change the lists.
func (v *view) indicesByID() ([]*node, []int32) {
	v.ordering.Lock()
	defer v.ordering.Unlock()
	list := v.inOrder()
	if v.indices == nil {
		v.indices = make([]int32, len(list))
		inParts(len(list), indicesApart, func(from, end int) {
			for i := from; i < end; i++ {
				v.indices[i] = list[i].index
			}
		})
	}
	return list, v.indices
}

// indicesApart is how many nodes are worth a processor of their own.
const indicesApart = 10_000

// inOrder does what byID does, for who has the lock.
func (v *view) inOrder() []*node {
	if v.ordered == nil {
		v.ordered, v.late, v.gone = slices.AppendSeq(make([]*node, 0, v.size()), v.all()), nil, false
		slices.SortFunc(v.ordered, compareNodes)
	}
	if !v.gone && len(v.late) == 0 {
		return v.ordered
	}
	v.indices = nil
	gone := func(n *node) bool { return n.index < 0 }
	list := slices.DeleteFunc(append(make([]*node, 0, len(v.ordered)+len(v.late)), v.ordered...), gone)
	late := slices.DeleteFunc(v.late, gone)
	slices.SortFunc(late, compareNodes)
	list = putAmong(list, late, compareNodes)
	v.ordered, v.late, v.gone = list, nil, false
	return list
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
	for _, from := range v.byID() {
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

// comesLate remembers a node for the order. Where so many came that nobody may ever ask for it, it
// is made anew for who does.
func (v *view) comesLate(n *node) {
	switch {
	case v.ordered == nil:
	case len(v.late) > lateMost+len(v.ordered)/latePart:
		v.ordered, v.late, v.indices = nil, nil, nil
	default:
		v.late = append(v.late, n)
	}
}

// How many nodes may come late: so many, and besides a part of all.
const (
	lateMost = 1024
	latePart = 4
)
