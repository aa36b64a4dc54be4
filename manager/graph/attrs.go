package graph

import (
	"net/netip"
	"slices"

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

// mostAttrs is how many attributes a host or a service has room for at once.
const mostAttrs = 16

// edgeAttrs is the same for a dependency: of more, maps take twice the memory.
const edgeAttrs = 14

func (n *node) render() model.Node {
	attrs := n.attrs()
	n.flapping(attrs)
	return model.Node{ID: n.id, Kind: n.kind.String(), Attrs: attrs}
}

func (n *node) attrs() model.Attrs {
	switch n.kind {
	case nodeHost:
		if h := n.facts(); h != nil {
			return n.labelled(n.liveness(h.attrs()))
		}
		return n.labelled(n.liveness(model.Attrs{"name": n.host()}))
	case nodeRing:
		return ringAttrs(n.ring())
	case nodeService:
		return n.serviceAttrs()
	case nodeEndpoint:
		s, addr := n.listener()
		a := model.Attrs{"host": n.host(), "proto": s.proto, "addr": addr, "port": s.port, "state": s.state}
		set(a, "netns", s.netns)
		return a
	case nodeProcess:
		return n.processAttrs()
	}
	a := model.Attrs{}
	if n.kind != nodeIP && (n.kind != nodeUnknownHost || n.says() != nil) {
		a = n.networkAttrs()
	}
	if s := n.stranger(); s != nil {
		s.attrs(n.g, n.id, a)
	}
	if addr := n.addr(); addr.IsValid() {
		a["addr"] = addr
		setTrue(a, "dhcp_server", n.kind == nodeIP && n.g.serving[addr] > 0)
	}
	setList(a, "asked_as", n.askedAs())
	return a
}

// state is the state of a service.
func (n *node) state() string {
	switch {
	case n.service() != nil:
		return n.service().state
	case n.told > 0:
		return StateUnknown
	}
	return StateAbsent
}

func (n *node) serviceAttrs() model.Attrs {
	a := make(model.Attrs, mostAttrs)
	a["state"], a["known"] = n.state(), n.state() != StateAbsent
	set(a, "host", n.host())
	if n.service() == nil {
		d := latestOf(n.owners())
		if d == nil {
			at, proto := n.absent()
			if a["proto"] = proto; proto == model.ProtoUnix {
				name, netns := unixName(at.Addr(), n.dialled()[0].netns)
				unixAttrs(a, name, netns)
				return a
			}
			a["addr"], a["port"] = at.Addr(), at.Port()
			setList(a, "asked_as", n.askedAs())
			return a
		}
		at := d.link.server()
		a["proto"], a["addr"], a["port"] = d.link.target.proto, at.Addr(), at.Port()
		set(a, "netns", d.netns)
		n.ownerAttrs(a, d.process())
		return a
	}
	s := n.service().now()
	a["proto"], a["since"] = s.Proto, s.Since
	switch {
	case s.Proto == model.ProtoUnix:
		unixAttrs(a, s.UnixName, s.NetnsName)
	case model.IsTap(s.Proto):
		tapAttrs(a, s.Tap)
	default:
		a["addr"], a["addrs"], a["port"] = s.Addr, s.Addrs, s.Port
		if len(s.Interfaces) > 0 {
			a["interfaces"] = s.Interfaces
		}
	}
	acceptAttrs(a, s.Accepts)
	set(a, "since_approx", s.SinceApprox)
	set(a, "netns", s.NetnsName)
	if s.Ended != nil {
		a["ended"] = *s.Ended
	}
	n.ownerAttrs(a, s.Process)
	n.livesAttrs(a)
	return a
}

// processAttrs shows the latest of the processes that are one program.
func (n *node) processAttrs() model.Attrs {
	a := model.Attrs{"host": n.host()}
	if p, ok := n.latest(); ok {
		n.ownerAttrs(a, p)
	}
	n.livesAttrs(a)
	return a
}

// latest is the process seen last among the owners of services and connections.
func (n *node) latest() (p model.Process, ok bool) {
	var s *service
	for _, x := range n.runs() {
		if s == nil || preferred(serviceEnd(x), serviceEnd(s)) {
			s = x
		}
	}
	d := n.talks()
	switch {
	case d == nil && s == nil:
		d = n.accepts()
		if d == nil {
			return model.Process{}, false
		}
	case d == nil || s != nil && s.state == model.StateListening && s.since.After(d.lastSeen):
		owner := s.owner()
		return owner.program.as(owner.pid), true
	}
	return d.process(), true
}

func (n *node) ownerAttrs(a model.Attrs, p model.Process) {
	a["exe"], a["program"], a["pid"] = p.Exe, p.Program(), p.PID
	a["cmdline"], a["uid"], a["gid"], a["cwd"] = p.Cmdline, p.UID, p.GID, p.Cwd
	set(a, "comm", p.Comm)
	set(a, "called_as", p.CalledAs)
	set(a, "cgroup", p.Cgroup)
	whereAttrs(a, n.g.containers.where(n.host(), p))
	set(a, "partial", p.Partial)
}

func (e *edge) render() model.Edge {
	return model.Edge{ID: e.id(), Kind: e.kind.String(), From: e.from.id, To: e.to.id, Attrs: e.attrs()}
}

func (e *edge) attrs() model.Attrs {
	if e.kind != edgeDependsOn {
		return model.Attrs{}
	}
	var v model.DependencyView
	e.describeFigures(&v)
	a := make(model.Attrs, edgeAttrs)
	a["proto"], a["seen_by"] = v.Proto, v.SeenBy
	a["connections"], a["failed"], a["open"] = v.Connections, v.Failed, v.Open
	a["bytes_sent"], a["bytes_received"], a["rtt_microseconds"] = v.BytesSent, v.BytesReceived, v.RTTMicros
	a["first_seen"], a["last_seen"] = v.FirstSeen, v.LastSeen
	if v.Proto == model.ProtoUnix {
		unixAttrs(a, v.UnixName, "")
	} else {
		a["port"], a["client_addr"], a["server_addr"] = v.Port, v.Client.Addr, v.Server.Addr
	}
	set(a, "interface", v.Interface)
	setList(a, "asked_as", v.AskedAs)
	setList(a, "dialled", endpointTexts(v.Dialled))
	setList(a, "translated_by", v.TranslatedBy)
	set(a, "attempts", v.Attempts)
	set(a, "refused", v.Refused)
	set(a, "timed_out", v.TimedOut)
	set(a, "unreachable", v.Unreachable)
	set(a, "aborted", v.Aborted)
	set(a, "retransmits", v.Retransmits)
	set(a, "datagrams_sent", v.DatagramsSent)
	set(a, "datagrams_received", v.DatagramsReceived)
	set(a, "rtt_p50_microseconds", v.RTTP50Micros)
	set(a, "rtt_p95_microseconds", v.RTTP95Micros)
	set(a, "rtt_p99_microseconds", v.RTTP99Micros)
	set(a, "lifetime_p50_microseconds", v.LifetimeP50Micros)
	set(a, "lifetime_p95_microseconds", v.LifetimeP95Micros)
	set(a, "lifetime_p99_microseconds", v.LifetimeP99Micros)
	return a
}

// told are the documents of the end of a depends_on edge that tells: the client's, if it does.
func (e *edge) told() []*dependency {
	if len(e.outs()) > 0 {
		return e.outs()
	}
	return e.ins()
}

// sumInto is sumOf where the sum will be, which is zero.
func sumInto(c *model.Counters, docs []*dependency) {
	if len(docs) > 1 || docs[0].rare != nil {
		*c = sumOf(docs)
		return
	}
	docs[0].counts.unpack(c, true)
	if c.Connections += c.Adopted; c.Closed+c.Open == 0 {
		c.RTTMicros = 0 // a mean of none
	}
}

func sumOf(docs []*dependency) (c model.Counters) {
	if len(docs) == 1 {
		if c = docs[0].totals(); c.Closed+c.Open == 0 {
			c.RTTMicros = 0 // a mean of none
		}
		return c
	}
	for _, d := range docs {
		c = plus(c, d.totals())
	}
	return c
}

// dependency sums up the documents of a depends_on edge.
func (e *edge) dependency() (v model.DependencyView) {
	e.describe(&v)
	return v
}

// describe does that where the answer will be, which is empty: it is long.
func (e *edge) describe(v *model.DependencyView) {
	v.ID = e.id()
	e.describeNameless(v)
}

// describeNameless leaves the identifier out.
func (e *edge) describeNameless(v *model.DependencyView) {
	last := e.describeFigures(v)
	g := e.from.g
	v.Client.ID, v.Client.Host = e.from.id, e.from.host()
	v.Server.ID, v.Server.Host = e.to.id, e.to.host()
	if len(e.outs()) > 0 {
		g.fill(&v.Client, last.program, last.pid())
	} else if p, ok := e.from.latest(); ok && e.from.kind == nodeProcess {
		v.Client.Exe, v.Client.PID, v.Client.Where = p.Exe, p.PID, g.containers.where(e.from.host(), p)
	}
	if s := e.to.service(); s != nil {
		owner := s.owner()
		g.fill(&v.Server, owner.program, owner.pid)
	} else if owner := latestOf(e.to.owners()); owner != nil {
		g.fill(&v.Server, owner.program, owner.pid())
	}
}

// describeFigures tells all but what is at the ends. It returns the document that was last
// seen of those that tell.
func (e *edge) describeFigures(v *model.DependencyView) (last *dependency) {
	docs, g := e.told(), e.from.g
	last = latestOf(docs)
	v.Proto, v.Port = last.link.target.proto, last.link.target.port
	v.Interface = last.on()
	v.Client.Addr, v.Server.Addr = model.Zoned(last.direction(), last.asDialled().link.client.Addr, last.link.target.server.Addr, v.Interface)
	v.LastSeen = last.lastSeen.Time()
	v.AskedAs = g.asked.of(e.outs())
	v.Dialled, v.TranslatedBy = dialledOf(e.outs()), translatedBy(e.outs())
	sumInto(&v.Counters, docs)
	if v.Proto == model.ProtoUnix {
		v.UnixName, _ = unixName(v.Server.Addr, last.netns)
		v.Client.Addr, v.Server.Addr, v.Port = netip.Addr{}, netip.Addr{}, 0
	}
	v.Quantiles = model.QuantilesOf(&v.Counters)
	v.SeenBy = slices.Grow(v.SeenBy, 2)
	if len(e.outs()) > 0 {
		v.SeenBy = append(v.SeenBy, "client")
	}
	if len(e.ins()) > 0 {
		v.SeenBy = append(v.SeenBy, "server")
	}
	first := last.firstSeen
	for _, d := range docs {
		first = min(first, d.firstSeen)
	}
	v.FirstSeen = first.Time()
	return last
}

// fill says of an end of a dependency what runs there.
func (g *Graph) fill(p *model.Party, of *program, pid int) {
	p.Exe, p.PID = of.Exe, pid
	if of.Home != nil || of.Cgroup != "" {
		p.Where = g.containers.where(p.Host, of.Process)
	}
}
