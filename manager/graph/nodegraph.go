package graph

import (
	"cmp"
	"fmt"
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

// NodeGraph draws what the filter's kinds of nodes and host select, with all edges between
// them but those from hosts to their processes. Beyond limit nodes those with the most
// edges are drawn.
func (g *Graph) NodeGraph(f GraphFilter, limit int) (p NodeGraph) {
	g.read(func(v *view) {
		chosen, edges := v.drawn(f)
		drawn := busiest(chosen, edges, limit)
		p = NodeGraph{Nodes: make([]PanelNode, 0, len(drawn)), Edges: []PanelEdge{}, LeftOut: len(chosen) - len(drawn)}
		for _, n := range v.sorted {
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
	return p
}

// drawn are the nodes and edges that a filter selects.
func (v *view) drawn(f GraphFilter) (nodes []*node, edges []*edge) {
	near := func(n *node) bool { return f.Host == "" || n.host == f.Host }
	chosen := make(map[*node]bool)
	for _, n := range v.sorted {
		chosen[n] = near(n) && has(f.NodeKinds, n.kind)
	}
	for _, e := range v.edges {
		across := e.kind == model.EdgeDependsOn && (near(e.from) || near(e.to))
		owned := e.kind == model.EdgeHas && e.from.kind == model.KindHost
		if !owned && (across || near(e.from) && near(e.to)) && has(f.NodeKinds, e.from.kind) && has(f.NodeKinds, e.to.kind) {
			chosen[e.from], chosen[e.to] = true, true
			edges = append(edges, e)
		}
	}
	for _, n := range v.sorted {
		if chosen[n] {
			nodes = append(nodes, n)
		}
	}
	return nodes, edges
}

// busiest are at most limit nodes, those with the most edges first.
func busiest(nodes []*node, edges []*edge, limit int) map[*node]bool {
	degree := make(map[*node]int)
	for _, e := range edges {
		degree[e.from]++
		degree[e.to]++
	}
	order := slices.Clone(nodes)
	slices.SortStableFunc(order, func(a, b *node) int { return cmp.Compare(degree[b], degree[a]) })
	drawn := make(map[*node]bool)
	for _, n := range order[:min(limit, len(order))] {
		drawn[n] = true
	}
	return drawn
}

func (v *view) panelNode(n *node) PanelNode {
	_, name, _ := strings.Cut(n.id, ":")
	p := PanelNode{ID: n.id, Title: strings.TrimPrefix(name, n.host+"/"), Subtitle: n.host, Color: colorUnknown, Kind: n.kind}
	switch n.kind {
	case model.KindHost:
		p.Title, p.Subtitle = n.host, "host"
		p.MainStat, p.Color = n.health()
		p.SecondaryStat = plural(v.running(n), "service")
	case model.KindService:
		p.MainStat = n.state()
		if p.MainStat == model.StateListening {
			p.Color = v.colorOn(n.host)
		}
	case model.KindProcess:
		p.Color = v.colorOn(n.host)
	case model.KindRing:
		p.MainStat = plural(len(n.ring.Members), "member")
	}
	p.Subtitle = cmp.Or(p.Subtitle, n.kind)
	return p
}

// health is a host's state, and its color.
func (n *node) health() (state, color string) {
	switch {
	case n.status == nil && n.onRing:
		return StateUp, colorUp
	case n.status == nil:
		return "not watched", colorUnknown
	case n.status.Kind.Death(), n.status.Kind == model.VerdictSegment, n.status.Kind == model.VerdictPartition:
		return string(n.status.Kind), colorDown
	}
	return string(n.status.Kind), colorSick
}

// colorOn is the color of what runs on a host: it is no better off than that.
func (v *view) colorOn(host string) string {
	if h := v.nodes[model.HostID(host)]; h != nil && h.status != nil {
		_, color := h.health()
		return color
	}
	return colorUp
}

// running are a host's services that listen.
func (v *view) running(h *node) (n int) {
	for _, e := range h.out {
		if e.kind == model.EdgeRuns && e.to.state() == model.StateListening {
			n++
		}
	}
	return n
}

func (e *edge) panelEdge() PanelEdge {
	p := PanelEdge{ID: e.id, Source: e.from.id, Target: e.to.id, MainStat: strings.ReplaceAll(e.kind, "_", " "), Color: colorUnknown}
	if e.kind != model.EdgeDependsOn {
		return p
	}
	d := e.dependency()
	p.MainStat, p.SecondaryStat, p.Color = plural(int(d.Connections), "connection"), fmt.Sprintf("%d open", d.Open), colorUp
	if d.Failed > 0 {
		p.SecondaryStat += fmt.Sprintf(", %d failed", d.Failed)
		p.Color = colorSick
	}
	return p
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
