package graph

import (
	"cassini/model"
)

// States of services beside those of model.Listener.
const (
	// StateAbsent says that somebody dials the service and that no agent knows it.
	StateAbsent = "absent"
	// StateUnknown says that a program has connections as this service and that
	// no document tells whether it still listens.
	StateUnknown = "unknown"
)

func (n *node) render() model.Node {
	attrs := n.attrs()
	n.flapping(attrs)
	return model.Node{ID: n.id, Kind: n.kind, Attrs: attrs}
}

func (n *node) attrs() model.Attrs {
	switch n.kind {
	case model.KindHost:
		if n.facts == nil {
			return n.liveness(model.Attrs{"name": n.host})
		}
		return n.liveness(n.facts.attrs())
	case model.KindRing:
		return ringAttrs(n.ring)
	case model.KindService:
		return n.serviceAttrs()
	case model.KindEndpoint:
		s := n.service.now
		a := model.Attrs{"host": n.host, "proto": n.proto, "addr": n.addr, "port": s.Port, "state": s.State}
		set(a, "netns", n.service.netns)
		return a
	case model.KindProcess:
		return n.processAttrs()
	}
	a := model.Attrs{}
	if n.iface != nil || n.says != nil || n.text != "" {
		a = n.networkAttrs()
	}
	if n.stranger != nil {
		n.stranger.attrs(n.id, a)
	}
	setTrue(a, "dhcp_server", n.servesDHCP)
	if n.addr.IsValid() {
		a["addr"] = n.addr
	}
	setList(a, "asked_as", n.askedAs())
	return a
}

// state is the state of a service.
func (n *node) state() string {
	switch {
	case n.service != nil:
		return n.service.now.State
	case n.owners != nil:
		return StateUnknown
	}
	return StateAbsent
}

func (n *node) serviceAttrs() model.Attrs {
	a := model.Attrs{"state": n.state(), "known": n.state() != StateAbsent}
	set(a, "host", n.host)
	if n.service == nil {
		d := latestOf(n.owners)
		if d == nil {
			a["proto"], a["addr"], a["port"] = n.absent.proto, n.absent.at.Addr(), n.absent.at.Port()
			setList(a, "asked_as", n.askedAs())
			return a
		}
		a["proto"], a["addr"], a["port"] = d.Proto, d.Server, d.Port
		set(a, "netns", d.netns)
		n.ownerAttrs(a, d.Process)
		return a
	}
	s := n.service.now
	a["proto"], a["addr"], a["addrs"], a["port"] = s.Proto, s.Addr, s.Addrs, s.Port
	a["since"] = s.Since
	set(a, "since_approx", s.SinceApprox)
	set(a, "netns", s.NetnsName)
	if s.Ended != nil {
		a["ended"] = *s.Ended
	}
	n.ownerAttrs(a, s.Process)
	return a
}

// processAttrs shows the latest of the processes that are one program.
func (n *node) processAttrs() model.Attrs {
	a := model.Attrs{"host": n.host}
	if p, ok := n.latest(); ok {
		n.ownerAttrs(a, p)
	}
	return a
}

// latest is the process seen last among the owners of services and connections.
func (n *node) latest() (p model.Process, ok bool) {
	var s *service
	for _, x := range n.runs {
		if s == nil || preferred(serviceEnd(x), serviceEnd(s)) {
			s = x
		}
	}
	d := latestOf(n.clients)
	switch {
	case d == nil && s == nil:
		d = latestOf(n.owners)
		if d == nil {
			return model.Process{}, false
		}
	case d == nil || s != nil && s.now.State == model.StateListening && s.now.Since.After(d.LastSeen):
		return s.now.Process, true
	}
	return d.Process, true
}

func latestOf(ds []*dependency) (latest *dependency) {
	for _, d := range ds {
		if latest == nil || d.LastSeen.After(latest.LastSeen) ||
			d.LastSeen.Equal(latest.LastSeen) && d.name.String() < latest.name.String() {
			latest = d
		}
	}
	return latest
}

func (n *node) ownerAttrs(a model.Attrs, p model.Process) {
	a["exe"], a["program"], a["pid"] = p.Exe, p.Program(), p.PID
	a["cmdline"], a["uid"], a["gid"], a["cwd"] = p.Cmdline, p.UID, p.GID, p.Cwd
	set(a, "comm", p.Comm)
	set(a, "cgroup", p.Cgroup)
	whereAttrs(a, n.g.containers.where(n.host, p))
	set(a, "partial", p.Partial)
}

func (e *edge) render() model.Edge {
	return model.Edge{ID: e.id, Kind: e.kind, From: e.from.id, To: e.to.id, Attrs: e.attrs()}
}

func (e *edge) attrs() model.Attrs {
	if e.kind != model.EdgeDependsOn {
		return model.Attrs{}
	}
	v := e.dependency()
	a := model.Attrs{
		"proto": v.Proto, "port": v.Port, "seen_by": v.SeenBy,
		"client_addr": v.Client.Addr, "server_addr": v.Server.Addr,
		"connections": v.Connections, "failed": v.Failed, "open": v.Open,
		"bytes_sent": v.BytesSent, "bytes_received": v.BytesReceived,
		"rtt_microseconds": v.RTTMicros,
		"first_seen":       v.FirstSeen, "last_seen": v.LastSeen,
	}
	setList(a, "asked_as", v.AskedAs)
	set(a, "attempts", v.Attempts)
	set(a, "refused", v.Refused)
	set(a, "timed_out", v.TimedOut)
	set(a, "unreachable", v.Unreachable)
	set(a, "aborted", v.Aborted)
	set(a, "retransmits", v.Retransmits)
	return a
}

// told are the documents of the end of a depends_on edge that tells: the client's, if it does.
func (e *edge) told() []*dependency {
	if len(e.outs) > 0 {
		return e.outs
	}
	return e.ins
}

func sumOf(docs []*dependency) (c model.Counters) {
	for _, d := range docs {
		c = plus(c, d.totals())
	}
	return c
}

// dependency sums up the documents of a depends_on edge.
func (e *edge) dependency() model.DependencyView {
	docs, ends := e.told(), []string{"server"}
	if len(e.outs) > 0 {
		ends = []string{"client"}
		if len(e.ins) > 0 {
			ends = append(ends, "server")
		}
	}
	last := latestOf(docs)
	v := model.DependencyView{
		ID: e.id, Proto: last.Proto, Port: last.Port, SeenBy: ends,
		Client:    model.Party{ID: e.from.id, Host: e.from.host, Addr: last.Client},
		Server:    model.Party{ID: e.to.id, Host: e.to.host, Addr: last.Server},
		FirstSeen: last.firstSeen,
		LastSeen:  last.LastSeen.UTC(),
	}
	if latest, ok := e.from.latest(); ok && e.from.kind == model.KindProcess {
		v.Client.Exe, v.Client.PID = latest.Exe, latest.PID
		v.Client.Where = e.from.g.containers.where(e.from.host, latest)
	}
	if len(e.outs) > 0 {
		v.Client.Exe, v.Client.PID = last.Exe, last.PID
		v.Client.Where = e.from.g.containers.where(e.from.host, last.Process)
	}
	switch {
	case e.to.service != nil:
		v.Server.Exe, v.Server.PID = e.to.service.now.Exe, e.to.service.now.PID
		v.Server.Where = e.to.g.containers.where(e.to.host, e.to.service.now.Process)
	case e.to.owners != nil:
		owner := latestOf(e.to.owners)
		v.Server.Exe, v.Server.PID = owner.Exe, owner.PID
		v.Server.Where = e.to.g.containers.where(e.to.host, owner.Process)
	}
	v.AskedAs = e.to.g.asked.of(e.outs)
	v.Counters = sumOf(docs)
	for _, d := range docs {
		if d.firstSeen.Before(v.FirstSeen) {
			v.FirstSeen = d.firstSeen
		}
	}
	v.FirstSeen = v.FirstSeen.UTC()
	return v
}
