package graph

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

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
		start := v.nodes[id]
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
}

// falling is one that nobody else uses, until it is done.
func (v *view) falling() *falling {
	if f, ok := v.idle.Get().(*falling); ok {
		return f
	}
	return &falling{v: v, hits: make([]hit, len(v.sorted))}
}

func (f *falling) done() {
	f.reset()
	f.v.idle.Put(f)
}

func (f *falling) reset() {
	for _, n := range f.touched {
		f.hits[n.index] = hit{}
	}
	f.touched = f.touched[:0]
}

// from lets nodes fall, all at once.
func (f *falling) from(starts ...*node) {
	f.reset()
	f.queue = f.queue[:0]
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
	f.hits[n.index] = hit{how, depth, int32(by.index)}
	if how >= affected {
		f.queue = append(f.queue, n)
	}
}

func (f *falling) effect(n *node) effect { return f.hits[n.index].effect }

// spread strikes what hangs on a node that fell.
func (f *falling) spread(n *node) {
	how := f.effect(n)
	switch n.kind {
	case model.KindSwitch:
		f.all(n, n.far(n.out, model.EdgeHas), down)
	case model.KindSwitchPort:
		for _, i := range n.far(n.in, model.EdgeWiredTo) {
			if f.allDown(i.far(i.out, model.EdgeWiredTo)) {
				f.strike(i, down, n)
			}
		}
	case model.KindInterface:
		for _, h := range n.far(n.in, model.EdgeOwns) {
			f.uplinkLost(h, n)
		}
	case model.KindHost:
		if how != down {
			return // it is a client itself, or lost one of its uplinks
		}
		f.all(n, n.far(n.out, model.EdgeRuns), down)
		f.all(n, n.far(n.out, model.EdgeHas), down)
	case model.KindService:
		for _, client := range n.far(n.in, model.EdgeDependsOn) {
			f.strike(client, f.without(client, n), n)
		}
	case model.KindProcess:
		f.all(n, n.far(n.in, model.EdgeRunsAs), how)
	}
}

func (f *falling) all(by *node, list []*node, how effect) {
	for _, n := range list {
		f.strike(n, how, by)
	}
}

func (f *falling) allDown(list []*node) bool {
	return !slices.ContainsFunc(list, func(n *node) bool { return f.effect(n) != down })
}

// uplinkLost cuts a host off with its last uplink: of those that are wired to switches
// or, where none is, of its cards that have a carrier.
func (f *falling) uplinkLost(host, lost *node) {
	var wired, cards []*node
	for _, i := range host.far(host.out, model.EdgeOwns) {
		if len(i.far(i.out, model.EdgeWiredTo)) > 0 {
			wired = append(wired, i)
		}
		if i == lost || i.iface.Kind == "device" && i.iface.Carrier != 0 {
			cards = append(cards, i)
		}
	}
	uplinks := wired
	if len(wired) == 0 {
		uplinks = cards
	}
	if !slices.Contains(uplinks, lost) {
		return
	}
	if f.allDown(uplinks) {
		f.strike(host, down, lost)
		return
	}
	f.strike(host, degraded, lost)
}

// without is what it does to a client that a service falls: others of the same program
// and port may stand.
func (f *falling) without(client, service *node) effect {
	if service.replica == "" {
		return affected
	}
	for _, e := range client.out {
		other := e.to
		if e.kind == model.EdgeDependsOn && other != service && other.replica == service.replica && other.service.now.State == model.StateListening && f.effect(other) < affected {
			return degraded
		}
	}
	return affected
}

// replicaKey is the same for services that can stand in for each other; "" where no
// agent tells what a service is.
func (n *node) replicaKey() string {
	if n.service == nil {
		return ""
	}
	return n.service.now.Program() + "/" + n.service.now.Proto + "/" + strconv.Itoa(int(n.service.now.Port))
}

// victims are what fell by others. Programs that run a service are left out, as are ports
// and interfaces: the service and the host tell.
func (f *falling) victims() []model.Victim {
	list := []model.Victim{}
	for _, n := range f.touched {
		h := f.hits[n.index]
		switch {
		case h.depth == 0, n.kind == model.KindSwitchPort, n.kind == model.KindInterface:
		case n.kind == model.KindProcess && len(n.far(n.in, model.EdgeRunsAs)) > 0:
		default:
			list = append(list, model.Victim{ID: n.id, Kind: n.kind, Host: n.host, Effect: effects[h.effect], Depth: int(h.depth), Because: f.v.sorted[h.because].id})
		}
	}
	slices.SortFunc(list, func(a, b model.Victim) int {
		return cmp.Or(cmp.Compare(a.Depth, b.Depth), strings.Compare(a.Kind, b.Kind), natural(a.ID, b.ID))
	})
	return list
}
