package graph

import (
	"cmp"
	"iter"
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
	depth   int32 // 0 of what fell first
	because int32 // index of a node
}

// falling follows what falls with what, until nothing more does. It is used for one node
// after the other: what each took along is forgotten in as much time as it took to find.
type falling struct {
	v       *view
	hits    []hit   // by index of the node
	touched []*node // that have a hit
	queue   []*node
	fell    []victim
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
	for _, n := range f.touched {
		f.hits[n.index] = hit{}
	}
	clear(f.touched) // no node of a view that is gone
	clear(f.queue)
	f.touched, f.queue = f.touched[:0], f.queue[:0]
}

// from lets nodes fall, all at once.
func (f *falling) from(starts ...*node) {
	f.reset()
	for _, start := range starts {
		if f.effect(start) == stands { // not named before
			f.hits[start.index] = hit{effect: down}
			f.touched = append(f.touched, start)
			f.queue = append(f.queue, start)
		}
	}
	next := 0
	for next < len(f.queue) { // it grows meanwhile
		f.spread(f.queue[next])
		next++
	}
}

// strike makes a node fall by another, unless it fell as hard already.
func (f *falling) strike(n *node, how effect, by *node) {
	before := f.hits[n.index]
	if before.effect >= how {
		return
	}
	depth := f.hits[by.index].depth + 1
	if before.effect == stands {
		f.touched = append(f.touched, n)
	} else {
		depth = min(depth, before.depth)
	}
	f.hits[n.index] = hit{how, depth, by.index}
	if how >= affected {
		f.queue = append(f.queue, n)
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
		for _, e := range n.in() {
			if e.kind == edgeDependsOn {
				f.strike(e.from, f.without(e.from, n), n)
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
	if service.replica == 0 || f.v.g.replicas.alone(service.replica) {
		return affected
	}
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
	for _, n := range f.touched {
		h := f.hits[n.index]
		switch {
		case h.depth == 0, n.kind == nodeSwitchPort, n.kind == nodeInterface:
		case n.kind == nodeProcess && n.serves(), n.ended():
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
func (n *node) serves() bool {
	return slices.ContainsFunc(n.in(), func(e *edge) bool { return e.kind == edgeRunsAs })
}
