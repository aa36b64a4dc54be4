package graph

import (
	"hash/maphash"
	"slices"
	"sync"
	"unsafe"
)

// view is how the facts join: nodes and edges without their counters, which are read from
// the facts when somebody asks. It follows the facts: what changes costs in proportion to
// the change (see settle). Nothing in it changes while questions are answered.
type view struct {
	numbered[node] // by identifier; a number is the node's index
	g              *Graph
	seed           maphash.Seed // of identifiers
	topology       uint64       // of the facts that it follows; what is worked out from the view holds as long
	room           []byte       // for identifiers, while it is changed
	suspects       []*node      // that may hang on nothing any more
	bulk           map[edgeKey]*edge
	idle           *idle
	rings          map[string][]*edge

	nodeCount [nodeKinds]int
	edgeCount [edgeKinds]int
	unstated  int     // services that no document of a listener tells of, and that have connections
	unranked  int     // nodes that came since all were ranked
	ranked    int     // how many had ranks then
	crowded   []*node // with edges to them that are in no order

	fallsLock sync.Mutex
	fallsMade *falls // of this topology or one before

	tracksLock sync.Mutex
	tracks     *tracks // nil before somebody asks, and while they are used
	tracksMade bool

	sumsLock sync.Mutex
	summed   sums

	ordering sync.Mutex
	inOrder  order // of all nodes
	compared order // of those that differences are told of

	lost bool // something could not be undone as it was done
}

// node is one node. What its attributes are read from depends on its kind.
type node struct {
	g     *Graph
	id    string
	edges edgeList // those from it, and then those to it; both by ID
	// fact is, by the kind, a *service, an *iface, a *claimed or a *model.Ring, or nil where
	// edges and the identifier tell all.
	fact    unsafe.Pointer
	index   int32  // in view.list; the same as long as the node is there
	replica uint32 // of a service: the same for those that can stand in for each other, or 0
	told    int32  // In documents behind edges to it; of a process, how many services it runs
	outs    int32  // how many edges are from it
	crowd   int32  // how many edges to it, the last, are in no order: see arrives
	ranks   ranks
	// ofHost is how long the name of its host is, with which the identifier goes on behind the
	// kind; 0 of what belongs to none.
	ofHost uint16
	kind   nodeKind
	// begins says that edges of another node may stand between this one's: its identifier
	// begins as this one's and goes on with what does not sort behind the kind of an edge.
	begins bool
}

// out are the edges from a node, by ID.
func (n *node) out() []*edge { return unsafe.Slice(n.edges.first, n.outs) }

// in are the edges to a node, by ID.
func (n *node) in() []*edge { return unsafe.Slice(n.edges.first, n.edges.count)[n.outs:] }

// leaves puts an edge among those from a node.
func (n *node) leaves(e *edge, at int) {
	n.edges.insert(at, e)
	n.outs++
}

// lose takes an edge away by its place among all.
func (n *node) lose(at int) {
	if at < int(n.outs) {
		n.outs--
	}
	n.edges.lose(at)
}

// host is the name of the host that it belongs to; "" of what belongs to none.
func (n *node) host() string {
	if n.ofHost == 0 {
		return ""
	}
	from := len(n.kind.String()) + len(":")
	return n.id[from : from+int(n.ofHost)]
}

func (v *view) hash(id string) uint64 { return maphash.String(v.seed, id) }

// named is the node of an identifier, or nil.
func (v *view) named(id string) *node {
	return v.get(v.hash(id), func(n *node) bool { return n.id == id })
}

// node finds or makes a node.
func (v *view) node(id string, kind nodeKind, host string) (n *node, fresh bool) {
	if n = v.named(id); n != nil {
		return n, false
	}
	return v.add(v.hash(id), id, kind, host), true
}

// spelled finds or makes the node of an identifier that was put together in v.room, which takes
// memory only where the node is made.
func (v *view) spelled(id []byte, kind nodeKind, host string) (n *node, fresh bool) {
	v.room = id
	hash := maphash.Bytes(v.seed, id) // the same as of the text
	if n = v.get(hash, func(n *node) bool { return n.id == string(id) }); n != nil {
		return n, false
	}
	return v.add(hash, string(id), kind, host), true
}

// add makes a node that is not there yet.
func (v *view) add(hash uint64, id string, kind nodeKind, host string) *node {
	n := &node{g: v.g, id: id, kind: kind, ofHost: uint16(len(host))}
	n.index = v.put(hash, n)
	v.comes(n)
	v.nodeCount[kind]++
	v.unranked++
	return n
}

// drop takes a node away that nothing hangs on.
func (v *view) drop(n *node) {
	v.unsum(n)
	if v.tracks != nil {
		v.tracks.forget(n)
	}
	v.goes(n)
	v.remove(v.hash(n.id), n)
	n.index = -1
	v.nodeCount[n.kind]--
}

// edge finds or makes an edge.
func (v *view) edge(kind edgeKind, from, to *node) *edge {
	if v.bulk != nil {
		if e := v.amongAll(kind, from, to); e != nil {
			return e
		}
		fresh := newEdge(kind, from, to)
		v.keepAmongAll(fresh)
		from.leaves(fresh, len(from.out()))
		to.edges.insert(len(to.edges.all()), fresh)
		v.count(fresh, 1)
		return fresh
	}
	at, known := from.find(kind, to)
	if known {
		return from.out()[at]
	}
	fresh := newEdge(kind, from, to)
	from.leaves(fresh, at)
	v.arrives(fresh)
	v.count(fresh, 1)
	v.unsum(from)
	v.untrackEdge(fresh)
	return fresh
}

// count counts an edge that comes or goes.
func (v *view) count(e *edge, n int) {
	if v.edgeCount[e.kind] += n; e.kind == edgeRunsAs {
		e.to.told += int32(n)
	}
}

// hold makes sure of an edge; whoever holds it releases it in the end.
func (v *view) hold(kind edgeKind, from, to *node) *edge {
	e := v.edge(kind, from, to)
	e.held++
	return e
}

func (v *view) release(e *edge) {
	if e == nil { // it was not held: settle joins everything anew
		v.lost = true
		return
	}
	if e.held--; e.held == 0 {
		v.cut(e)
	}
}

// find is the edge between two nodes, or nil.
func (v *view) find(kind edgeKind, from, to *node) *edge {
	at, known := from.find(kind, to)
	if !known {
		return nil
	}
	return from.out()[at]
}

// find is the place of an edge among those from a node, or where it would be.
func (n *node) find(kind edgeKind, to *node) (at int, known bool) {
	return slices.BinarySearchFunc(n.out(), to, func(e *edge, to *node) int { return compareOut(e.kind, e.to, kind, to) })
}

// cut takes an edge away.
func (v *view) cut(e *edge) {
	if at, known := slices.BinarySearchFunc(e.from.out(), e, compareEdges); known {
		e.from.lose(at)
	}
	e.to.order()
	if at, known := slices.BinarySearchFunc(e.to.in(), e, compareEdges); known {
		e.to.lose(int(e.to.outs) + at)
	}
	v.count(e, -1)
	v.unsum(e.from)
	v.untrackEdge(e)
	v.suspects = append(v.suspects, e.from, e.to)
}

// sweep takes away what hangs on nothing any more.
func (v *view) sweep() {
	for len(v.suspects) > 0 {
		last := len(v.suspects) - 1
		n := v.suspects[last]
		v.suspects = v.suspects[:last]
		if n.index < 0 || v.hangs(n) {
			continue
		}
		for _, e := range n.in() { // of a process: its host's
			v.cut(e)
		}
		v.drop(n)
	}
	v.suspects = nil
}

// hangs says whether a node is still there for something.
func (v *view) hangs(n *node) bool {
	switch n.kind {
	case nodeHost:
		return v.g.hosts[n.host()] != nil || n.edges.count > 0
	case nodeProcess: // but for its host's
		return len(n.out()) > 0 || len(n.in()) > 1
	}
	return n.fact != nil || n.edges.count > 0
}
