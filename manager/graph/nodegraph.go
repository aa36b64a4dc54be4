package graph

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"cassini/model"
)

// NodeGraph is a part of the graph in the shape that Grafana's node graph panel takes.
type NodeGraph struct {
	Nodes []PanelNode `json:"nodes"`
	Edges []PanelEdge `json:"edges"`
	// LeftOut is how many nodes the limit has left out, with their edges.
	LeftOut int `json:"left_out"`
}

// PanelNode is a circle with two lines in it and two below.
type PanelNode struct {
	ID            string `json:"id"`
	Title         string `json:"title"`
	Subtitle      string `json:"subtitle"`
	MainStat      string `json:"mainstat"`
	SecondaryStat string `json:"secondarystat"`
	Color         string `json:"color"`
	Kind          string `json:"detail__kind"`
}

// PanelEdge is an arrow, with figures that show when it is pointed at.
type PanelEdge struct {
	ID            string `json:"id"`
	Source        string `json:"source"`
	Target        string `json:"target"`
	MainStat      string `json:"mainstat"`
	SecondaryStat string `json:"secondarystat"`
	Color         string `json:"color"`
}

// Colors of the panel.
const (
	colorUp      = "green"
	colorSick    = "orange"
	colorDown    = "red"
	colorUnknown = "gray"
)

// DefaultPanelKinds are the kinds of nodes that are drawn unless others are asked for.
func DefaultPanelKinds() []string {
	return []string{model.KindHost, model.KindService, model.KindProcess, model.KindUnknownHost}
}

// PanelFilter says what NodeGraph draws: of what the GraphFilter selects, with a Focus, that
// node and what is at most Depth edges away from it, over whatever else. Beyond Limit nodes
// the Focus and those with the most edges are drawn.
type PanelFilter struct {
	GraphFilter
	Focus string
	Depth int
	Limit int
}

// NodeGraph draws what the filter's kinds of nodes and host select, with all edges between
// them but those from hosts to their processes. ok is false when there is no Focus.
func (g *Graph) NodeGraph(f PanelFilter) (p NodeGraph, ok bool) {
	g.read(func(v *view) {
		focus := v.named(f.Focus)
		if ok = focus != nil || f.Focus == ""; !ok {
			return
		}
		chosen, edges := v.drawn(f.GraphFilter)
		if focus != nil {
			w := v.idle.walks.take()
			defer v.idle.walks.put(w)
			w.around(v, focus, f.Depth)
			w.forget()
			chosen = slices.DeleteFunc(chosen, func(n *node) bool { return !w.was(n) })
			edges = slices.DeleteFunc(edges, func(e *edge) bool { return !w.was(e.from) || !w.was(e.to) })
		}
		drawn := busiest(chosen, edges, focus, f.Limit)
		p = NodeGraph{Nodes: make([]PanelNode, 0, len(drawn)), Edges: []PanelEdge{}, LeftOut: len(chosen) - len(drawn)}
		for n := range v.byID() {
			if drawn[n] {
				p.Nodes = append(p.Nodes, v.panelNode(n))
			}
		}
		for _, e := range edges {
			if drawn[e.from] && drawn[e.to] {
				p.Edges = append(p.Edges, e.panelEdge())
			}
		}
	})
	return p, ok
}

// drawn are the nodes and edges that a filter selects.
func (v *view) drawn(f GraphFilter) (nodes []*node, edges []*edge) {
	near := func(n *node) bool { return f.Host == "" || n.host() == f.Host }
	chosen := make(map[*node]bool)
	for n := range v.byID() {
		chosen[n] = near(n) && has(f.NodeKinds, n.kind.String())
	}
	for _, e := range v.allEdges() {
		across := e.kind == edgeDependsOn && (near(e.from) || near(e.to))
		owned := e.kind == edgeHas && e.from.kind == nodeHost
		if !owned && (across || near(e.from) && near(e.to)) && has(f.NodeKinds, e.from.kind.String()) && has(f.NodeKinds, e.to.kind.String()) {
			chosen[e.from], chosen[e.to] = true, true
			edges = append(edges, e)
		}
	}
	for n := range v.byID() {
		if chosen[n] {
			nodes = append(nodes, n)
		}
	}
	return nodes, edges
}

// busiest are at most limit nodes, one that must not be missing and those with the most edges
// first.
func busiest(nodes []*node, edges []*edge, first *node, limit int) map[*node]bool {
	degree := make(map[*node]int)
	for _, e := range edges {
		degree[e.from]++
		degree[e.to]++
	}
	order := slices.Clone(nodes)
	if first != nil {
		degree[first] = math.MaxInt
	}
	slices.SortStableFunc(order, func(a, b *node) int { return cmp.Compare(degree[b], degree[a]) })
	drawn := make(map[*node]bool)
	for _, n := range order[:min(limit, len(order))] {
		drawn[n] = true
	}
	return drawn
}

func (v *view) panelNode(n *node) PanelNode {
	_, name, _ := strings.Cut(n.id, ":")
	p := PanelNode{ID: n.id, Title: strings.TrimPrefix(name, n.host()+"/"), Subtitle: n.host(), Color: colorUnknown, Kind: n.kind.String()}
	switch n.kind {
	case nodeHost:
		p.Title, p.Subtitle = n.host(), "host"
		p.MainStat, p.Color = n.health()
		p.SecondaryStat = plural(v.running(n), "service")
	case nodeService:
		p.MainStat = n.state()
		if p.MainStat == model.StateListening {
			p.Color = v.colorOn(n.host())
		}
	case nodeProcess:
		p.Color = v.colorOn(n.host())
	case nodeRing:
		p.MainStat = plural(len(n.ring().Members), "member")
	}
	p.Subtitle = cmp.Or(p.Subtitle, n.kind.String())
	return p
}

// PanelGroups draws groups, and what they depend on of what each says of that.
func PanelGroups(list []model.FunctionalGroup, limit int) NodeGraph {
	shown := list[:min(len(list), limit)]
	p := NodeGraph{Nodes: make([]PanelNode, 0, len(shown)), Edges: []PanelEdge{}, LeftOut: len(list) - len(shown)}
	there := make(map[string]bool)
	for _, g := range shown {
		there[g.Name] = true
		p.Nodes = append(p.Nodes, PanelNode{
			ID: "group:" + g.Name, Title: cmp.Or(g.Name, "(none)"), Subtitle: g.By, MainStat: plural(g.Services, "service"),
			SecondaryStat: plural(g.Hosts, "host"), Color: groupColor(g.State), Kind: "group",
		})
	}
	for _, g := range shown {
		for _, to := range g.DependsOn {
			if there[to.Group] {
				e := PanelEdge{ID: "group:" + g.Name + " -> group:" + to.Group, Source: "group:" + g.Name, Target: "group:" + to.Group}
				e.figures(to.Connections, to.Open, to.Failed)
				p.Edges = append(p.Edges, e)
			}
		}
	}
	return p
}

func groupColor(state string) string {
	switch state {
	case model.GroupUp:
		return colorUp
	case model.GroupDown:
		return colorDown
	case model.GroupUnknown, model.GroupEnded:
		return colorUnknown
	}
	return colorSick
}

// health is a host's state, and its color.
func (n *node) health() (state, color string) {
	switch {
	case n.status() == nil && n.onRing():
		return StateUp, colorUp
	case n.status() == nil:
		return "not watched", colorUnknown
	case n.status().Kind.Death(), n.status().Kind == model.VerdictSegment, n.status().Kind == model.VerdictPartition:
		return string(n.status().Kind), colorDown
	}
	return string(n.status().Kind), colorSick
}

// colorOn is the color of what runs on a host: it is no better off than that.
func (v *view) colorOn(host string) string {
	if h := v.named(model.HostID(host)); h != nil && h.status() != nil {
		_, color := h.health()
		return color
	}
	return colorUp
}

// running are a host's services that listen.
func (v *view) running(h *node) (n int) {
	for _, e := range h.out() {
		if e.kind == edgeRuns && e.to.state() == model.StateListening {
			n++
		}
	}
	return n
}

func (e *edge) panelEdge() PanelEdge {
	p := PanelEdge{ID: e.id(), Source: e.from.id, Target: e.to.id, MainStat: strings.ReplaceAll(e.kind.String(), "_", " "), Color: colorUnknown}
	if e.kind != edgeDependsOn {
		return p
	}
	d := e.dependency()
	p.figures(d.Connections, d.Open, d.Failed)
	return p
}

// figures are those of connections; the edge is sick where some failed.
func (p *PanelEdge) figures(connections, open, failed uint64) {
	p.MainStat, p.SecondaryStat, p.Color = plural(int(connections), "connection"), fmt.Sprintf("%d open", open), colorUp
	if failed > 0 {
		p.SecondaryStat += fmt.Sprintf(", %d failed", failed)
		p.Color = colorSick
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
