package graph

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"sync"
)

// falls is what falls with what in a view, as numbers: the same rules as spread has, in a
// form in which many failures are followed at once. A failing thing has a place; a host has
// two, since what runs on it falls only when it is down. A gate is a place that falls when
// all of its members have: the uplinks of a host, or services that stand in for each other.
//
// Places are in an order in which what falls comes behind what takes it along, except in
// circles. It belongs to one topology of a view and never changes. Those of a whole view have
// the index of a node as its number.
type falls struct {
	topology uint64     // of the view
	start    []int32    // by number of the node: its place when it dies, or -1
	hit      []int32    // by number of the node: its place when it is hit; of most the same
	kind     []nodeKind // by place: of the node that is a victim there, or nodeKinds
	off      []int32    // by place: where its strikes begin
	strike   []int32    // places, of gates inverted
	gate     []int32    // by place: number of the gate, or -1
	member   [][]int32  // by gate
	idle     sync.Pool  // of *flood
	// shortcuts are made when they are first asked for.
	shortcuts func() *shortcuts
}

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
	pairs  pairsOfPlaces
	gates  [][]int32 // members of each, whose places come behind those of nodes
	far    []int32   // kept for its room
}

func newFalls(v *view) *falls { return newFallsInParts(v, rulesApart) }

// newFallsInParts does that on as many processors as so many nodes are there for each.
func newFallsInParts(v *view, apart int) *falls {
	f := fallsOf(v.list, apart, func(n *node) int32 { return n.index })
	f.shortcuts = sync.OnceValue(func() *shortcuts { return newShortcuts(f) })
	return f
}

// fallsOf are the rules among nodes, of which some may be nil, by their numbers. All that these
// hang on has to be among them.
func fallsOf(list []*node, apart int, number func(*node) int32) *falls {
	l := layout{number: number, falls: &falls{
		start: make([]int32, len(list)), hit: make([]int32, len(list)), kind: make([]nodeKind, 0, len(list)), gate: make([]int32, 0, len(list)),
	}}
	for _, n := range list {
		if n != nil {
			l.settle(n)
		}
	}
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
		part := &layout{falls: l.falls, number: l.number}
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
	nodes := int32(len(l.kind) - len(l.member)) // places of nodes come first
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
		at := l.place(nodeKinds)
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

// settle gives a node its places.
func (l *layout) settle(n *node) {
	i := l.number(n)
	l.start[i], l.hit[i] = -1, -1
	switch n.kind {
	case nodeHost:
		l.start[i] = l.place(nodeKinds)
		l.hit[i] = l.place(nodeHost)
		l.pair(l.start[i], l.hit[i])
	case nodeEndpoint, nodeIP, nodeMAC, nodeSubnet, nodeVLAN, nodeRing: // nothing falls with them
	default:
		victim := n.kind
		if n.ended() {
			victim = nodeKinds
		}
		at := l.place(victim)
		l.start[i], l.hit[i] = at, at
	}
}

// place makes one, of a victim of a kind or of none.
func (l *layout) place(victim nodeKind) int32 {
	l.kind, l.gate = append(l.kind, victim), append(l.gate, -1)
	return int32(len(l.kind) - 1)
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
	at := int32(len(l.kind) + len(l.gates))
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
			if e.kind == edgeRunsAs {
				l.pair(start, l.hits(e.from))
			}
		}
	}
	l.needs(n)
}

func (l *layout) all(from int32, edges []*edge, kind edgeKind) {
	for _, e := range edges {
		if e.kind == kind {
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
		case e.to.replica == 0:
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

// inOrder renames places so that what falls comes behind what takes it along.
func (l *layout) inOrder() {
	off, to := l.pairs.compact(len(l.kind))
	l.pairs = nil
	order := topological(off, to) // by new place the old one
	name := make([]int32, len(order))
	kind, gate := make([]nodeKind, len(order)), make([]int32, len(order))
	for now, old := range order {
		name[old] = int32(now)
		kind[now], gate[now] = l.kind[old], l.gate[old]
	}
	l.kind, l.gate = kind, gate
	for _, list := range append(l.member, l.start, l.hit) {
		for i, old := range list {
			if old >= 0 {
				list[i] = name[old]
			}
		}
	}
	l.off, l.strike = make([]int32, len(off)), make([]int32, 0, len(to))
	for now, old := range order {
		for _, struck := range to[off[old]:off[old+1]] {
			place := name[struck]
			if gate[place] >= 0 {
				place = ^place
			}
			l.strike = append(l.strike, place)
		}
		l.off[now+1] = int32(len(l.strike))
	}
}

// topological lists places so that each comes before those that it leads to, unless they
// lead back: by strongly connected components (Tarjan, "Depth-first search and linear graph
// algorithms", 1972), without recursion.
func topological(off, to []int32) (order []int32) {
	places := len(off) - 1
	seen, low := make([]int32, places), make([]int32, places) // seen from 1; places when done
	next := slices.Clone(off[:places])
	order = make([]int32, 0, places)
	var stack, way []int32
	count := int32(0)
	enter := func(p int32) {
		count++
		seen[p], low[p] = count, count
		stack, way = append(stack, p), append(way, p)
	}
	for first := range int32(places) {
		if seen[first] != 0 {
			continue
		}
		enter(first)
		for len(way) > 0 {
			p := way[len(way)-1]
			if next[p] < off[p+1] {
				q := to[next[p]]
				next[p]++
				if seen[q] == 0 {
					enter(q)
				} else {
					low[p] = min(low[p], seen[q]) // of what is done that is the greatest there is
				}
				continue
			}
			way = way[:len(way)-1]
			if len(way) > 0 {
				up := way[len(way)-1]
				low[up] = min(low[up], low[p])
			}
			if low[p] < seen[p] {
				continue
			}
			for top := int32(-1); top != p; {
				top = stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				seen[top], low[top] = math.MaxInt32, math.MaxInt32
				order = append(order, top)
			}
		}
	}
	slices.Reverse(order)
	return order
}
