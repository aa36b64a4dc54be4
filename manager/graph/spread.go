package graph

import (
	"iter"
	"slices"
)

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
			if f.reached() >= f.bound {
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
			if e.uplinks(wired) && !yield(e.to) {
				return
			}
		}
	}
}

// uplinks says whether an edge is from a host, which is wired or not, to one of its uplinks.
func (e *edge) uplinks(wired bool) bool {
	return e.kind == edgeOwns && (wired && e.to.plugged() || !wired && e.to.carries())
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
