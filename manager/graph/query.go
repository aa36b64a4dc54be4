package graph

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"cassini/model"
)

// ServiceFilter selects services; an empty field matches everything.
type ServiceFilter struct {
	Host, State, Program, Proto string
}

// Services are the services that listen or listened, sorted by ID.
func (g *Graph) Services(f ServiceFilter) []model.Service {
	g.mu.RLock()
	defer g.mu.RUnlock()
	list := []model.Service{}
	for s := range g.services.all() {
		if (f.Host == "" || f.Host == s.host) && (f.State == "" || f.State == s.state) && (f.Program == "" || f.Program == s.program()) && (f.Proto == "" || f.Proto == s.proto) {
			list = append(list, g.containers.show(s))
		}
	}
	slices.SortFunc(list, func(a, b model.Service) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// Node is one node; ok is false where there is none of that identifier.
func (g *Graph) Node(id string) (n model.Node, ok bool) {
	g.read(func(v *view) {
		if found := v.named(id); found != nil {
			n, ok = found.render(), true
		}
	})
	return n, ok
}

// NodeFilter selects nodes; an empty field matches everything. Text is looked
// for in the identifier and in the attributes that are text, in any case.
type NodeFilter struct {
	Kinds []string
	Host  string
	Text  string
	Limit int // 0 is none
}

// Nodes are nodes sorted by ID.
func (g *Graph) Nodes(f NodeFilter) []model.Node {
	list := []model.Node{}
	g.read(func(v *view) {
		for n := range v.byID() {
			if f.Limit > 0 && len(list) == f.Limit {
				return
			}
			if !has(f.Kinds, n.kind.String()) || f.Host != "" && f.Host != n.host() {
				continue
			}
			if node := n.render(); f.Text == "" || contains(node, strings.ToLower(f.Text)) {
				list = append(list, node)
			}
		}
	})
	return list
}

func has(kinds []string, kind string) bool {
	return len(kinds) == 0 || slices.Contains(kinds, kind)
}

func contains(n model.Node, text string) bool {
	if strings.Contains(strings.ToLower(n.ID), text) {
		return true
	}
	for _, v := range n.Attrs {
		switch v := v.(type) {
		case string:
			if strings.Contains(strings.ToLower(v), text) {
				return true
			}
		case []string:
			if strings.Contains(strings.ToLower(strings.Join(v, " ")), text) {
				return true
			}
		case fmt.Stringer: // addresses
			if strings.Contains(v.String(), text) {
				return true
			}
		}
	}
	return false
}

// EdgeFilter selects edges; an empty field matches everything.
type EdgeFilter struct {
	Kinds    []string
	From, To string // node IDs
	Limit    int    // 0 is none
}

// Edges are edges sorted by ID.
func (g *Graph) Edges(f EdgeFilter) []model.Edge {
	list := []model.Edge{}
	g.read(func(v *view) {
		var among []*edge
		switch {
		case f.From != "":
			if n := v.named(f.From); n != nil {
				among = n.out()
			}
		case f.To != "":
			if n := v.named(f.To); n != nil {
				among = n.in()
			}
		default:
			among = v.allEdges()
		}
		for _, e := range among {
			if f.Limit > 0 && len(list) == f.Limit {
				return
			}
			if has(f.Kinds, e.kind.String()) && (f.From == "" || f.From == e.from.id) && (f.To == "" || f.To == e.to.id) {
				list = append(list, e.render())
			}
		}
	})
	return list
}

// GraphFilter selects a part of the graph; an empty field matches everything.
type GraphFilter struct {
	NodeKinds []string // only these nodes, and the edges between them
	EdgeKinds []string // only these edges, and the nodes at their ends
	Host      string   // with it come the far ends of its dependencies
}

// Graph is the part of the graph that the filter selects.
func (g *Graph) Graph(f GraphFilter) (p model.Graph) {
	g.read(func(v *view) {
		near := func(n *node) bool { return f.Host == "" || n.host() == f.Host }
		chosen := make(map[*node]bool)
		for n := range v.byID() {
			if near(n) && len(f.EdgeKinds) == 0 && has(f.NodeKinds, n.kind.String()) {
				chosen[n] = true
			}
		}
		var edges []*edge
		for _, e := range v.allEdges() {
			across := e.kind == edgeDependsOn && (near(e.from) || near(e.to))
			if (across || near(e.from) && near(e.to)) && has(f.EdgeKinds, e.kind.String()) && has(f.NodeKinds, e.from.kind.String()) && has(f.NodeKinds, e.to.kind.String()) {
				chosen[e.from], chosen[e.to] = true, true
				edges = append(edges, e)
			}
		}
		p = part(inOrder(chosen), edges)
	})
	return p
}

// renderApart is how many nodes or edges are worth a goroutine of their own.
const renderApart = 100

// part renders nodes and edges.
func part(nodes []*node, edges []*edge) model.Graph {
	p := model.Graph{Nodes: make([]model.Node, len(nodes)), Edges: make([]model.Edge, len(edges))}
	inParts(len(nodes)+len(edges), renderApart, func(from, end int) {
		for i := from; i < end; i++ {
			if i < len(nodes) {
				p.Nodes[i] = nodes[i].render()
			} else {
				p.Edges[i-len(nodes)] = edges[i-len(nodes)].render()
			}
		}
	})
	return p
}

// inOrder are nodes by ID, in time that depends on how many there are and not on the graph.
func inOrder(chosen map[*node]bool) []*node {
	return slices.SortedFunc(maps.Keys(chosen), compareNodes)
}

// Neighbourhood is a node with what is at most depth edges away from it, in
// either direction. The second answer is false when there is no such node.
func (g *Graph) Neighbourhood(id string, depth int) (p model.Graph, ok bool) {
	g.read(func(v *view) {
		start := v.named(id)
		if ok = start != nil; !ok {
			return
		}
		w := v.idle.walks.take()
		defer v.idle.walks.put(w)
		nodes, edges := w.around(v, start, depth)
		p = part(nodes, edges)
		w.forget()
	})
	return p, ok
}

// around are a node and what is at most depth edges away from it, in either direction, by
// ID, and the edges between all of them. Both lists are the walk's own.
func (w *walk) around(v *view, start *node, depth int) (nodes []*node, edges []*edge) {
	w.begin(v)
	w.queue = w.queue[:0]
	reach := func(n *node) {
		if !w.was(n) {
			w.seen[n.index] = w.turn
			w.queue = append(w.queue, n)
		}
	}
	reach(start)
	for next := 0; depth > 0 && next < len(w.queue); depth-- {
		for end := len(w.queue); next < end; next++ {
			for _, e := range w.queue[next].out() {
				reach(e.to)
			}
			for _, e := range w.queue[next].in() {
				reach(e.from)
			}
		}
	}
	slices.SortFunc(w.queue, compareNodes)
	w.edges = w.edges[:0]
	sorted := true
	for _, n := range w.queue {
		last := len(w.edges) - 1
		for _, e := range n.out() {
			if w.was(e.to) {
				w.edges = append(w.edges, e)
			}
		}
		if last >= 0 && last+1 < len(w.edges) && compareEdges(w.edges[last], w.edges[last+1]) > 0 {
			sorted = false // the identifier of one node begins as that of another
		}
	}
	if !sorted {
		slices.SortFunc(w.edges, compareEdges)
	}
	return w.queue, w.edges
}

// Suggest names up to limit nodes that somebody may have meant by an unknown ID:
// those that contain it, or else its last part.
func (g *Graph) Suggest(id string, limit int) []string {
	var near []string
	g.read(func(v *view) {
		_, rest, _ := strings.Cut(id, ":")
		for _, text := range []string{id, rest, last(rest), strings.TrimRight(last(rest), ":0123456789")} {
			if text = strings.ToLower(text); text == "" || len(near) > 0 {
				continue
			}
			for n := range v.byID() {
				if len(near) < limit && strings.Contains(strings.ToLower(n.id), text) {
					near = append(near, n.id)
				}
			}
		}
	})
	return near
}

func last(id string) string { return id[strings.LastIndex(id, "/")+1:] }

// Stats are the figures of the graph as it stands. They are counted as it changes.
func (g *Graph) Stats() model.GraphStats {
	s := model.GraphStats{Nodes: map[string]int{}, Edges: map[string]int{}, Services: map[string]int{}, Rejected: map[string]uint64{}}
	g.read(func(v *view) {
		for k, n := range v.nodeCount {
			put(s.Nodes, nodeKind(k).String(), n)
		}
		for k, n := range v.edgeCount {
			put(s.Edges, edgeKind(k).String(), n)
		}
		put(s.Services, model.StateListening, g.listening)
		put(s.Services, model.StateEnded, g.services.size()-g.listening)
		put(s.Services, StateUnknown, v.unstated)
		put(s.Services, StateAbsent, v.nodeCount[nodeService]-g.services.size()-v.unstated)
		for pkg, n := range g.rejected {
			s.Rejected[pkg] = n
		}
		s.Namesakes = len(g.numbered)
		s.Documents, s.Forgotten, s.Undirected = g.documents, g.forgotten+g.flaps.Refused(), g.undirected
	})
	return s
}

// put tells of what there is.
func put(counts map[string]int, what string, n int) {
	if n != 0 {
		counts[what] = n
	}
}
