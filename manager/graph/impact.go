package graph

import (
	"cmp"
	"iter"
	"math"
	"slices"

	"cassini/model"
)

// Impact tells what falls when a node dies, nearest first; ok is false when there is
// no such node.
//
// A switch takes its ports along, a port the interfaces that are wired to it, and a
// host is cut off with its last uplink. A host takes what it runs along. What depends on
// a service is affected when no other service of the same program and port that it
// depends on stands, else degraded; and with a program that is affected so are the
// services that it runs.
func (g *Graph) Impact(id string) (impact model.Impact, ok bool) {
	impact = model.Impact{Of: id, Victims: []model.Victim{}}
	g.read(func(v *view) {
		start := v.named(id)
		if ok = start != nil; !ok {
			return
		}
		f := v.falling()
		defer f.done()
		f.from(start)
		impact.Victims = f.victims()
	})
	for _, victim := range impact.Victims {
		switch {
		case victim.Effect == model.EffectDegraded:
		case victim.Kind == model.KindHost:
			impact.Hosts++
		case victim.Kind == model.KindService:
			impact.Services++
		}
	}
	return impact, ok
}

// effect orders how hard a node is hit.
type effect uint8

const (
	stands effect = iota
	degraded
	affected
	down
)

var effects = [...]string{degraded: model.EffectDegraded, affected: model.EffectAffected, down: model.EffectDown}

// hit is how a node falls.
type hit struct {
	effect  effect
	counted bool  // see weighing
	depth   int32 // 0 of what fell first
	because int32 // index of a node
}

// falling follows what falls with what, until nothing more does. It is used for one node
// after the other: what each took along is forgotten in as much time as it took to find.
type falling struct {
	v       *view
	hits    []hit   // by index of the node
	touched []int32 // indices of nodes that have a hit
	queue   []int32
	fell    []victim
	bound   int      // no more are struck by one service than until so many are in the queue
	again   []harder // what fell harder than it already had, since some were kept; see keep
	keeps   [2]int   // of touched and queue
	making  *tracks  // which is told of strikes, or nil
	ahead   []*edge  // that are read before they are followed
	read    int      // what was read of them, so that it is read
}

// harder is how a node fell before it fell harder.
type harder struct {
	index int32
	hit
}

// falling is one that nobody else uses, until it is done.
func (v *view) falling() *falling {
	f := v.idle.falls.take()
	f.v = v
	if len(f.hits) < len(v.list) {
		f.hits = make([]hit, len(v.list)+len(v.list)/8)
	}
	return f
}

func (f *falling) done() {
	f.reset()
	idle := f.v.idle
	f.v = nil
	idle.falls.put(f)
}

func (f *falling) reset() {
	for _, i := range f.touched {
		f.hits[i] = hit{}
	}
	clear(f.ahead) // no edge of a view that is gone
	f.ahead = f.ahead[:0]
	f.touched, f.queue, f.again, f.keeps = f.touched[:0], f.queue[:0], f.again[:0], [2]int{}
}

// keep remembers what has fallen, so that back lets stand again what fell since.
func (f *falling) keep() {
	f.again, f.keeps = f.again[:0], [2]int{len(f.touched), len(f.queue)}
}

func (f *falling) back() {
	for _, h := range slices.Backward(f.again) {
		f.hits[h.index] = h.hit
	}
	for _, i := range f.touched[f.keeps[0]:] {
		f.hits[i] = hit{}
	}
	f.touched, f.queue = f.touched[:f.keeps[0]], f.queue[:f.keeps[1]]
	f.keep()
}

// from lets nodes fall, all at once.
func (f *falling) from(starts ...*node) {
	f.reset()
	f.bound = math.MaxInt
	for _, start := range starts {
		f.fail(start)
	}
	for next := 0; next < len(f.queue); { // it grows meanwhile
		some := f.readAhead(f.queue[next:])
		for _, i := range some {
			if n := f.v.list[i]; !f.withHost(n) {
				f.spread(n)
			}
		}
		next += len(some)
	}
}

// withHost says whether a program fell with its host, as did all services that it runs.
func (f *falling) withHost(n *node) bool {
	h := f.hits[n.index]
	return n.kind == nodeProcess && h.effect == down && h.depth > 0
}

// How much is read ahead of following what falls: so many nodes, and no more of them behind one
// with so many edges.
const (
	nodesAhead = 32
	edgesAhead = 512
)

// readAhead comes by what the first few nodes strike, one thing of each at a time: it lies all
// over memory, and what does not hang on each other is fetched at once.
func (f *falling) readAhead(queue []int32) (some []int32) {
	if len(queue) < nodesAhead {
		return queue // it would take as long as it saves
	}
	clear(f.ahead)
	f.ahead = f.ahead[:0]
	for _, i := range queue[:nodesAhead] {
		n := f.v.list[i]
		f.read += int(n.kind) + len(n.edges)
	}
	for i, index := range queue[:nodesAhead] {
		if len(f.ahead) > edgesAhead {
			break
		}
		f.ahead = append(f.ahead, f.strikes(f.v.list[index])...)
		some = queue[:i+1]
	}
	for _, e := range f.ahead {
		f.read += int(e.kind)
	}
	for _, e := range f.ahead {
		f.read += int(e.from.index) + int(e.to.index)
	}
	for _, e := range f.ahead {
		f.read += int(f.hits[e.from.index].effect) + int(f.hits[e.to.index].effect)
	}
	return some
}

// strikes are the edges along which others fall with a node.
func (f *falling) strikes(n *node) []*edge {
	switch {
	case n.kind == nodeSwitch, n.kind == nodeHost:
		return n.out()
	case n.kind == nodeInterface:
		return n.edges
	case f.withHost(n):
		return nil
	}
	return n.in()
}

// fail takes a node down by itself, unless it is.
func (f *falling) fail(n *node) {
	if h := f.hits[n.index]; h.effect < down {
		f.hit(n.index, hit{down, h.counted, h.depth, h.because})
	}
}

// strike makes a node fall by another, unless it fell as hard already.
func (f *falling) strike(n *node, how effect, by *node) {
	if f.making != nil {
		f.making.add(n, how)
	}
	before := f.hits[n.index]
	if before.effect >= how {
		return
	}
	depth := f.hits[by.index].depth + 1
	if before.effect != stands {
		depth = min(depth, before.depth)
	}
	f.hit(n.index, hit{how, before.counted, depth, by.index})
}

// hit makes a node fall harder than it already had.
func (f *falling) hit(index int32, how hit) {
	if before := f.hits[index]; before.effect == stands {
		f.touched = append(f.touched, index)
	} else {
		f.again = append(f.again, harder{index, before})
	}
	f.hits[index] = how
	if how.effect >= affected {
		f.queue = append(f.queue, index)
	}
}

func (f *falling) effect(n *node) effect { return f.hits[n.index].effect }

// spread strikes what hangs on a node that fell. See layout.rules, which are the same.
func (f *falling) spread(n *node) {
	how := f.effect(n)
	switch n.kind {
	case nodeSwitch:
		f.all(n, n.out(), edgeHas)
	case nodeSwitchPort:
		f.unplugged(n)
	case nodeInterface:
		f.unplugged(n)
		for _, e := range n.in() {
			if e.kind == edgeOwns {
				f.uplinkLost(e.from, n)
			}
		}
	case nodeHost:
		if how != down {
			return // it is a client itself, or lost one of its uplinks
		}
		f.all(n, n.out(), edgeRuns)
		f.all(n, n.out(), edgeHas)
	case nodeService:
		alone := n.replica == 0 || f.v.g.replicas.alone(n.replica)
		for _, e := range n.in() {
			switch {
			case e.kind != edgeDependsOn:
			case alone:
				f.strike(e.from, affected, n)
			default:
				f.strike(e.from, f.without(e.from, n), n)
			}
			if len(f.queue) >= f.bound {
				return
			}
		}
	case nodeProcess:
		for _, e := range n.in() {
			if e.kind == edgeRunsAs {
				f.strike(e.from, how, n)
			}
		}
	}
}

// all takes down what edges of a kind lead to.
func (f *falling) all(by *node, edges []*edge, kind edgeKind) {
	for _, e := range edges {
		if e.kind == kind {
			f.strike(e.to, down, by)
		}
	}
}

// unplugged cuts off the interfaces whose last wire ended here. Of those that are wired to
// interfaces alone nothing is known to be lost.
func (f *falling) unplugged(end *node) {
	for _, e := range end.in() {
		if e.kind != edgeWiredTo {
			continue
		}
		port, all := false, true
		for _, w := range e.from.out() {
			if w.kind == edgeWiredTo {
				port = port || w.to.kind == nodeSwitchPort
				all = all && f.effect(w.to) == down
			}
		}
		if port && all {
			f.strike(e.from, down, end)
		}
	}
}

// uplinkLost cuts a host off with its last uplink.
func (f *falling) uplinkLost(host, lost *node) {
	if lost.plugged() { // as all uplinks are then
		how := down
		for _, e := range host.out() {
			if e.kind == edgeOwns && e.to != lost && f.effect(e.to) != down && e.to.plugged() {
				how = degraded
				break
			}
		}
		f.strike(host, how, lost)
		return
	}
	uplink, all := false, true
	for i := range host.uplinks() {
		uplink = uplink || i == lost
		all = all && f.effect(i) == down
	}
	switch {
	case !uplink && host.wired():
	case all:
		f.strike(host, down, lost)
	default:
		f.strike(host, degraded, lost)
	}
}

// uplinks are the interfaces of a host that are wired to something or, where none is, its
// cards that have a carrier.
func (n *node) uplinks() iter.Seq[*node] {
	wired := n.wired()
	return func(yield func(*node) bool) {
		for _, e := range n.out() {
			if e.kind == edgeOwns && (wired && e.to.plugged() || !wired && e.to.carries()) && !yield(e.to) {
				return
			}
		}
	}
}

// wired says whether an interface of a host is.
func (n *node) wired() bool {
	return slices.ContainsFunc(n.out(), func(e *edge) bool { return e.kind == edgeOwns && e.to.plugged() })
}

// plugged says whether it is known what is at the other end of an interface's wire.
func (n *node) plugged() bool {
	return slices.ContainsFunc(n.out(), func(e *edge) bool { return e.kind == edgeWiredTo })
}

// carries says whether an interface is a card with a carrier.
func (n *node) carries() bool {
	return n.iface() != nil && n.iface().Kind == "device" && n.iface().Carrier != 0
}

// without is what it does to a client that a service falls: others of the same program
// and port may stand.
func (f *falling) without(client, service *node) effect {
	for _, e := range client.out() {
		other := e.to
		if e.kind == edgeDependsOn && other != service && other.replica == service.replica && other.listens() && f.effect(other) < affected {
			return degraded
		}
	}
	return affected
}

// victims are what fell by others, by distance, kind and name. Programs that run a service
// are left out, as are ports and interfaces: the service and the host tell. So are services
// that have ended: there is nothing left to fall.
func (f *falling) victims() []model.Victim {
	fell := f.fell[:0]
	for _, i := range f.touched {
		n, h := f.v.list[i], f.hits[i]
		switch {
		case h.depth == 0, n.kind == nodeSwitchPort, n.kind == nodeInterface:
		case n.serves(), n.ended():
		default:
			fell = append(fell, victim{n, uint64(h.depth)<<40 | uint64(kindOrder[n.kind])<<32 | uint64(n.ranks.natural), h})
		}
	}
	slices.SortFunc(fell, compareVictims)
	list := make([]model.Victim, len(fell))
	for i, x := range fell {
		list[i] = model.Victim{ID: x.id, Kind: x.kind.String(), Host: x.host(), Effect: effects[x.hit.effect], Depth: int(x.hit.depth), Because: f.v.list[x.hit.because].id}
	}
	clear(fell) // no node of a view that is gone
	f.fell = fell[:0]
	return list
}

func compareVictims(a, b victim) int {
	if uint32(a.order) != 0 && uint32(b.order) != 0 || a.order>>32 != b.order>>32 {
		return cmp.Compare(a.order, b.order)
	}
	return compareNatural(a.node, b.node)
}

// victim is a node that fell, with its distance, the order of its kind and its rank among
// names, 0 where that is not known.
type victim struct {
	*node
	order uint64
	hit   hit
}

// kindOrder is the order of kinds by name.
var kindOrder = func() (order [nodeKinds]uint8) {
	for k := range nodeKinds {
		for _, name := range nodeKindNames {
			order[k] += uint8(b2i(name < k.String()))
		}
	}
	return order
}()

// serves says whether a program runs a service.
func (n *node) serves() bool { return n.kind == nodeProcess && n.told > 0 }
