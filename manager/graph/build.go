package graph

import (
	"hash/maphash"
	"slices"
	"strconv"
	"unsafe"

	"cassini/model"
)

// build joins all facts anew.
func (g *Graph) build() *view {
	v := &view{
		g: g, seed: maphash.MakeSeed(), idle: &g.idle, bulk: make(map[edgeKey]*edge), rings: make(map[string][]*edge),
		compared: order{compared: true},
	}
	for name := range g.hosts {
		v.host(name)
	}
	g.replicas = replicas{}
	for s := range g.services.all() {
		v.addService(s)
	}
	for a := range g.addresses.all() {
		for _, l := range a.clients {
			l.joins()
			v.joinLink(l)
		}
	}
	for key := range g.rings {
		v.addRing(key)
	}
	v.network()
	v.bulk = nil
	v.rank()
	inParts(len(v.list), sortApart, func(from, end int) {
		for _, n := range v.list[from:end] {
			n.edges.keep(tight(n.edges.all()))
			slices.SortFunc(n.out(), compareEdges)
			slices.SortFunc(n.in(), compareEdges)
		}
	})
	v.list, v.suspects = tight(v.list), nil
	v.topology = g.topology
	return v
}

// sortApart is how many nodes, with their edges, are worth a processor of their own.
const sortApart = 1000

// tight is a list without room for more.
func tight[T any](list []T) []T {
	if len(list) == cap(list) {
		return list
	}
	return append(make([]T, 0, len(list)), list...)
}

func (v *view) host(name string) *node {
	n, _ := v.spelled(append(append(v.room[:0], model.KindHost+":"...), name...), nodeHost, name)
	return n
}

func (v *view) process(host string, p *program) *node {
	n, fresh := v.spelled(append(append(append(v.room[:0], model.KindProcess+":"...), host...), p.path...), nodeProcess, host)
	if fresh {
		v.hold(edgeHas, v.host(host), n)
	}
	return n
}

// addService adds a service with its program and its endpoints.
func (v *view) addService(s *service) {
	n, _ := v.node(s.id, nodeService, s.host)
	v.state(n, func() { n.fact = unsafe.Pointer(s) })
	v.hold(edgeRuns, v.host(s.host), n)
	v.hold(edgeRunsAs, n, v.process(s.host, s.owner().program))
	if s.proto == model.ProtoUnix || model.IsTap(s.proto) {
		return // its name tells all, and none elsewhere stands in for it
	}
	for _, l := range s.current() {
		ep, _ := v.node(s.endpoint(l.addr), nodeEndpoint, s.host)
		v.hold(edgeListensOn, n, ep)
	}
	n.replica = v.g.replicas.hold(s.program()+"/"+s.proto+"/"+strconv.Itoa(int(s.port)), n.index)
	v.untrack(n)
	v.untrackSole(n.replica, n)
}

// untrackSole forgets the tracks of the programs of a service that was what another is too, or is
// what another was.
func (v *view) untrackSole(replica uint32, but *node) {
	if v.tracks == nil {
		return
	}
	if index, sole := v.g.replicas.soleBut(replica, but.index); sole {
		v.untrack(v.list[index])
	}
}

// dropService undoes addService, as it was when it was done.
func (v *view) dropService(n *node) {
	for _, e := range slices.Clone(n.edges.all()) {
		switch e.kind {
		case edgeRuns, edgeRunsAs, edgeListensOn:
			v.release(e)
		}
	}
	v.state(n, func() { n.fact = nil })
	v.untrack(n)
	v.untrackSole(n.replica, n)
	v.g.replicas.drop(n.replica, n.index)
	n.replica = 0
	v.suspects = append(v.suspects, n)
}

// state does what may change whether a service is one that no document of a listener tells
// of and that has connections.
func (v *view) state(n *node, change func()) {
	unstated := func() int { return b2i(n.kind == nodeService && n.fact == nil && n.told > 0) }
	before, fact := unstated(), n.fact
	change()
	if n.fact != fact {
		v.unsum(n)
	}
	if n.fact != fact || unstated() != before {
		n.unwriteClients()
	}
	v.unstated += unstated() - before
}

// replicas are numbers for what services are, from 1, as long as one is that.
type replicas struct {
	byName map[string]*replica
	by     map[uint32]*replica
	last   uint32
}

type replica struct {
	name     string
	number   uint32
	services int32
	nodes    int32 // their indices, each of which inverts bits: of one service its own
}

// hold is the number of what a service is, which lets it go in the end.
func (r *replicas) hold(what string, index int32) uint32 {
	if r.byName == nil {
		r.byName, r.by = make(map[string]*replica), make(map[uint32]*replica)
	}
	known := r.byName[what]
	if known == nil {
		r.last++
		known = &replica{name: what, number: r.last}
		r.byName[what], r.by[known.number] = known, known
	}
	known.services++
	known.nodes ^= index
	return known.number
}

// drop lets a number go; 0 is none.
func (r *replicas) drop(number uint32, index int32) {
	known := r.by[number]
	if known == nil {
		return
	}
	known.nodes ^= index
	if known.services--; known.services == 0 {
		delete(r.byName, known.name)
		delete(r.by, number)
	}
}

// alone says whether nothing else is what a service is.
func (r *replicas) alone(number uint32) bool {
	known := r.by[number]
	return known == nil || known.services == 1
}

// soleBut is the index of the only service but one of those that are the same.
func (r *replicas) soleBut(number uint32, index int32) (other int32, sole bool) {
	known := r.by[number]
	if known == nil || known.services != 2 {
		return 0, false
	}
	return known.nodes ^ index, true
}

// addRing adds a ring, whose members follow each other.
func (v *view) addRing(key string) {
	r := v.g.rings[key]
	if r == nil {
		return
	}
	n, _ := v.node(model.RingNodeID(r.ID), nodeRing, "")
	n.fact = unsafe.Pointer(r)
	held := make([]*edge, 0, 2*len(r.Members))
	for i, m := range r.Members {
		host := v.host(m.Host)
		held = append(held, v.hold(edgeIn, host, n))
		if next := r.Members[(i+1)%len(r.Members)]; next.Host != m.Host {
			held = append(held, v.hold(edgeNext, host, v.host(next.Host)))
		}
	}
	v.rings[key] = held
}

// dropRing undoes addRing.
func (v *view) dropRing(key string) {
	for _, e := range v.rings[key] {
		v.release(e)
	}
	delete(v.rings, key)
	if n := v.named(model.RingNodeID(model.RingID(key))); n != nil {
		n.fact = nil
		v.suspects = append(v.suspects, n)
	}
}
