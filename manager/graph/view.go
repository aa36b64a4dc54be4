package graph

import (
	"cmp"
	"hash/maphash"
	"iter"
	"slices"
	"strings"
	"sync"

	"cassini/manager/table"
	"cassini/model"
)

// view is how the facts join: nodes and edges without their counters, which are read from
// the facts when somebody asks. It follows the facts: what changes costs in proportion to
// the change (see settle). Nothing in it changes while questions are answered.
type view struct {
	g        *Graph
	seed     maphash.Seed // of identifiers
	topology uint64       // of the facts that it follows; what is worked out from the view holds as long
	nodes    table.Table[*node]
	list     []*node // by index; nil where a node has gone
	free     []int32 // indices of such
	suspects []*node // that may hang on nothing any more
	bulk     map[edgeKey]*edge
	idle     *idle
	rings    map[string][]*edge

	nodeCount [nodeKinds]int
	edgeCount [edgeKinds]int
	unstated  int     // services that no document of a listener tells of, and that have connections
	unranked  int     // nodes that came since all were ranked
	crowded   []*node // with edges to them that are in no order

	fallsLock sync.Mutex
	fallsMade *falls // of this topology or one before

	tracksLock sync.Mutex
	tracks     *tracks // of this topology or one before; nil while they are used
	tracksMade bool

	sumsLock sync.Mutex
	summed   sums

	ordering sync.Mutex
	ordered  []*node // by ID, as far as late is empty and nothing has gone; nil before somebody asks
	indices  []int32 // of ordered; nil before somebody asks for them
	late     []*node // came since
	gone     bool    // some went since

	lost bool // something could not be undone as it was done
}

// node is one node. What its attributes are read from depends on its kind.
type node struct {
	g     *Graph
	id    string
	edges []*edge // those from it, and then those to it; both by ID
	// fact is a *service, an *iface, a *claimed, a *stranger or a *model.Ring, or nil where
	// edges and the identifier tell all.
	fact    any
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
func (n *node) out() []*edge { return n.edges[:n.outs:n.outs] }

// in are the edges to a node, by ID.
func (n *node) in() []*edge { return n.edges[n.outs:] }

// leaves puts an edge among those from a node.
func (n *node) leaves(e *edge, at int) {
	n.edges = slices.Insert(n.edges, at, e)
	n.outs++
}

// lose takes an edge away by its place among all.
func (n *node) lose(at int) {
	if at < int(n.outs) {
		n.outs--
	}
	if n.edges = slices.Delete(n.edges, at, at+1); len(n.edges) == 0 {
		n.edges = nil
	}
}

// host is the name of the host that it belongs to; "" of what belongs to none.
func (n *node) host() string {
	if n.ofHost == 0 {
		return ""
	}
	from := len(n.kind.String()) + len(":")
	return n.id[from : from+int(n.ofHost)]
}

// edge is one relation. Only depends_on has documents.
type edge struct {
	from, to *node
	facts    *evidence // nil but of depends_on
	held     int32     // how often something has it; of depends_on how many documents are Out
	kind     edgeKind
}

// outs are the documents of the client's end.
func (e *edge) outs() []*dependency {
	if e.kind != edgeDependsOn {
		return nil
	}
	return e.facts.docs()[:e.held]
}

// ins are the documents of the service's end.
func (e *edge) ins() []*dependency {
	if e.kind != edgeDependsOn {
		return nil
	}
	return e.facts.docs()[e.held:]
}

// id is the edge's identifier: made when it is asked for, since it is longer than all else
// of the edge.
func (e *edge) id() string { return model.EdgeID(e.kind.String(), e.from.id, e.to.id) }

// compareEdges orders edges as their identifiers do, without making these.
func compareEdges(a, b *edge) int {
	if a.from == b.from && a.kind == b.kind {
		return compareNodes(a.to, b.to)
	}
	if a.from != b.from && a.from.ranks.id != 0 && b.from.ranks.id != 0 && !a.from.begins && !b.from.begins {
		return cmp.Compare(a.from.ranks.id, b.from.ranks.id)
	}
	x, y := a.from.id, b.from.id
	if n := min(len(x), len(y)); a.from != b.from && x[:n] != y[:n] {
		return strings.Compare(x, y) // neither begins as the other
	}
	return compareParts([...]string{a.from.id, " -", a.kind.String(), "-> ", a.to.id}, [...]string{b.from.id, " -", b.kind.String(), "-> ", b.to.id})
}

// compareParts compares texts that lie in parts.
func compareParts(a, b [5]string) int {
	i, j := 0, 0
	for x, y := a[0], b[0]; ; {
		n := min(len(x), len(y))
		if c := strings.Compare(x[:n], y[:n]); c != 0 {
			return c
		}
		x, y = x[n:], y[n:]
		for x == "" && i < len(a)-1 {
			i++
			x = a[i]
		}
		for y == "" && j < len(b)-1 {
			j++
			y = b[j]
		}
		if x == "" || y == "" {
			return len(x) - len(y)
		}
	}
}

// all are the nodes by index, which is in no order.
func (v *view) all() iter.Seq[*node] {
	return func(yield func(*node) bool) {
		for _, n := range v.list {
			if n != nil && !yield(n) {
				return
			}
		}
	}
}

// byID are the nodes by ID. Nobody may change the list.
func (v *view) byID() []*node {
	v.ordering.Lock()
	defer v.ordering.Unlock()
	return v.inOrder()
}

// indicesByID are the nodes by ID, with their indices. Nobody may change the lists.
func (v *view) indicesByID() ([]*node, []int32) {
	v.ordering.Lock()
	defer v.ordering.Unlock()
	list := v.inOrder()
	if v.indices == nil {
		v.indices = make([]int32, len(list))
		inParts(len(list), indicesApart, func(from, end int) {
			for i := from; i < end; i++ {
				v.indices[i] = list[i].index
			}
		})
	}
	return list, v.indices
}

// indicesApart is how many nodes are worth a processor of their own.
const indicesApart = 10_000

// inOrder does what byID does, for who has the lock.
func (v *view) inOrder() []*node {
	if v.ordered == nil {
		v.ordered, v.late, v.gone = slices.AppendSeq(make([]*node, 0, v.nodes.Len()), v.all()), nil, false
		slices.SortFunc(v.ordered, compareNodes)
	}
	if !v.gone && len(v.late) == 0 {
		return v.ordered
	}
	v.indices = nil
	is := func(n *node) bool { return n.index >= 0 }
	list := make([]*node, 0, len(v.ordered)+len(v.late))
	slices.SortFunc(v.late, compareNodes)
	i := 0
	for _, n := range v.late {
		if !is(n) {
			continue
		}
		at, _ := slices.BinarySearchFunc(v.ordered[i:], n, compareNodes)
		for _, before := range v.ordered[i : i+at] {
			if is(before) {
				list = append(list, before)
			}
		}
		i += at
		list = append(list, n)
	}
	for _, n := range v.ordered[i:] {
		if is(n) {
			list = append(list, n)
		}
	}
	v.ordered, v.late, v.gone = list, nil, false
	return list
}

// allEdges are the edges by ID, in a list of the caller's own.
func (v *view) allEdges() []*edge {
	n := 0
	for _, c := range v.edgeCount {
		n += c
	}
	list := make([]*edge, 0, n)
	sorted := true
	for _, from := range v.byID() {
		if len(from.out()) > 0 && len(list) > 0 && compareEdges(list[len(list)-1], from.out()[0]) > 0 {
			sorted = false // the identifier of one node begins as that of another
		}
		list = append(list, from.out()...)
	}
	if !sorted {
		slices.SortFunc(list, compareEdges)
	}
	return list
}

func (v *view) hash(id string) uint64 { return maphash.String(v.seed, id) }

// named is the node of an identifier, or nil.
func (v *view) named(id string) *node {
	n, _ := v.nodes.Find(v.hash(id), func(n *node) bool { return n.id == id })
	return n
}

// node finds or makes a node.
func (v *view) node(id string, kind nodeKind, host string) (n *node, fresh bool) {
	if n = v.named(id); n != nil {
		return n, false
	}
	n = &node{g: v.g, id: id, kind: kind, ofHost: uint16(len(host))}
	if last := len(v.free) - 1; last >= 0 {
		n.index = v.free[last]
		v.free = v.free[:last]
		v.list[n.index] = n
	} else {
		n.index = int32(len(v.list))
		v.list = append(v.list, n)
	}
	v.nodes.Add(v.hash(id), n)
	v.comesLate(n)
	v.nodeCount[kind]++
	v.unranked++
	return n, true
}

// comesLate remembers a node for the order. Where so many came that nobody may ever ask for it, it
// is made anew for who does.
func (v *view) comesLate(n *node) {
	switch {
	case v.ordered == nil:
	case len(v.late) > lateMost+len(v.ordered)/latePart:
		v.ordered, v.late, v.indices = nil, nil, nil
	default:
		v.late = append(v.late, n)
	}
}

// How many nodes may come late: so many, and besides a part of all.
const (
	lateMost = 1024
	latePart = 4
)

// drop takes a node away that nothing hangs on.
func (v *view) drop(n *node) {
	v.unsum(n)
	v.nodes.Remove(v.hash(n.id), func(o *node) bool { return o == n })
	v.list[n.index] = nil
	v.free = append(v.free, n.index)
	n.index = -1
	v.nodeCount[n.kind]--
	v.gone = true
}

type edgeKey struct {
	from, to *node
	kind     edgeKind
}

// edge finds or makes an edge.
func (v *view) edge(kind edgeKind, from, to *node) *edge {
	fresh := &edge{kind: kind, from: from, to: to}
	if v.bulk != nil {
		key := edgeKey{from, to, kind}
		if e := v.bulk[key]; e != nil {
			return e
		}
		v.bulk[key] = fresh
		fresh.begin()
		from.leaves(fresh, len(from.out()))
		to.edges = append(to.edges, fresh)
		v.count(fresh, 1)
		return fresh
	}
	at, known := slices.BinarySearchFunc(from.out(), fresh, compareEdges)
	if known {
		return from.out()[at]
	}
	fresh.begin()
	from.leaves(fresh, at)
	v.arrives(fresh)
	v.count(fresh, 1)
	v.unsum(from)
	return fresh
}

// count counts an edge that comes or goes.
func (v *view) count(e *edge, n int) {
	if v.edgeCount[e.kind] += n; e.kind == edgeRunsAs {
		e.to.told += int32(n)
	}
}

// begin makes room for documents, where an edge has them.
func (e *edge) begin() {
	if e.kind == edgeDependsOn {
		e.facts = &evidence{}
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
	at, known := slices.BinarySearchFunc(from.out(), &edge{kind: kind, from: from, to: to}, compareEdges)
	if !known {
		return nil
	}
	return from.out()[at]
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
		return v.g.hosts[n.host()] != nil || len(n.edges) > 0
	case nodeProcess: // but for its host's
		return len(n.out()) > 0 || len(n.in()) > 1
	}
	return n.fact != nil || len(n.edges) > 0
}
