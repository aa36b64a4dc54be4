// Package world shows Cassini's graph to the query engine: a node's kind is its
// label, an edge's kind its type, attributes are properties, and the identifier is
// the property id. Names are found in whatever case and with - or _ left out:
// :Host is :host, :UnknownHost is :`unknown-host`, :DEPENDS_ON is :depends_on.
package world

import (
	"fmt"
	"strings"

	"cassini/manager/cypher/memory"
	"cassini/manager/cypher/value"
	"cassini/model"
)

// ID is the property that has a node's or an edge's identifier.
const ID = "id"

// Of makes a graph for queries of a graph as the manager answers it whole. It
// takes no copy of attributes, which must not change any more; they are turned
// into properties when a query looks at them.
func Of(g model.Graph) *memory.Graph {
	b := memory.NewBuilder(memory.Options{Fold: fold, Name: ID, Nodes: len(g.Nodes)})
	labels := make(map[string][]string)
	for i, n := range g.Nodes {
		if labels[n.Kind] == nil {
			labels[n.Kind] = []string{n.Kind}
		}
		b.Node(value.NewNode(int64(i), n.ID, labels[n.Kind], func() value.Map { return properties(n.ID, n.Attrs) }))
	}
	for i, e := range g.Edges {
		from, to := b.Find(e.From), b.Find(e.To)
		if from == nil || to == nil {
			continue // a part of a graph, cut off here
		}
		b.Relationship(value.NewRelationship(int64(i), e.ID, e.Kind, from, to, func() value.Map { return properties(e.ID, e.Attrs) }))
	}
	return b.Graph()
}

func fold(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
}

func properties(id string, attrs model.Attrs) value.Map {
	m := make(value.Map, len(attrs)+1)
	for name, a := range attrs {
		v, err := value.From(a)
		if err != nil { // no attribute is so; its text is better than nothing
			v = fmt.Sprint(a)
		}
		if v != nil {
			m[name] = v
		}
	}
	m[ID] = id
	return m
}
