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
	list := v.inRanks(compareNodes, everyKind, idRank)
	for i, index := range list {
		n := v.list[index]
		if i+1 == len(list) {
			n.begins = false
		} else if next := v.list[list[i+1]]; n.ranks.id == 0 || next.ranks.id != n.ranks.id+1 { // else they followed each other before
			n.begins = next.goesOnFrom(n)
		}
	}
	v.tell(list, idRank)
	v.tell(v.inRanks(compareNatural, fallsVisibly, naturalRank), naturalRank)
	v.unranked, v.ranked = 0, len(list)
}

func idRank(n *node) *uint32      { return &n.ranks.id }
func naturalRank(n *node) *uint32 { return &n.ranks.natural }

// tell gives nodes their ranks of a kind, from 1.
func (v *view) tell(list []int32, rank func(*node) *uint32) {
	for i, index := range list {
		*rank(v.list[index]) = uint32(i + 1)
	}
}

// goesOnFrom says whether an identifier begins as another and goes on with what does not sort
// behind the kind of an edge.
func (n *node) goesOnFrom(o *node) bool {
	rest, begins := strings.CutPrefix(n.id, o.id)
	return begins && rest < " ." // what comes after " -"
}

func everyKind(nodeKind) bool { return true }

// fallsVisibly says of the kinds that Impact and SinglePoints tell of, and that are sorted as people
// expect it.
func fallsVisibly(kind nodeKind) bool {
	switch kind {
	case nodeHost, nodeService, nodeProcess, nodeUnknownHost, nodeSwitch, nodeSwitchPort:
		return true
	}
	return false
}

// inRanks are the indices of nodes of some kinds, in order. Those that have a rank are put by it, on
// all processors; only what came since is sorted, since all would have to be each time that so many
// came.
func (v *view) inRanks(compare func(a, b *node) int, has func(nodeKind) bool, rank func(*node) *uint32) []int32 {
	list := slices.Grow(slices.Repeat([]int32{-1}, v.ranked), max(0, v.size()-v.ranked))
	var lock sync.Mutex
	var late []*node
	inParts(len(v.list), ranksApart, func(from, end int) {
		var mine []*node
		for _, n := range v.list[from:end] {
			if n == nil || !has(n.kind) {
				continue
			}
			if at := *rank(n); at != 0 {
				list[at-1] = n.index
			} else {
				mine = append(mine, n)
			}
		}
		lock.Lock()
		defer lock.Unlock()
		late = append(late, mine...)
	})
	list = slices.DeleteFunc(list, func(i int32) bool { return i < 0 }) // gone, or of other kinds
	return putAmong(list, indicesOf(sortNodes(late, compare)), func(a, b int32) int { return compare(v.list[a], v.list[b]) })
}

func indicesOf(nodes []*node) []int32 {
	list := make([]int32, len(nodes))
	for i, n := range nodes {
		list[i] = n.index
	}
	return list
}

// ranksApart is how many nodes are worth a processor of their own.
const ranksApart = 10_000

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
