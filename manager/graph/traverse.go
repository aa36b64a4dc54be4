package graph

import (
	"cmp"
	"slices"

	"cassini/model"
)

// DependencyFilter selects dependencies; an empty field matches everything.
type DependencyFilter struct {
	Host string // of either end
	// Of is a service, process, host or unknown host to begin at. Down follows
	// what it depends on, up who depends on it, Depth times.
	Of       string
	Down, Up bool
	Depth    int
}

// Dependencies are who is client of whom, sorted by ID. The second answer is
// false when there is no node Of.
func (g *Graph) Dependencies(f DependencyFilter) (list []model.DependencyView, ok bool) {
	list = []model.DependencyView{}
	g.read(func(v *view) {
		var found []*edge
		found, ok = v.dependencies(f)
		list = make([]model.DependencyView, len(found))
		for i, e := range found {
			e.describe(&list[i])
		}
	})
	return list, ok
}

// DependencyGraph is the same as nodes and edges.
func (g *Graph) DependencyGraph(f DependencyFilter) (p model.Graph, ok bool) {
	g.read(func(v *view) {
		var found []*edge
		found, ok = v.dependencies(f)
		chosen := make(map[*node]bool)
		for _, e := range found {
			chosen[e.from], chosen[e.to] = true, true
		}
		p = part(inOrder(chosen), found)
	})
	return p, ok
}

// Reach tells of Dependencies who and how far from Of alone, in the same order.
func (g *Graph) Reach(f DependencyFilter) (list []model.Reached, ok bool) {
	list = []model.Reached{}
	g.read(func(v *view) {
		if f.Of == "" {
			for _, e := range v.dependenciesOfAll(f) {
				list = append(list, reached{edge: e}.names())
			}
			ok = true
			return
		}
		start := v.named(f.Of)
		if ok = start != nil; !ok {
			return
		}
		w := v.reach(start, f)
		defer w.done(v)
		list = make([]model.Reached, len(w.found))
		for i, r := range w.found {
			list[i] = r.names()
		}
	})
	return list, ok
}

func (r reached) names() model.Reached {
	return model.Reached{Client: r.edge.from.id, Server: r.edge.to.id, Depth: int(r.depth)}
}

func (v *view) dependencies(f DependencyFilter) (list []*edge, ok bool) {
	if f.Of == "" {
		return v.dependenciesOfAll(f), true
	}
	start := v.named(f.Of)
	if start == nil {
		return nil, false
	}
	w := v.reach(start, f)
	defer w.done(v)
	list = make([]*edge, len(w.found))
	for i, r := range w.found {
		list[i] = r.edge
	}
	return list, true
}

func (v *view) dependenciesOfAll(f DependencyFilter) []*edge {
	return slices.DeleteFunc(v.allEdges(), func(e *edge) bool { return e.kind != edgeDependsOn || !f.takes(e) })
}

// takes says whether a dependency is of the host that is asked for.
func (f *DependencyFilter) takes(e *edge) bool {
	return f.Host == "" || f.Host == e.from.host() || f.Host == e.to.host()
}

// reach finds the depends_on edges that lead on from a node, by ID. The walk is to be ended
// when they have been read.
func (v *view) reach(start *node, f DependencyFilter) *walk {
	w := v.idle.walks.take()
	w.found = w.found[:0]
	if f.Down {
		w.along(v, v.within(start, true), f.Depth, true)
	}
	if f.Up {
		w.along(v, v.within(start, false), f.Depth, false)
	}
	slices.SortFunc(w.found, compareReached)
	w.found = slices.CompactFunc(w.found, func(a, b reached) bool { return a.edge == b.edge }) // one can lead both up and down
	if f.Host != "" {
		w.found = slices.DeleteFunc(w.found, func(r reached) bool { return !f.takes(r.edge) })
	}
	return w
}

// walk follows depends_on edges. It is used again, so that asking for a few of many nodes
// does not begin with making room for all.
type walk struct {
	seen  []uint32 // by index of the node: the last turn that came by
	turn  uint32
	found []reached
	queue []*node
	edges []*edge
}

// reached is an edge with its place and how far it is.
type reached struct {
	place uint64
	edge  *edge
	depth int32
}

// compareReached orders by ID, and the nearer of one before the farther.
func compareReached(a, b reached) int {
	switch {
	case a.place != b.place && a.place != 0 && b.place != 0:
		return cmp.Compare(a.place, b.place)
	case a.edge == b.edge:
		return cmp.Compare(a.depth, b.depth)
	}
	return compareEdges(a.edge, b.edge)
}

// done gives the walk back, with no edge of a view that may go.
func (w *walk) done(v *view) {
	clear(w.found)
	v.idle.walks.put(w)
}

// begin lets a walk come by everything once more.
func (w *walk) begin(v *view) {
	if len(w.seen) < len(v.list) {
		w.seen, w.turn = make([]uint32, len(v.list)+len(v.list)/8), 0
	}
	if w.turn++; w.turn == 0 { // all turns have been
		clear(w.seen)
		w.turn = 1
	}
}

// was says whether the walk came by a node.
func (w *walk) was(n *node) bool { return w.seen[n.index] == w.turn }

// forget keeps nothing of a view that may go.
func (w *walk) forget() {
	clear(w.queue)
	w.noEdges()
}

// along follows edges from a set of nodes, breadth first, and adds each once: down to what
// they depend on, and on from what runs there, or up.
//
// Nodes and edges lie all over memory. So that the processor fetches many at a time, each
// loop reads one thing of each, and what comes next does not hang on it.
func (w *walk) along(v *view, from []*node, depth int, down bool) {
	w.begin(v)
	w.queue = append(w.queue[:0], from...)
	for next, at := 0, 1; at <= depth && next < len(w.queue); at++ {
		end, first := len(w.queue), len(w.found)
		w.collect(w.queue[next:end], down)
		for _, e := range w.edges {
			if e.kind == edgeDependsOn {
				w.found = append(w.found, reached{edge: e, depth: int32(at)})
			}
		}
		for i := first; i < len(w.found); i++ {
			w.found[i].place = w.found[i].edge.place()
		}
		if next = end; at < depth {
			w.further(w.found[first:], down)
		}
	}
	w.forget()
}

// collect lists the edges from nodes, or to them, where the walk did not come by before.
func (w *walk) collect(nodes []*node, down bool) {
	w.noEdges()
	for _, n := range nodes {
		switch {
		case w.seen[n.index] == w.turn:
			continue
		case down:
			w.edges = append(w.edges, n.out()...)
		default:
			w.edges = append(w.edges, n.in()...)
		}
		w.seen[n.index] = w.turn
	}
}

// further adds to queue who are to be asked next: what the services at the end of edges run
// as, or what the programs that they come from run.
func (w *walk) further(found []reached, down bool) {
	w.noEdges()
	for _, r := range found {
		if down {
			w.edges = append(w.edges, r.edge.to.out()...)
		} else {
			w.edges = append(w.edges, r.edge.from.in()...)
		}
	}
	for _, e := range w.edges {
		switch {
		case e.kind != edgeRunsAs:
		case down:
			w.queue = append(w.queue, e.to)
		default:
			w.queue = append(w.queue, e.from)
		}
	}
}

// noEdges empties the list of edges, and keeps none of a view that may go.
func (w *walk) noEdges() {
	clear(w.edges)
	w.edges = w.edges[:0]
}

// within lists the nodes that have depends_on edges on a node's behalf: going
// down the processes, going up the services.
func (v *view) within(n *node, down bool) []*node {
	switch {
	case n.kind == nodeService && down:
		return n.far(n.out(), edgeRunsAs)
	case n.kind == nodeProcess && !down:
		return n.far(n.in(), edgeRunsAs)
	case n.kind == nodeHost && down:
		return append(n.far(n.out(), edgeHas), n)
	case n.kind == nodeHost:
		return n.far(n.out(), edgeRuns)
	case n.kind == nodeEndpoint && !down:
		return n.far(n.in(), edgeListensOn)
	}
	return []*node{n}
}

// far lists the nodes at the other end of those of a node's edges that are of a kind.
func (n *node) far(among []*edge, kind edgeKind) (list []*node) {
	for _, e := range among {
		if e.kind != kind {
			continue
		}
		if e.from == n {
			list = append(list, e.to)
		} else {
			list = append(list, e.from)
		}
	}
	return list
}
