package graph

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// falls is what falls with what in a view, as numbers: the same rules as spread has, in a
// form in which many failures are followed at once. A failing thing has a place; a host has
// two, since what runs on it falls only when it is down. A gate is a place that falls when
// all of its members have: the uplinks of a host, or services that stand in for each other.
//
// In those of a whole view a service that falls with its program whatever hits it (see mergesWith)
// is hit at the place of that. Its own place, at which it dies by itself, is a part of this one: it
// stands behind it, nothing strikes it, and whom it strikes the program strikes too.
//
// Places are in an order in which what falls comes behind what takes it along, except in
// circles. It belongs to one topology of a view and never changes. Those of a whole view have
// the index of a node as its number.
type falls struct {
	topology uint64     // of the view
	start    []int32    // by number of the node: its place when it dies, or -1
	hit      []int32    // by number of the node: its place when it is hit; of most the same
	victims  []victims  // by place: what falls there
	parts    []uint8    // by place: so many places behind it are parts of it
	off      []int32    // by place: where its own strikes begin
	strike   []int32    // places, of gates inverted
	gate     []int32    // by place: number of the gate, or -1
	member   [][]int32  // by gate
	idle     *sync.Pool // of *flood, also of rules before
	before   room       // of rules that hold no more
	visits   []visit    // in which the order of places was found
	// short are made when they are first asked for; see shortcuts.
	short  *shortcuts
	making sync.Once
}

// shortcuts are those of these rules, made when they are first asked for.
func (f *falls) shortcuts() *shortcuts {
	f.making.Do(func() { f.short, f.before = newShortcuts(f), room{} })
	return f.short
}

// struck are the places that the fall of one strikes.
func (f *falls) struck(p int32) []int32 { return f.strike[f.off[p]:f.off[p+1+int32(f.parts[p])]] }

// falls are those of the view as it stands, made when they are first asked for. Those of a topology before
// are used by nobody then: who asks holds the lock of the graph until he is done.
func (v *view) falls() *falls {
	v.fallsLock.Lock()
	defer v.fallsLock.Unlock()
	if v.fallsMade == nil || v.fallsMade.topology != v.topology {
		v.fallsMade = newFallsInParts(v, rulesApart, v.fallsMade.leave())
		v.fallsMade.topology = v.topology
	}
	return v.fallsMade
}

// layout collects the rules before places have their order.
type layout struct {
	*falls
	number  func(*node) int32 // of those that have none it is -1
	merges  bool              // services may be hit at the places of their programs
	rulings []*ruling         // in the order of their nodes
}

// newFallsInParts makes those of a view on as many processors as so many nodes are there for each.
func newFallsInParts(v *view, apart int, before room) *falls {
	return fallsOf(v.list, apart, true, before, func(n *node) int32 { return n.index })
}

// fallsOf are the rules among nodes, of which some may be nil, by their numbers, which are their
// places in the list. All that these hang on has to be among them. With merges, services may be hit
// at the places of their programs. They are put into the room of others.
func fallsOf(list []*node, apart int, merges bool, before room, number func(*node) int32) *falls {
	l := layout{number: number, merges: merges, falls: &falls{
		start: again(before.start, len(list)), hit: again(before.hit, len(list)), before: before, idle: cmp.Or(before.floods, new(sync.Pool)),
	}}
	l.settle(list, apart)
	l.allRules(list, apart)
	l.inOrder()
	return l.falls
}

// rulesApart is how many nodes are worth a processor of their own.
const rulesApart = 10_000

// allRules collects those of all nodes, in the order of these, on all processors.
func (l *layout) allRules(list []*node, apart int) {
	var lock sync.Mutex
	parts := make(map[int]*ruling) // by their first node
	inParts(len(list), apart, func(from, end int) {
		part := l.ruling()
		withEdges(list[from:end], func(n *node) bool { return l.hits(n) >= 0 }, func(_ int, n *node) { part.rules(n) })
		lock.Lock()
		defer lock.Unlock()
		parts[from] = part
	})
	for _, from := range slices.Sorted(maps.Keys(parts)) {
		l.rulings = append(l.rulings, parts[from])
	}
}
