package graph

import (
	"cmp"
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

var effects = [...]string{degraded: model.EffectDegraded, affected: model.EffectAffected, down: model.EffectDown}

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
