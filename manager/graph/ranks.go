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
	list := v.inRanks(compareNodes, nil, func(n *node, at uint32) { n.ranks.id = at })
	for i, n := range list {
		n.begins = false
		if i+1 < len(list) {
			rest, begins := strings.CutPrefix(list[i+1].id, n.id)
			n.begins = begins && rest < " ." // what comes after " -"
		}
	}
	v.inRanks(compareNatural, fallVisibly, func(n *node, at uint32) { n.ranks.natural = at })
	v.unranked = 0
}

// fallVisibly are the kinds that are sorted as people expect it: those that Impact and
// SinglePoints tell of.
var fallVisibly = []nodeKind{nodeHost, nodeService, nodeProcess, nodeUnknownHost, nodeSwitch, nodeSwitchPort}

// inRanks sorts the nodes of some kinds, or of all, and tells of each the place, from 1.
func (v *view) inRanks(compare func(a, b *node) int, kinds []nodeKind, tell func(*node, uint32)) []*node {
	list := make([]*node, 0, v.nodes.Len())
	byKind := make([][]*node, nodeKinds) // of each kind identifiers begin alike
	for n := range v.all() {
		if kinds != nil && !slices.Contains(kinds, n.kind) {
			continue
		}
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
	for i, n := range list {
		tell(n, uint32(i+1))
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
