package api

import (
	"slices"

	"cassini/manager/graph"
	"cassini/model"
)

// picture is a part of the graph that is worth a drawing of its own.
type picture struct {
	name         string
	nodes, edges []string
	// tied nodes are drawn only with an edge of this kind.
	tied, by string
}

func pictures() []picture {
	return []picture{
		{"network", []string{model.KindHost, model.KindInterface, model.KindSwitch, model.KindSwitchPort}, []string{model.EdgeOwns, model.EdgeHas, model.EdgeWiredTo}, model.KindInterface, model.EdgeWiredTo},
		{"services", []string{model.KindHost, model.KindService, model.KindProcess, model.KindUnknownHost}, []string{model.EdgeRuns, model.EdgeRunsAs, model.EdgeDependsOn}, model.KindUnknownHost, model.EdgeDependsOn},
		{"rings", []string{model.KindHost, model.KindRing}, []string{model.EdgeIn, model.EdgeNext}, "", ""},
	}
}

func pictureNames() (names []string) {
	for _, p := range pictures() {
		names = append(names, p.name)
	}
	return names
}

// drawn is the part of the graph that a picture shows.
func drawn(g *graph.Graph, name, host string) model.Graph {
	i := slices.IndexFunc(pictures(), func(p picture) bool { return p.name == name })
	p := pictures()[i]
	part := g.Graph(graph.GraphFilter{NodeKinds: p.nodes, Host: host})
	part.Edges = slices.DeleteFunc(part.Edges, func(e model.Edge) bool { return !slices.Contains(p.edges, e.Kind) })
	tied := make(map[string]bool)
	for _, e := range part.Edges {
		if e.Kind == p.by {
			tied[e.From], tied[e.To] = true, true
		}
	}
	gone := make(map[string]bool)
	part.Nodes = slices.DeleteFunc(part.Nodes, func(n model.Node) bool {
		gone[n.ID] = n.Kind == p.tied && !tied[n.ID]
		return gone[n.ID]
	})
	part.Edges = slices.DeleteFunc(part.Edges, func(e model.Edge) bool { return gone[e.From] || gone[e.To] })
	return part
}
