package graph

import (
	"cmp"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// ranks are a node's places in two orders, so that sorting compares numbers and not names
// that lie all over memory: by identifier, and by what a person expects ("web-2" before
// "web-10"). They are given to all nodes now and then; one that has none yet is
// compared by its name, which is the same order.
type ranks struct {
	id, natural uint32
}

// unrankedMost is how many nodes may come until all are ranked again, and besides a part of
// all.
const (
	unrankedMost = 1024
	unrankedPart = 16
)

// rank gives all nodes their ranks. Nobody may read meanwhile.
func (v *view) rank() {
	ids := func(n *node) *uint32 { return &n.ranks.id }
	list := v.inRanks(compareNodes, nil, ids)
	for i, n := range list {
		if i+1 == len(list) {
			n.begins = false
		} else if next := list[i+1]; n.ranks.id == 0 || next.ranks.id != n.ranks.id+1 { // else they followed each other before
			n.begins = next.goesOnFrom(n)
		}
	}
	tell(list, ids)
	naturals := func(n *node) *uint32 { return &n.ranks.natural }
	tell(v.inRanks(compareNatural, fallVisibly, naturals), naturals)
	v.unranked, v.ranked = 0, len(list)
}

// tell gives nodes their ranks of a kind, from 1.
func tell(list []*node, rank func(*node) *uint32) {
	for i, n := range list {
		*rank(n) = uint32(i + 1)
	}
}

// goesOnFrom says whether an identifier begins as another and goes on with what does not sort
// behind the kind of an edge.
func (n *node) goesOnFrom(o *node) bool {
	rest, begins := strings.CutPrefix(n.id, o.id)
	return begins && rest < " ." // what comes after " -"
}

// fallVisibly are the kinds that are sorted as people expect it: those that Impact and
// SinglePoints tell of.
var fallVisibly = []nodeKind{nodeHost, nodeService, nodeProcess, nodeUnknownHost, nodeSwitch, nodeSwitchPort}

// inRanks are the nodes of some kinds, or of all, in order. Those that have a rank are put by
// it; only what came since is sorted, since all would have to be each time that so many came.
func (v *view) inRanks(compare func(a, b *node) int, kinds []nodeKind, rank func(*node) *uint32) []*node {
	list := make([]*node, v.ranked, max(v.ranked, v.size()))
	var late []*node
	for n := range v.all() {
		if at := *rank(n); at != 0 {
			list[at-1] = n
		} else if kinds == nil || slices.Contains(kinds, n.kind) {
			late = append(late, n)
		}
	}
	list = slices.DeleteFunc(list, func(n *node) bool { return n == nil }) // gone
	return putAmong(list, sortNodes(late, compare), compare)
}

// sortNodes are nodes in order, sorted on all processors.
func sortNodes(nodes []*node, compare func(a, b *node) int) []*node {
	list := make([]*node, 0, len(nodes))
	byKind := make([][]*node, nodeKinds) // of each kind identifiers begin alike
	for _, n := range nodes {
		byKind[n.kind] = append(byKind[n.kind], n)
	}
	slices.SortFunc(byKind, func(a, b []*node) int { return cmp.Compare(len(b), len(a)) })
	var sorting sync.WaitGroup
	next := make(chan []*node, len(byKind))
	for range min(runtime.GOMAXPROCS(0), len(byKind)) {
		sorting.Go(func() {
			for some := range next {
				slices.SortFunc(some, compare)
			}
		})
	}
	for _, some := range byKind {
		next <- some
	}
	close(next)
	sorting.Wait()
	for len(byKind) > 0 { // in the order of their kinds, unless an identifier has another's
		slices.SortFunc(byKind, func(a, b []*node) int { return compareFirst(a, b, compare) })
		list = append(list, byKind[0]...)
		byKind = byKind[1:]
	}
	if !slices.IsSortedFunc(list, compare) {
		slices.SortFunc(list, compare)
	}
	return list
}

// compareFirst orders sorted lists by what they begin with.
func compareFirst(a, b []*node, compare func(a, b *node) int) int {
	if len(a) == 0 || len(b) == 0 {
		return cmp.Compare(len(a), len(b))
	}
	return compare(a[0], b[0])
}

func compareNodes(a, b *node) int {
	if a.ranks.id != 0 && b.ranks.id != 0 {
		return cmp.Compare(a.ranks.id, b.ranks.id)
	}
	return strings.Compare(a.id, b.id)
}

// compareNatural orders nodes as people expect it.
func compareNatural(a, b *node) int {
	if a.ranks.natural != 0 && b.ranks.natural != 0 {
		return cmp.Compare(a.ranks.natural, b.ranks.natural)
	}
	return cmp.Or(natural(a.id, b.id), strings.Compare(a.id, b.id))
}

// place is that of an edge among others of its kind, by the ranks of its ends; 0 where those
// do not tell.
func (e *edge) place() uint64 {
	from, to := e.from.ranks.id, e.to.ranks.id
	if from == 0 || to == 0 || e.from.begins {
		return 0
	}
	return uint64(from)<<32 | uint64(to)
}
