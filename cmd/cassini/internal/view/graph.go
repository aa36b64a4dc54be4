package view

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// Nodes lays out the nodes of a graph, in the order given.
func Nodes(nodes []model.Node) *output.Table {
	table := &output.Table{Columns: []output.Column{{Title: "KIND"}, {Title: "NODE", Flex: true}, {Title: "ATTRIBUTES", Flex: true}}}
	for _, n := range nodes {
		row := output.Plain
		if n.Attrs["state"] == model.StateEnded {
			row = output.Dim
		}
		table.Add(row, output.Text(n.Kind, n.ID, attributes(n.Attrs))...)
	}
	return table
}

// Edges lays out the edges of a graph, in the order given.
func Edges(edges []model.Edge) *output.Table {
	table := &output.Table{Columns: []output.Column{{Title: "FROM", Flex: true}, {Title: "EDGE"}, {Title: "TO", Flex: true}}}
	for _, e := range edges {
		table.Add(output.Plain, output.Text(e.From, e.Kind, e.To)...)
	}
	return table
}

// attributes writes the plain values of a node as "name=value", sorted. Those
// that are empty or not plain are left to JSON.
func attributes(attrs model.Attrs) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		switch v := attrs[name].(type) {
		case nil, map[string]any, []any:
		case string:
			if v != "" {
				pairs = append(pairs, name+"="+quoteSpaces(v))
			}
		case float64:
			raw, _ := json.Marshal(v) // a number that came from JSON
			pairs = append(pairs, name+"="+string(raw))
		default:
			pairs = append(pairs, fmt.Sprintf("%s=%v", name, v))
		}
	}
	return strings.Join(pairs, " ")
}

func quoteSpaces(s string) string {
	if strings.ContainsAny(s, " \t\"") {
		return fmt.Sprintf("%q", s)
	}
	return s
}
