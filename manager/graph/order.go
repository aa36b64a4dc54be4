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
		v.ordered, v.late, v.gone = slices.AppendSeq(make([]*node, 0, v.nodes.Len()), v.all()), nil, false
		slices.SortFunc(v.ordered, compareNodes)
	}
	if !v.gone && len(v.late) == 0 {
		return v.ordered
	}
	v.indices = nil
	is := func(n *node) bool { return n.index >= 0 }
	list := make([]*node, 0, len(v.ordered)+len(v.late))
	slices.SortFunc(v.late, compareNodes)
	i := 0
	for _, n := range v.late {
		if !is(n) {
			continue
		}
		at, _ := slices.BinarySearchFunc(v.ordered[i:], n, compareNodes)
		for _, before := range v.ordered[i : i+at] {
			if is(before) {
				list = append(list, before)
			}
		}
		i += at
		list = append(list, n)
	}
	for _, n := range v.ordered[i:] {
		if is(n) {
			list = append(list, n)
		}
	}
	v.ordered, v.late, v.gone = list, nil, false
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
