package graph

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cassini/model"
)

// ServiceFilter selects services; an empty field matches everything.
type ServiceFilter struct {
	Host, State, Program string
}

// Services are the services that listen or listened, sorted by ID.
func (g *Graph) Services(f ServiceFilter) []model.Service {
	g.mu.RLock()
	defer g.mu.RUnlock()
	list := []model.Service{}
	for _, s := range g.services {
		if (f.Host == "" || f.Host == s.host) && (f.State == "" || f.State == s.now.State) && (f.Program == "" || f.Program == s.now.Program()) {
			list = append(list, g.containers.show(s))
		}
	}
	slices.SortFunc(list, func(a, b model.Service) int { return strings.Compare(a.ID, b.ID) })
	return list
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
		for _, n := range v.sorted {
			if f.Limit > 0 && len(list) == f.Limit {
				return
			}
			if !has(f.Kinds, n.kind) || f.Host != "" && f.Host != n.host {
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
		among := v.edges
		if f.From != "" {
			among = nil
			if n := v.nodes[f.From]; n != nil {
				among = n.out
			}
		} else if f.To != "" {
			among = nil
			if n := v.nodes[f.To]; n != nil {
				among = n.in
			}
		}
		for _, e := range among {
			if f.Limit > 0 && len(list) == f.Limit {
				return
			}
			if has(f.Kinds, e.kind) && (f.From == "" || f.From == e.from.id) && (f.To == "" || f.To == e.to.id) {
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
		near := func(n *node) bool { return f.Host == "" || n.host == f.Host }
		chosen := make(map[*node]bool)
		for _, n := range v.sorted {
			if near(n) && len(f.EdgeKinds) == 0 && has(f.NodeKinds, n.kind) {
				chosen[n] = true
			}
		}
		var edges []*edge
		for _, e := range v.edges {
			across := e.kind == model.EdgeDependsOn && (near(e.from) || near(e.to))
			if (across || near(e.from) && near(e.to)) && has(f.EdgeKinds, e.kind) && has(f.NodeKinds, e.from.kind) && has(f.NodeKinds, e.to.kind) {
				chosen[e.from], chosen[e.to] = true, true
				edges = append(edges, e)
			}
		}
		p = part(chosen, edges)
	})
	return p
}

// part renders nodes and edges.
func part(chosen map[*node]bool, edges []*edge) model.Graph {
	p := model.Graph{Nodes: make([]model.Node, 0, len(chosen)), Edges: make([]model.Edge, 0, len(edges))}
	for _, n := range inOrder(chosen) {
		p.Nodes = append(p.Nodes, n.render())
	}
	for _, e := range edges {
		p.Edges = append(p.Edges, e.render())
	}
	return p
}

// inOrder are nodes by ID, in time that depends on how many there are and not on the graph.
func inOrder(chosen map[*node]bool) []*node {
	return slices.SortedFunc(maps.Keys(chosen), func(a, b *node) int { return cmp.Compare(a.index, b.index) })
}

// between are the edges of which both ends are chosen, by ID.
func between(chosen map[*node]bool) (edges []*edge) {
	for n := range chosen {
		for _, e := range n.out {
			if chosen[e.to] {
				edges = append(edges, e)
			}
		}
	}
	slices.SortFunc(edges, func(a, b *edge) int { return strings.Compare(a.id, b.id) })
	return edges
}

// Neighbourhood is a node with what is at most depth edges away from it, in
// either direction. The second answer is false when there is no such node.
func (g *Graph) Neighbourhood(id string, depth int) (p model.Graph, ok bool) {
	g.read(func(v *view) {
		start := v.nodes[id]
		if ok = start != nil; !ok {
			return
		}
		chosen := map[*node]bool{start: true}
		for level := []*node{start}; depth > 0 && len(level) > 0; depth-- {
			var next []*node
			reach := func(n *node) {
				if !chosen[n] {
					chosen[n] = true
					next = append(next, n)
				}
			}
			for _, n := range level {
				for _, e := range n.out {
					reach(e.to)
				}
				for _, e := range n.in {
					reach(e.from)
				}
			}
			level = next
		}
		p = part(chosen, between(chosen))
	})
	return p, ok
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
			for _, n := range v.sorted {
				if len(near) < limit && strings.Contains(strings.ToLower(n.id), text) {
					near = append(near, n.id)
				}
			}
		}
	})
	return near
}

func last(id string) string { return id[strings.LastIndex(id, "/")+1:] }

// Stats are the figures of the graph as it stands.
func (g *Graph) Stats() model.GraphStats {
	s := model.GraphStats{Nodes: map[string]int{}, Edges: map[string]int{}, Services: map[string]int{}, Rejected: map[string]uint64{}}
	g.read(func(v *view) {
		for _, n := range v.sorted {
			s.Nodes[n.kind]++
			if n.kind == model.KindService {
				s.Services[n.state()]++
			}
		}
		for _, e := range v.edges {
			s.Edges[e.kind]++
		}
		for pkg, n := range g.rejected {
			s.Rejected[pkg] = n
		}
		s.Documents, s.Forgotten, s.Undirected = g.documents, g.forgotten+g.flaps.Refused(), g.undirected
	})
	return s
}
