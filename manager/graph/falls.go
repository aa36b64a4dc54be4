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
	topology uint64    // of the view
	start    []int32   // by number of the node: its place when it dies, or -1
	hit      []int32   // by number of the node: its place when it is hit; of most the same
	victims  []victims // by place: what falls there
	parts    []uint8   // by place: so many places behind it are parts of it
	off      []int32   // by place: where its own strikes begin
	strike   []int32   // places, of gates inverted
	gate     []int32   // by place: number of the gate, or -1
	member   [][]int32 // by gate
	idle     sync.Pool // of *flood
	// shortcuts are made when they are first asked for.
	shortcuts func() *shortcuts
}

// struck are the places that the fall of one strikes.
func (f *falls) struck(p int32) []int32 { return f.strike[f.off[p]:f.off[p+1+int32(f.parts[p])]] }

// falls are those of the view as it stands, made when they are first asked for.
func (v *view) falls() *falls {
	v.fallsLock.Lock()
	defer v.fallsLock.Unlock()
	if v.fallsMade == nil || v.fallsMade.topology != v.topology {
		v.fallsMade = newFalls(v)
		v.fallsMade.topology = v.topology
	}
	return v.fallsMade
}

// layout collects the rules before places have their order; those of some nodes, where several
// processors do.
type layout struct {
	*falls
	number func(*node) int32 // of those that have none it is -1
	merges bool              // services may be hit at the places of their programs
	part   []bool            // by place: it is a part of another's
	pairs  pairsOfPlaces
	gates  [][]int32 // members of each, whose places come behind those of nodes
	far    []int32   // kept for its room
}

func newFalls(v *view) *falls { return newFallsInParts(v, rulesApart) }

// newFallsInParts does that on as many processors as so many nodes are there for each.
func newFallsInParts(v *view, apart int) *falls {
	f := fallsOf(v.list, apart, true, func(n *node) int32 { return n.index })
	f.shortcuts = sync.OnceValue(func() *shortcuts { return newShortcuts(f) })
	return f
}

// fallsOf are the rules among nodes, of which some may be nil, by their numbers, which are their
// places in the list. All that these hang on has to be among them. With merges, services may be hit
// at the places of their programs.
func fallsOf(list []*node, apart int, merges bool, number func(*node) int32) *falls {
	l := layout{number: number, merges: merges, falls: &falls{start: make([]int32, len(list)), hit: make([]int32, len(list))}}
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
	parts := make(map[int]*layout) // by their first node
	inParts(len(list), apart, func(from, end int) {
		part := &layout{falls: l.falls, number: l.number, merges: l.merges}
		for _, n := range list[from:end] {
			if n != nil {
				part.rules(n)
			}
		}
		lock.Lock()
		defer lock.Unlock()
		parts[from] = part
	})
	for _, from := range slices.Sorted(maps.Keys(parts)) {
		l.take(parts[from])
	}
}

// take adds the rules of some nodes, and gives their gates places of their own.
func (l *layout) take(part *layout) {
	nodes := int32(len(l.gate) - len(l.member)) // places of nodes come first
	before := int32(len(l.member))
	own := func(p int32) int32 {
		if p >= nodes {
			return p + before
		}
		return p
	}
	for _, some := range part.pairs {
		for i, p := range some {
			some[i] = strikes{own(p.from), own(p.to)}
		}
	}
	l.pairs = append(l.pairs, part.pairs...)
	for _, members := range part.gates {
		at := l.place(0)
		l.gate[at] = int32(len(l.member))
		l.member = append(l.member, members)
	}
}

// starts is the place of a node when it dies, hits when it is hit; -1 where it has none.
func (l *layout) starts(n *node) int32 { return placeOf(l.start, l.number(n)) }
func (l *layout) hits(n *node) int32   { return placeOf(l.hit, l.number(n)) }

func placeOf(places []int32, number int32) int32 {
	if number < 0 {
		return -1
	}
	return places[number]
}

// pair lets one place strike another, where both are known.
func (l *layout) pair(from, to int32) {
	if from >= 0 && to >= 0 {
		l.pairs.add(strikes{from, to})
	}
}

// together lets a place fall when all members have; one alone needs no gate.
func (l *layout) together(target int32, members ...int32) {
	if len(members) == 1 {
		l.pair(members[0], target)
		return
	}
	at := int32(len(l.gate) + len(l.gates))
	l.gates = append(l.gates, slices.Clone(members))
	for _, m := range members {
		l.pair(m, at)
	}
	l.pair(at, target)
}

// rules are those by which a node falls with others, and what falls with it whatever else
// stands. See falling.spread.
func (l *layout) rules(n *node) {
	start := l.starts(n)
	switch n.kind {
	case nodeSwitch:
		l.all(start, n.out(), edgeHas)
	case nodeInterface:
		l.wires(n)
	case nodeHost:
		l.all(start, n.out(), edgeRuns)
		l.all(start, n.out(), edgeHas)
		l.uplinks(n)
	case nodeProcess:
		for _, e := range n.in() {
			if e.kind == edgeRunsAs && !l.merged(e.from) {
				l.pair(start, l.hits(e.from))
			}
		}
	}
	l.needs(n)
}

func (l *layout) all(from int32, edges []*edge, kind edgeKind) {
	for _, e := range edges {
		if e.kind == kind && !l.merged(e.to) {
			l.pair(from, l.hits(e.to))
		}
	}
}

// wires cuts an interface off with all that it is wired to, of which one is a switch's port.
func (l *layout) wires(i *node) {
	wires, port := l.far[:0], false
	for _, e := range i.out() {
		if e.kind == edgeWiredTo {
			wires = append(wires, l.starts(e.to))
			port = port || e.to.kind == nodeSwitchPort
		}
	}
	if port {
		l.together(l.hits(i), wires...)
	}
	l.far = wires
}

// uplinks cuts a host off with the last of them.
func (l *layout) uplinks(host *node) {
	links, wired := l.far[:0], host.wired()
	for _, e := range host.out() {
		if e.uplinks(wired) {
			links = append(links, l.starts(e.to))
		}
	}
	if len(links) > 0 {
		l.together(l.starts(host), links...)
	}
	l.far = links
	if wired {
		return
	}
	for _, e := range host.out() { // each other card is one as soon as it is lost
		if e.kind != edgeOwns || e.to.carries() {
			continue
		}
		l.together(l.starts(host), append(links, l.starts(e.to))...)
	}
}

// needs hits a client with the last service of each kind that it depends on.
func (l *layout) needs(client *node) {
	var several []*node // that others might stand in for
	for _, e := range client.out() {
		switch {
		case e.kind != edgeDependsOn:
		case e.to.replica == 0 || l.merged(e.to):
			l.pair(l.starts(e.to), l.hits(client))
		default:
			several = append(several, e.to)
		}
	}
	slices.SortStableFunc(several, func(a, b *node) int { return cmp.Compare(a.replica, b.replica) })
	for len(several) > 0 {
		end := 1
		for end < len(several) && several[end].replica == several[0].replica {
			end++
		}
		l.standIns(client, several[:end])
		several = several[end:]
	}
}

// standIns hits a client with all services that stand in for each other. One that ended
// stands in for nobody: what listens has to fall beside it.
func (l *layout) standIns(client *node, services []*node) {
	listening := l.far[:0]
	for _, s := range services {
		if s.listens() {
			listening = append(listening, l.starts(s))
		}
	}
	if len(listening) > 0 {
		l.together(l.hits(client), listening...)
	}
	for _, s := range services {
		if !s.listens() {
			l.together(l.hits(client), append(listening, l.starts(s))...)
		}
	}
	l.far = listening
}
