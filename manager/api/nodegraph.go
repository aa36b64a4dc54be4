package api

import (
	"net/http"
	"reflect"

	"cassini/manager/graph"
	"cassini/manager/groups"
	"cassini/model"
)

// nodegraphRoutes are the graph for Grafana's node graph panel: in one answer, from which the
// Infinity data source takes two tables, and as the Node Graph API data source asks for it.
func (s *server) nodegraphRoutes(c common) []route {
	limit := c.limit(defaultPanelNodes)
	limit.about = "at most so many nodes, the focus and those with the most edges first"
	asks := []param{{name: "kind", enum: nodeKinds, many: true, about: "nodes of these kinds; else hosts, services, processes and clients without an agent"},
		c.host, {name: "id", about: "identifier of a node: only that and what is around it"},
		{name: "depth", kind: number, low: 1, high: 8, def: 2, about: "with id: how many steps around it"},
		{name: "group", enum: model.GroupKeys(), about: "groups of what has this in common, and what they depend on, instead of nodes"}, limit, c.at}
	statuses := []int{http.StatusBadRequest, http.StatusNotFound}
	return []route{
		{method: "GET", path: "/api/v1/nodegraph", summary: "The graph as Grafana's node graph panel takes it", data: true,
			params: asks, answer: graph.NodeGraph{}, statuses: statuses, handle: s.getNodegraph},
		{method: "GET", path: "/api/graph/data", summary: "The same, where Grafana's Node Graph API data source looks for it", data: true,
			params: asks, answer: graph.NodeGraph{}, statuses: statuses, handle: s.getNodegraph},
		{method: "GET", path: "/api/graph/fields", summary: "The fields of that, for the same data source", data: true,
			answer: panelFields{}, handle: s.getPanelFields},
		{method: "GET", path: "/api/health", summary: "Whether that data source may ask", data: true,
			answer: panelHealth{}, handle: s.getPanelHealth},
	}
}

// defaultPanelNodes can still be told apart on a screen.
const defaultPanelNodes = 200

func (s *server) getNodegraph(w http.ResponseWriter, r *http.Request, p params) {
	if p.get("group") != "" {
		s.getGroupgraph(w, r, p)
		return
	}
	g := s.ask(w, r, p)
	if g == nil {
		return
	}
	f := graph.PanelFilter{
		GraphFilter: graph.GraphFilter{NodeKinds: p.texts["kind"], Host: p.get("host")},
		Focus:       p.get("id"), Depth: p.numbers["depth"], Limit: p.numbers["limit"],
	}
	if f.NodeKinds == nil {
		f.NodeKinds = graph.DefaultPanelKinds()
	}
	drawn, ok := g.NodeGraph(f)
	if !ok {
		unknownNode(w, r, g, f.Focus)
		return
	}
	s.answer(w, r, drawn)
}

// getGroupgraph draws groups instead of nodes.
func (s *server) getGroupgraph(w http.ResponseWriter, r *http.Request, p params) {
	g := s.ask(w, r, p)
	if g == nil {
		return
	}
	by := p.get("group")
	list := groups.Fold(by, groups.Facts{}, g.Grouping(by, "", s.hostTenants(r, by)), s.Now())
	groups.Sort(list, groups.SortDialled)
	s.answer(w, r, graph.PanelGroups(list, p.numbers["limit"]))
}

// panelFields are the names and types of what is in nodes and edges.
type panelFields struct {
	Edges []panelField `json:"edges_fields"`
	Nodes []panelField `json:"nodes_fields"`
}

type panelField struct {
	Name string `json:"field_name"`
	Type string `json:"type"`
}

type panelHealth struct {
	Message string `json:"message"`
}

func (s *server) getPanelHealth(w http.ResponseWriter, r *http.Request, _ params) {
	s.answer(w, r, panelHealth{"Cassini answers"})
}

func (s *server) getPanelFields(w http.ResponseWriter, r *http.Request, _ params) {
	s.answer(w, r, panelFields{Edges: fieldsOf(reflect.TypeFor[graph.PanelEdge]()), Nodes: fieldsOf(reflect.TypeFor[graph.PanelNode]())})
}

// fieldsOf lists the fields of a node or an edge as their JSON has them; all are text.
func fieldsOf(t reflect.Type) (list []panelField) {
	for f := range t.Fields() {
		list = append(list, panelField{Name: f.Tag.Get("json"), Type: "string"})
	}
	return list
}
