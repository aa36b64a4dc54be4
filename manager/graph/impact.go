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
		f := falling{v: v, hits: make(map[*node]*hit)}
		f.from(start)
		impact.Victims = f.victims(start)
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
type effect int

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
	depth   int
	because *node
}

// falling follows what falls with what, until nothing more does.
type falling struct {
	v     *view
	hits  map[*node]*hit
	queue []*node
}

func (f *falling) from(start *node) {
	f.hits[start] = &hit{effect: down}
	f.queue = append(f.queue, start)
	for len(f.queue) > 0 {
		n := f.queue[0]
		f.queue = f.queue[1:]
		f.spread(n)
	}
}

// strike makes a node fall by another, unless it fell as hard already.
func (f *falling) strike(n *node, how effect, by *node) {
	before := f.hits[n]
	if before != nil && before.effect >= how {
		return
	}
	depth := f.hits[by].depth + 1
	if before != nil {
		depth = min(depth, before.depth)
	}
	f.hits[n] = &hit{how, depth, by}
	if how >= affected {
		f.queue = append(f.queue, n)
	}
}

func (f *falling) effect(n *node) effect {
	if h := f.hits[n]; h != nil {
		return h.effect
	}
	return stands
}

// spread strikes what hangs on a node that fell.
func (f *falling) spread(n *node) {
	how := f.effect(n)
	switch n.kind {
	case model.KindSwitch:
		f.all(n, f.v.far(n, f.v.out, model.EdgeHas), down)
	case model.KindSwitchPort:
		for _, i := range f.v.far(n, f.v.in, model.EdgeWiredTo) {
			if f.allDown(f.v.far(i, f.v.out, model.EdgeWiredTo)) {
				f.strike(i, down, n)
			}
		}
	case model.KindInterface:
		for _, h := range f.v.far(n, f.v.in, model.EdgeOwns) {
			f.uplinkLost(h, n)
		}
	case model.KindHost:
		if how != down {
			return // it is a client itself, or lost one of its uplinks
		}
		f.all(n, f.v.far(n, f.v.out, model.EdgeRuns), down)
		f.all(n, f.v.far(n, f.v.out, model.EdgeHas), down)
	case model.KindService:
		for _, client := range f.v.far(n, f.v.in, model.EdgeDependsOn) {
			f.strike(client, f.without(client, n), n)
		}
	case model.KindProcess:
		f.all(n, f.v.far(n, f.v.in, model.EdgeRunsAs), how)
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
	for _, i := range f.v.far(host, f.v.out, model.EdgeOwns) {
		if len(f.v.far(i, f.v.out, model.EdgeWiredTo)) > 0 {
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
	key := service.replicaKey()
	for _, other := range f.v.far(client, f.v.out, model.EdgeDependsOn) {
		if other != service && key != "" && other.replicaKey() == key && other.service.now.State == model.StateListening && f.effect(other) < affected {
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

// victims are what fell besides the first. Programs that run a service are left out, as
// are ports and interfaces: the service and the host tell.
func (f *falling) victims(start *node) []model.Victim {
	list := []model.Victim{}
	for n, h := range f.hits {
		switch {
		case n == start, n.kind == model.KindSwitchPort, n.kind == model.KindInterface:
		case n.kind == model.KindProcess && len(f.v.far(n, f.v.in, model.EdgeRunsAs)) > 0:
		default:
			list = append(list, model.Victim{ID: n.id, Kind: n.kind, Host: n.host, Effect: effects[h.effect], Depth: h.depth, Because: h.because.id})
		}
	}
	slices.SortFunc(list, func(a, b model.Victim) int {
		return cmp.Or(cmp.Compare(a.Depth, b.Depth), strings.Compare(a.Kind, b.Kind), natural(a.ID, b.ID))
	})
	return list
}
