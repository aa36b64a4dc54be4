package graph

import (
	"net/netip"
	"strings"

	"cassini/model"
)

// end is one end of a dependency, resolved to a node.
type end struct {
	id      string
	kind    nodeKind
	host    string   // "" when no agent knows it
	service *service // when it is one that listens or listened
	program *program // of a process
}

func (e end) label() string { _, s, _ := strings.Cut(e.id, ":"); return s }

// ends resolves both ends of a dependency.
func (g *Graph) ends(d *dependency) (client, server end) {
	if d.direction() == model.In {
		return g.clientOf(d), g.serviceOf(d)
	}
	return processEnd(d), g.dialled(d)
}

// processEnd is the process of a document.
func processEnd(d *dependency) end {
	return end{id: d.program.id(d.host), kind: nodeProcess, host: d.host, program: d.program}
}

// clientOf names the client of an In document that no Out document matches.
func (g *Graph) clientOf(d *dependency) end {
	host, a := "", d.link.client
	if d.isLocal(a) {
		host = d.host
	} else if p := g.whose(a, g.vantage(d)); p != nil {
		host = p.host
	}
	if host != "" {
		return end{id: model.HostID(host), kind: nodeHost, host: host}
	}
	if client, _ := d.addrs(); d.on() != "" {
		return end{id: model.UnknownHostOn(d.host, client, d.netns), kind: nodeUnknownHost}
	}
	return end{id: model.UnknownHostID(a.Addr), kind: nodeUnknownHost}
}

// serviceOf is the service at this end of an In document: the one of its own
// program, else (a socket handed over to another program) the one that listens
// there, else one that no listener document tells of.
func (g *Graph) serviceOf(d *dependency) end {
	t := d.link.target
	var room [256]byte // as much as most take
	id := model.AppendServiceID(room[:0], d.host, d.program.Program(), t.proto, t.port, d.netns)
	if s := g.services.spelled(id); s != nil {
		return serviceEnd(s)
	}
	if s := d.at(t.proto, t.server.Addr, t.port); s != nil {
		return serviceEnd(s)
	}
	return end{id: string(id), kind: nodeService, host: d.host}
}

func serviceEnd(s *service) end {
	return end{id: s.id, kind: nodeService, host: s.host, service: s}
}

// dialled is the service at the far end of an Out document.
func (g *Graph) dialled(d *dependency) end {
	if b := g.translations.branches[d]; b != nil {
		return g.dialled(b.list[0])
	}
	return g.dialledAs(d, g.sameConnections(d))
}

// dialledAs is that of a document without branches, with what the other end tells.
func (g *Graph) dialledAs(d *dependency, ins []*dependency) end {
	if ins != nil {
		return g.acceptedBy(ins)
	}
	t := d.link.target
	at := d.place
	if !t.server.IsLoopback() && (d.branch() != nil || !d.isLocal(t.server)) {
		at = g.whose(t.server, g.vantage(d))
	}
	if at != nil {
		if s := at.at(t.proto, t.server.Addr, t.port); s != nil {
			return serviceEnd(s)
		}
	}
	return absent(d)
}

// acceptedBy chooses among the services that accepted the same connections, one
// after the other: the one that listens, else the one that did so last.
func (g *Graph) acceptedBy(ins []*dependency) end {
	best := g.serviceOf(ins[0])
	for _, in := range ins[1:] {
		if e := g.serviceOf(in); preferred(e, best) {
			best = e
		}
	}
	return best
}

func preferred(a, b end) bool {
	switch {
	case a.service == nil || b.service == nil:
		return a.service != nil || b.service == nil && a.id < b.id
	case a.service.state != b.service.state:
		return a.service.state == model.StateListening
	}
	return lasted(a.service, b.service)
}

// absent is a service that no agent knows.
func absent(d *dependency) end {
	at, proto := d.dials(), d.link.target.proto
	if proto == model.ProtoUnix {
		return absentUnix(d)
	}
	if !at.Addr().IsLoopback() && d.on() == "" {
		return end{id: model.AbsentServiceID("", at, proto), kind: nodeService}
	}
	e := end{id: model.AbsentServiceID(d.host, at, proto), kind: nodeService}
	if d.netns != "" {
		e.id += "@" + d.netns
	}
	if at.Addr().IsLoopback() {
		e.host = d.host
	}
	return e
}

// at finds the service that answers at an address of a place, or that did so
// last: one bound to the address before one bound to every address, one that
// listens before one that ended.
func (p *place) at(proto string, addr netip.Addr, port uint16) (best *service) {
	rank := 0
	for _, s := range p.onPort(port) {
		if s.proto != proto {
			continue
		}
		for i := range s.listeners {
			if r := s.listeners[i].answers(addr); r > rank || r > 0 && r == rank && s != best && lasted(s, best) {
				best, rank = s, r
			}
		}
	}
	return best
}

// answers ranks how a listener answers at an address; 0 is not at all.
func (l *listening) answers(addr netip.Addr) (rank int) {
	switch {
	case l.addr == addr:
		rank = 3
	case addr.Is4() && l.addr == netip.IPv4Unspecified(), !addr.Is4() && l.addr == netip.IPv6Unspecified():
		rank = 2
	case addr.Is4() && l.addr == netip.IPv6Unspecified() && l.dualStack:
		rank = 1
	default:
		return 0
	}
	if l.listens {
		rank += 10
	}
	return rank
}

// lasted reports whether a is to be preferred to b, which is as near.
func lasted(a, b *service) bool {
	if !a.ended.IsZero() && !b.ended.IsZero() && a.ended != b.ended {
		return a.ended.After(b.ended)
	}
	if a.since != b.since {
		return a.since.After(b.since)
	}
	return a.id < b.id
}
