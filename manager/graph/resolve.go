package graph

import (
	"net/netip"
	"strings"

	"cassini/model"
)

// end is one end of a dependency, resolved to a node.
type end struct {
	id, kind string
	host     string         // "" when no agent knows it
	service  *service       // when it is one that listens or listened
	owner    *dependency    // whose process it is, when no document of a listener tells
	at       netip.AddrPort // of a service that nobody knows; the address of an unknown host
	proto    string
}

func (e end) label() string { _, s, _ := strings.Cut(e.id, ":"); return s }

// ends resolves both ends of a dependency.
func (g *Graph) ends(d *dependency) (client, server end) {
	if d.Direction == model.In {
		return g.clientOf(d), g.serviceOf(d)
	}
	client = end{id: model.ProcessID(d.host, d.Process), kind: model.KindProcess, host: d.host, owner: d}
	return client, g.dialled(d)
}

// clientOf names the client of an In document that no Out document matches.
func (g *Graph) clientOf(d *dependency) end {
	host := ""
	if g.isLocal(d.Client, d.place) {
		host = d.host
	} else if p, ok := g.whose(d.Client, d.host); ok {
		host = p.host
	}
	if host != "" {
		return end{id: model.HostID(host), kind: model.KindHost, host: host}
	}
	return end{id: model.UnknownHostID(d.Client), kind: model.KindUnknownHost, at: netip.AddrPortFrom(d.Client, 0)}
}

// serviceOf is the service at this end of an In document: the one of its own
// program, else (a socket handed over to another program) the one that listens
// there, else one that no listener document tells of.
func (g *Graph) serviceOf(d *dependency) end {
	id := model.ServiceID(d.host, d.Program(), d.Proto, d.Port, d.NetnsName)
	if s := g.services[id]; s != nil {
		return serviceEnd(s)
	}
	if s := g.at(d.place, d.Proto, d.Server, d.Port); s != nil {
		return serviceEnd(s)
	}
	return end{id: id, kind: model.KindService, host: d.host, owner: d, proto: d.Proto, at: netip.AddrPortFrom(d.Server, d.Port)}
}

func serviceEnd(s *service) end {
	return end{id: s.now.ID, kind: model.KindService, host: s.host, service: s}
}

// dialled is the service at the far end of an Out document.
func (g *Graph) dialled(d *dependency) end {
	if ins := g.sameConnections(d, g.ins); ins != nil {
		return g.acceptedBy(ins)
	}
	at := d.place
	found := g.isLocal(d.Server, at)
	if !found && global(d.Server) {
		at, found = g.whose(d.Server, d.host)
	}
	if found {
		if s := g.at(at, d.Proto, d.Server, d.Port); s != nil {
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
	case a.service.now.State != b.service.now.State:
		return a.service.now.State == model.StateListening
	}
	return lasted(a.service, b.service)
}

func absent(d *dependency) end {
	e := end{kind: model.KindService, at: netip.AddrPortFrom(d.Server, d.Port), proto: d.Proto}
	if !d.Server.IsLoopback() {
		e.id = model.AbsentServiceID("", e.at, d.Proto)
		return e
	}
	e.host = d.host
	e.id = model.AbsentServiceID(d.host, e.at, d.Proto)
	if d.netns != "" {
		e.id += "@" + d.netns
	}
	return e
}

// sameConnections finds the documents of the other end: those of the same host
// before others', and others' only if a single host can be meant. An address that
// a host has itself (a bridge, say) comes from there, not from another host that
// has one like it.
func (g *Graph) sameConnections(d *dependency, among map[link][]*dependency) []*dependency {
	var here, there []*dependency
	other, many := "", false
	for _, x := range among[d.link] {
		if x.host == d.host {
			here = append(here, x)
			continue
		}
		server, client := x, d
		if d.Direction == model.In {
			server, client = d, x
		}
		if g.isOf(d.Client, server.host) || g.isOf(d.Server, client.host) {
			continue
		}
		many = many || other != "" && other != x.host
		other = x.host
		there = append(there, x)
	}
	switch {
	case here != nil:
		return here
	case many:
		return nil
	}
	return there
}

// at finds the service that answers at an address of a place, or that did so
// last: one bound to the address before one bound to every address, one that
// listens before one that ended.
func (g *Graph) at(p place, proto string, addr netip.Addr, port uint16) *service {
	var best *service
	rank := 0
	consider := func(bound netip.Addr, weight int, fits func(model.Listener) bool) {
		for _, s := range g.sockets[socket{place: p, proto: proto, addr: bound, port: port}] {
			l := s.listeners[bound]
			if !fits(l) {
				continue
			}
			r := weight
			if l.State == model.StateListening {
				r += 10
			}
			if r > rank || r == rank && lasted(s, best) {
				best, rank = s, r
			}
		}
	}
	anyListener := func(model.Listener) bool { return true }
	consider(addr, 3, anyListener)
	if addr.Is4() {
		consider(netip.IPv4Unspecified(), 2, anyListener)
		consider(netip.IPv6Unspecified(), 1, func(l model.Listener) bool { return l.DualStack })
	} else {
		consider(netip.IPv6Unspecified(), 2, anyListener)
	}
	return best
}

// lasted reports whether a is to be preferred to b, which is as near.
func lasted(a, b *service) bool {
	if a.now.Ended != nil && b.now.Ended != nil && !a.now.Ended.Equal(*b.now.Ended) {
		return a.now.Ended.After(*b.now.Ended)
	}
	if !a.now.Since.Equal(b.now.Since) {
		return a.now.Since.After(b.now.Since)
	}
	return a.now.ID < b.now.ID
}
