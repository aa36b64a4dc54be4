package graph

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"cassini/manager/incidents"
	"cassini/model"
)

// view is how the facts join: nodes and edges without their counters, which are
// read from the facts when somebody asks. Nothing in it changes once it is built.
type view struct {
	topology uint64
	nodes    map[string]*node
	sorted   []*node   // by ID
	edges    []*edge   // by ID
	idle     sync.Pool // of *falling
}

// node is one node with the facts that its attributes are read from.
type node struct {
	g          *Graph
	id, kind   string
	out, in    []*edge // by ID
	index      int     // in view.sorted
	replica    string  // of a service: the same for those that can stand in for each other
	host       string  // "" for what belongs to none
	facts      *host
	service    *service
	owners     []*dependency         // of a service without a listener, and of its process: In documents
	absent     end                   // of a service that no agent knows
	runs       []*service            // of a process: services that run as it
	clients    []*dependency         // of a process: its Out documents
	addr       netip.Addr            // of an endpoint, an unknown host or an ip
	iface      *iface                // of an interface
	peers      map[model.Name]string // of an interface: the node that each neighbor document means
	says       *neighbor             // what a switch, its port or an unknown host says of itself
	text       string                // of a mac, a subnet or a vlan
	name       string                // of a vlan
	stranger   *stranger             // of an unknown host
	proto      string
	servesDHCP bool // of an ip
	ring       *model.Ring
	// dialled are the Out documents of a service that no agent knows; asked is what hosts
	// were told of the address of an unknown host.
	dialled []*dependency
	asked   []*model.Asked
	onRing  bool // of a host
	heard   bool // of a host: others on its ring hear it
	status  *incidents.Status
}

// edge is one relation. Only depends_on has documents.
type edge struct {
	id, kind  string
	from, to  *node
	outs, ins []*dependency
}

func (g *Graph) build() *view {
	b := builder{g: g, edges: make(map[string]*edge), ownedBy: make(map[string][]*node), view: &view{
		topology: g.topology,
		nodes:    make(map[string]*node),
	}}
	for _, h := range g.hosts {
		b.host(h.name)
	}
	for _, s := range g.services {
		b.service(serviceEnd(s))
	}
	b.dependencies()
	byMAC := b.network()
	b.strangers()
	b.askedHosts()
	b.forwards(byMAC)
	b.ringNodes()
	return b.finish()
}

type builder struct {
	*view
	g       *Graph
	edges   map[string]*edge
	ownedBy map[string][]*node // interfaces, by host
}

func (b *builder) node(id, kind, host string) (n *node, fresh bool) {
	if n = b.nodes[id]; n != nil {
		return n, false
	}
	n = &node{g: b.g, id: id, kind: kind, host: host}
	b.nodes[id] = n
	return n, true
}

func (b *builder) edge(kind string, from, to *node) *edge {
	id := model.EdgeID(kind, from.id, to.id)
	e := b.edges[id]
	if e == nil {
		e = &edge{id: id, kind: kind, from: from, to: to}
		b.edges[id] = e
	}
	return e
}

func (b *builder) host(name string) *node {
	n, _ := b.node(model.HostID(name), model.KindHost, name)
	n.facts = b.g.hosts[name]
	return n
}

func (b *builder) process(host string, p model.Process) *node {
	n, fresh := b.node(model.ProcessID(host, p), model.KindProcess, host)
	if fresh {
		b.edge(model.EdgeHas, b.host(host), n)
	}
	return n
}

// service adds a service with what hangs on it.
func (b *builder) service(e end) *node {
	n, fresh := b.node(e.id, model.KindService, e.host)
	if e.owner != nil {
		n.owners = append(n.owners, e.owner)
		p := b.process(e.host, e.owner.Process)
		p.owners = append(p.owners, e.owner)
		b.edge(model.EdgeRunsAs, n, p)
	}
	if !fresh {
		return n
	}
	if e.service == nil && e.owner == nil {
		n.absent = e
		return n
	}
	b.edge(model.EdgeRuns, b.host(e.host), n)
	if e.service != nil {
		n.service = e.service
		p := b.process(e.host, e.service.now.Process)
		p.runs = append(p.runs, e.service)
		b.edge(model.EdgeRunsAs, n, p)
		b.endpoints(n, e.service)
	}
	return n
}

func (b *builder) endpoints(n *node, s *service) {
	for _, a := range s.now.Addrs {
		id := model.EndpointID(s.host, s.now.Proto, netip.AddrPortFrom(a, s.now.Port), s.netns)
		ep, fresh := b.node(id, model.KindEndpoint, s.host)
		if fresh || preferred(serviceEnd(s), serviceEnd(ep.service)) { // several had it, one after the other
			ep.service, ep.addr, ep.proto = s, a, s.now.Proto
		}
		b.edge(model.EdgeListensOn, n, ep)
	}
}

// dependencies joins both ends of the same connections.
func (b *builder) dependencies() {
	joined := make(map[*dependency]bool)
	for _, outs := range b.g.outs {
		for _, d := range outs {
			server := b.g.dialled(d)
			client := b.process(d.host, d.Process)
			client.clients = append(client.clients, d)
			e := b.edge(model.EdgeDependsOn, client, b.service(server))
			e.outs = append(e.outs, d)
			if e.to.absent.id != "" {
				e.to.dialled = append(e.to.dialled, d)
			}
			for _, in := range b.g.sameConnections(d, b.g.ins) {
				if b.g.serviceOf(in).id == server.id {
					e.ins = append(e.ins, in)
					joined[in] = true
				}
			}
		}
	}
	for _, ins := range b.g.ins {
		for _, d := range ins {
			if !joined[d] {
				e := b.edge(model.EdgeDependsOn, b.client(d), b.service(b.g.serviceOf(d)))
				e.ins = append(e.ins, d)
			}
		}
	}
}

// client is the node of the client of an In document that is not joined: the one
// process that has the other end of these connections (to an earlier service on
// the same address), else what the address tells.
func (b *builder) client(d *dependency) *node {
	outs := b.g.sameConnections(d, b.g.outs)
	same := func(o *dependency) bool {
		return model.ProcessID(o.host, o.Process) == model.ProcessID(outs[0].host, outs[0].Process)
	}
	if len(outs) > 0 && !slices.ContainsFunc(outs, func(o *dependency) bool { return !same(o) }) {
		return b.process(outs[0].host, outs[0].Process)
	}
	e := b.g.clientOf(d)
	if e.kind == model.KindHost {
		return b.host(e.host)
	}
	n, _ := b.node(e.id, e.kind, "")
	n.addr = e.at.Addr()
	return n
}

func (b *builder) finish() *view {
	v := b.view
	for _, n := range v.nodes {
		v.sorted = append(v.sorted, n)
	}
	slices.SortFunc(v.sorted, func(x, y *node) int { return strings.Compare(x.id, y.id) })
	for i, n := range v.sorted {
		n.index, n.replica = i, n.replicaKey()
	}
	for _, e := range b.edges {
		e.ins = unique(e.ins)
		e.outs = unique(e.outs)
		v.edges = append(v.edges, e)
	}
	slices.SortFunc(v.edges, func(x, y *edge) int { return strings.Compare(x.id, y.id) })
	for _, e := range v.edges {
		e.from.out = append(e.from.out, e)
		e.to.in = append(e.to.in, e)
	}
	return v
}

// unique sorts documents by name: several Out documents may have joined one In.
func unique(ds []*dependency) []*dependency {
	slices.SortFunc(ds, func(x, y *dependency) int {
		return cmp.Or(strings.Compare(x.host, y.host), strings.Compare(x.name.Key, y.name.Key), strings.Compare(x.name.Package, y.name.Package))
	})
	return slices.Compact(ds)
}
