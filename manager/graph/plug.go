package graph

import (
	"net/netip"
	"slices"

	"cassini/model"
)

// plugged is what can be joined otherwise when an interface comes or goes: what tells of its
// hardware address, of those of its host, or was heard at it.
type plugged struct {
	neighbors  []*neighbor
	seen       []*seen
	clients    []*client
	forwarding []*forwarding
}

// around is what can be joined otherwise when one interface takes the place of another, of
// which either may be nil.
func (g *Graph) around(h *host, before, now *iface) plugged {
	var macs, at []string
	for _, i := range []*iface{before, now} {
		if i != nil {
			macs, at = append(macs, i.Address), append(at, i.id())
		}
	}
	ofHost := slices.Clone(macs) // a neighbor may mean another card of the host by name
	for _, i := range h.ifaces {
		ofHost = append(ofHost, i.Address)
	}
	neighbors := g.meant.near(ofHost, nil)
	for _, n := range h.neighbors {
		if slices.Contains(at, n.interfaceID()) && !slices.Contains(neighbors, n) {
			neighbors = append(neighbors, n)
		}
	}
	return plugged{
		neighbors: neighbors, seen: g.seenBy.near(macs, at),
		clients: g.askedBy.near(macs, at), forwarding: g.behind.near(macs, at),
	}
}

func (v *view) unplug(p plugged) {
	for _, n := range p.neighbors {
		v.dropWire(n)
	}
	for _, s := range p.seen {
		v.dropSeen(s)
	}
	for _, c := range p.clients {
		v.dropClient(c)
	}
	for _, f := range p.forwarding {
		v.dropForwarding(f)
	}
}

func (v *view) plug(p plugged) {
	for _, n := range p.neighbors {
		v.addWire(n)
	}
	for _, s := range p.seen {
		v.addSeen(s)
	}
	for _, c := range p.clients {
		v.addClient(c)
	}
	for _, f := range p.forwarding {
		v.addForwarding(f)
	}
}

// changeInterface puts an interface in the place of another, of which either may be nil.
func (g *Graph) changeInterface(h *host, before, now *iface) {
	g.topology++
	v := g.built
	var p plugged
	var closed []netip.Prefix
	if v != nil {
		closed = g.enclosures(h)
		p = g.around(h, before, now)
		v.unplug(p)
		for _, i := range standing(h, before, now) {
			v.dropOn(i)
		}
		if before != nil && !v.dropInterface(before) {
			g.rewire()
			v = nil
		}
	}
	if before != nil {
		g.dropInterface(h, before)
	}
	if now != nil {
		g.keepInterface(h, now)
	}
	if v == nil {
		return
	}
	g.touchInterface(h, closed, before, now)
	v.sweep() // what has gone is not to be found by what comes
	if now != nil && !v.addInterface(now) {
		g.rewire()
		return
	}
	for _, i := range standing(h, before, now) {
		v.addOn(i)
	}
	v.plug(p)
}

// standing are the interfaces of a host that stand on one of two, and these as far as they
// are there.
func standing(h *host, before, now *iface) (list []*iface) {
	for _, i := range h.ifaces {
		for _, under := range []*iface{before, now} {
			if under != nil && i.Netns == under.Netns && (i == under || i.Master == under.Name || i.Parent == under.Name) {
				list = append(list, i)
				break
			}
		}
	}
	return list
}

// wire is what a neighbor has put into the view.
type wire struct {
	edges   []*edge
	claimed []*node
	as      *neighbor // that claimed these: itself, or what tells of the same cable
}

// changeNeighbor puts a neighbor in the place of another, of which either may be nil.
func (g *Graph) changeNeighbor(h *host, before, now *neighbor) {
	g.topology++
	v := g.built
	if v != nil && before != nil && now != nil && now.State == before.State && now.saysAs(before) {
		v.renewClaim(before, now)
		v = nil
	}
	var same []*neighbor // on the same interface: protocols tell of one cable
	for _, n := range []*neighbor{before, now} {
		if v != nil && n != nil {
			same = append(same, slices.Collect(g.heardAt(n))...)
		}
	}
	for _, n := range same {
		v.dropWire(n)
	}
	if before != nil {
		g.dropNeighbor(h, before)
	}
	if now != nil {
		g.keepNeighbor(h, now)
	}
	for _, n := range same {
		if n != before {
			v.addWire(n)
		}
	}
	if v != nil && now != nil {
		v.addWire(now)
	}
}

// meansMACs are the hardware addresses by which a neighbor can mean an interface.
func (n *neighbor) meansMACs() (list []string) {
	if n.Port.Kind == "mac" {
		list = append(list, n.Port.ID)
	}
	if n.Chassis.Kind == "mac" && !slices.Contains(list, n.Chassis.ID) {
		list = append(list, n.Chassis.ID)
	}
	return list
}

// saysAs says whether a neighbor says the same as before.
func (n *neighbor) saysAs(before *neighbor) bool {
	return n.device == before.device && n.Interface == before.Interface && n.Netns == before.Netns && n.SourceMAC == before.SourceMAC && n.Port == before.Port && n.PortDescr == before.PortDescr
}

// renewClaim puts a neighbor in the place of one that said the same.
func (v *view) renewClaim(before, now *neighbor) {
	now.wire, now.there = before.wire, before.there
	before.wire = nil
	for o := range v.g.heardAt(now) {
		if o.wire != nil && o.wire.as == before {
			v.claimAs(o.wire, now)
		}
	}
	if now.wire != nil && now.wire.as == before {
		v.claimAs(now.wire, now)
	}
}

func (v *view) claimAs(w *wire, now *neighbor) {
	for _, n := range w.claimed {
		claims := n.claimed().claims
		claims[slices.Index(claims, w.as)] = now
	}
	w.as = now
}

// addWire joins an interface with what it hears, if it does and is not joined yet.
func (v *view) addWire(n *neighbor) {
	here := v.named(n.interfaceID())
	if here == nil || n.wire != nil || n.State != model.NeighborPresent {
		return // its own document is still to come
	}
	n.wire = &wire{as: n}
	there := v.otherEnd(n, here)
	n.there = there.id
	n.wire.edges = append(n.wire.edges, v.hold(edgeWiredTo, here, there))
}

// dropWire undoes addWire.
func (v *view) dropWire(n *neighbor) {
	w := n.wire
	if w == nil {
		return
	}
	n.wire, n.there = nil, ""
	for _, e := range w.edges {
		v.release(e)
	}
	for _, x := range w.claimed {
		c := x.claimed()
		at := slices.Index(c.claims, w.as)
		c.claims = slices.Delete(c.claims, at, at+1)
		v.unsum(x)
		v.forgets(x)
	}
}
