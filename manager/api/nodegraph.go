package api

import (
	"net/http"

	"cassini/manager/graph"
)

// nodegraphRoute is the graph for Grafana's node graph panel.
func (s *server) nodegraphRoute(c common) route {
	limit := c.limit(defaultPanelNodes)
	limit.about = "at most so many nodes, those with the most edges first"
	return route{method: "GET", path: "/api/v1/nodegraph", summary: "The graph as Grafana's node graph panel takes it", data: true,
		params: []param{{name: "kind", enum: nodeKinds, many: true, about: "nodes of these kinds; else hosts, services, processes and clients without an agent"},
			c.host, limit, c.at},
		answer: graph.NodeGraph{}, statuses: []int{http.StatusBadRequest}, handle: s.getNodegraph}
}

// defaultPanelNodes can still be told apart on a screen.
const defaultPanelNodes = 500

func (s *server) getNodegraph(w http.ResponseWriter, r *http.Request, p params) {
	g := s.ask(w, r, p)
	if g == nil {
		return
	}
	f := graph.GraphFilter{NodeKinds: p.texts["kind"], Host: p.get("host")}
	if f.NodeKinds == nil {
		f.NodeKinds = graph.DefaultPanelKinds()
	}
	s.answer(w, r, g.NodeGraph(f, p.numbers["limit"]))
}
