package graph

import (
	"net/netip"
	"slices"
	"strings"
	"unsafe"

	"cassini/manager/incidents"
	"cassini/model"
)

// claimed is what frames tell of a switch, of one of its ports, or of a machine without an
// agent.
type claimed struct {
	claims   []*neighbor // that mean it, the one that is believed first
	stranger *stranger   // of an unknown host
}

// claim adds what an interface hears of it.
func (w *claimed) claim(n *neighbor) {
	at, _ := slices.BinarySearchFunc(w.claims, n, compareNeighbors)
	w.claims = slices.Insert(w.claims, at, n)
}

// knows is what is known of a switch, a port of one or an unknown host, which may be added to.
func (n *node) knows() *claimed {
	if n.fact == nil {
		n.fact = unsafe.Pointer(&claimed{})
	}
	return n.claimed()
}

// claimed is what is known of a node; nil of those that nobody claims.
func (n *node) claimed() *claimed {
	switch n.kind {
	case nodeSwitch, nodeSwitchPort, nodeUnknownHost:
		return (*claimed)(n.fact)
	}
	return nil
}

// says is what a switch, its port or an unknown host says of itself; nil when nobody heard.
func (n *node) says() *neighbor {
	if w := n.claimed(); w != nil && len(w.claims) > 0 {
		return w.claims[0]
	}
	return nil
}

// stranger is what hosts know of a machine without an agent; nil of all other nodes.
func (n *node) stranger() *stranger {
	if w := n.claimed(); w != nil {
		return w.stranger
	}
	return nil
}

// service is what listens or listened; nil of other nodes, and where no document tells.
func (n *node) service() *service {
	if n.kind != nodeService {
		return nil
	}
	return (*service)(n.fact)
}

// listens says whether it is a service that listens, as far as an agent tells.
func (n *node) listens() bool {
	s := n.service()
	return s != nil && s.state == model.StateListening
}

// ended says whether a node is a service that is known not to listen any more: it cannot
// fall again.
func (n *node) ended() bool {
	s := n.service()
	return s != nil && s.state == model.StateEnded
}

// serves says whether a program runs a service.
func (n *node) serves() bool { return n.kind == nodeProcess && n.told > 0 }

// iface is an interface; nil of other nodes.
func (n *node) iface() *iface {
	if n.kind != nodeInterface {
		return nil
	}
	return (*iface)(n.fact)
}

// ring is a ring; nil of other nodes, and of one that is gone.
func (n *node) ring() *model.Ring {
	if n.kind != nodeRing {
		return nil
	}
	return (*model.Ring)(n.fact)
}

// facts is what a host tells of itself; nil when it never reported.
func (n *node) facts() *host {
	if n.kind != nodeHost {
		return nil
	}
	return n.g.hosts[n.host()]
}

// status is what its neighbors say against a host; nil when that is nothing.
func (n *node) status() *incidents.Status {
	if n.kind != nodeHost {
		return nil
	}
	if s, ok := n.g.incidents.Status(n.host()); ok {
		return &s
	}
	return nil
}

// onRing says whether a host is on a ring.
func (n *node) onRing() bool { return n.onRingOf(1) }

// heard says whether a host is on a ring with others, who hear it.
func (n *node) heard() bool { return n.onRingOf(2) }

// onRingOf says whether a host is on a ring of so many or more.
func (n *node) onRingOf(members int) bool {
	return slices.ContainsFunc(n.out(), func(e *edge) bool { return e.onRingOf(members) })
}

// onRingOf says whether an edge leads to a ring of so many or more.
func (e *edge) onRingOf(members int) bool {
	if e.kind != edgeIn {
		return false
	}
	r := e.to.ring()
	return r != nil && len(r.Members) >= members
}

// text is an identifier without its kind: that of a MAC, a subnet or a VLAN tells all.
func (n *node) text() string { _, text, _ := strings.Cut(n.id, ":"); return text }

// addr is the address of an ip, or of an unknown host that is known by it.
func (n *node) addr() (a netip.Addr) {
	switch n.kind {
	case nodeIP:
	case nodeUnknownHost:
		if len(n.out()) == 0 || n.out()[0].kind != edgeDependsOn { // their first
			return a
		}
		if ins := n.out()[0].ins(); len(ins) > 0 && ins[0].on() != "" {
			a, _ = ins[0].addrs()
			return a
		}
	default:
		return a
	}
	a, _ = netip.ParseAddr(n.text())
	return a
}

// listener is the service of an endpoint, and its address. Several may have had it, one
// after the other.
func (n *node) listener() (best *service, addr netip.Addr) {
	for _, e := range n.in() {
		if s := e.from.service(); s != nil && e.kind == edgeListensOn && (best == nil || preferred(serviceEnd(s), serviceEnd(best))) {
			best = s
		}
	}
	if best == nil {
		return nil, addr
	}
	for _, l := range best.listeners {
		if best.endpoint(l.addr) == n.id {
			addr = l.addr
		}
	}
	return best, addr
}

// endpoint is the identifier of an address that the service listens on.
func (s *service) endpoint(a netip.Addr) string {
	return model.EndpointID(s.host, s.proto, netip.AddrPortFrom(a, s.port), s.netns)
}

// owners are the In documents of a service that no document of a listener tells of.
func (n *node) owners() (docs []*dependency) {
	if n.kind != nodeService || n.fact != nil || n.told == 0 {
		return nil
	}
	for _, e := range n.in() {
		docs = append(docs, e.ins()...)
	}
	return docs
}

// dialled are the Out documents of a service that no agent knows.
func (n *node) dialled() (docs []*dependency) {
	if n.kind != nodeService || n.fact != nil || n.told > 0 {
		return nil
	}
	for _, e := range n.in() {
		docs = append(docs, e.outs()...)
	}
	return docs
}

// absent is where a service that no agent knows is dialled.
func (n *node) absent() (at netip.AddrPort, proto string) {
	if n.kind == nodeService && n.fact == nil && n.told == 0 {
		for _, e := range n.in() {
			for _, d := range e.outs() {
				return d.dials(), d.link.target.proto
			}
		}
	}
	return at, proto
}

func (n *node) dialledAt() netip.Addr { at, _ := n.absent(); return at.Addr() }

// runs are the services that run as a process, as far as documents of listeners tell.
func (n *node) runs() (list []*service) {
	for _, e := range n.in() {
		if s := e.from.service(); s != nil && e.kind == edgeRunsAs {
			list = append(list, s)
		}
	}
	return list
}

// talks are the Out documents of a process.
func (n *node) talks() (latest *dependency) {
	for _, e := range n.out() {
		if e.kind == edgeDependsOn {
			latest = later(latest, latestOf(e.outs()))
		}
	}
	return latest
}

// accepts is the latest In document of a process that no document of a listener tells of.
func (n *node) accepts() (latest *dependency) {
	for _, e := range n.in() {
		if e.kind != edgeRunsAs {
			continue
		}
		for _, d := range e.from.owners() {
			if d.host == n.host() && d.program.id(d.host) == n.id {
				latest = later(latest, d)
			}
		}
	}
	return latest
}

// later is the one of two that was seen later; which of several seen at once does not
// depend on the order of documents.
func later(a, b *dependency) *dependency {
	switch {
	case a == nil:
		return b
	case b == nil || a.lastSeen > b.lastSeen:
		return a
	case a.lastSeen < b.lastSeen || b.compareNames(a) < 0:
		return b
	}
	return a
}

func latestOf(docs []*dependency) (latest *dependency) {
	for _, d := range docs {
		latest = later(latest, d)
	}
	return latest
}
