package graph

import (
	"cmp"
	"slices"

	"cassini/model"
)

// SinglePoints are hosts, switches, ports of switches and services that each take
// others along when they alone die, those with the most victims first. With of, only those
// that this node falls with, as down or affected; ok is false when there is no such
// node.
//
// Each candidate's impact is followed by itself, which takes time in proportion to all
// their victims.
func (g *Graph) SinglePoints(of string) (list []model.SinglePoint, ok bool) {
	list = []model.SinglePoint{}
	g.read(func(v *view) {
		target := v.nodes[of]
		if ok = of == "" || target != nil; !ok {
			return
		}
		f := v.falling()
		defer f.done()
		for _, n := range v.sorted {
			if n == target || !canFail(n) {
				continue
			}
			f.from(n)
			if target != nil && f.effect(target) < affected {
				continue
			}
			if p := f.point(n); p.Hosts+p.Services > 0 {
				list = append(list, p)
			}
		}
	})
	slices.SortFunc(list, func(a, b model.SinglePoint) int {
		return cmp.Or(cmp.Compare(b.Hosts+b.Services, a.Hosts+a.Services), natural(a.ID, b.ID))
	})
	return list, ok
}

// canFail says whether a node is a thing that dies: of services those that are there.
func canFail(n *node) bool {
	switch n.kind {
	case model.KindHost, model.KindSwitch, model.KindSwitchPort:
		return true
	case model.KindService:
		return n.service == nil || n.service.now.State == model.StateListening
	}
	return false
}

// point counts what falls with a node, besides what is on the node itself.
func (f *falling) point(n *node) model.SinglePoint {
	p := model.SinglePoint{ID: n.id, Kind: n.kind}
	for _, victim := range f.touched {
		switch {
		case victim == n || f.effect(victim) < affected || n.kind == model.KindHost && victim.host == n.host:
		case victim.kind == model.KindHost:
			p.Hosts++
		case victim.kind == model.KindService:
			p.Services++
		}
	}
	return p
}
