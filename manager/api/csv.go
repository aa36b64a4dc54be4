package api

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"

	"cassini/model"
)

// nodesCSV writes a line for each node, with a column for each attribute that any has;
// lists and objects as JSON.
func nodesCSV(g model.Graph) ([]byte, error) {
	attrs := make([]model.Attrs, len(g.Nodes))
	for i, n := range g.Nodes {
		attrs[i] = n.Attrs
	}
	return table([]string{"id", "kind"}, attrs, func(i int) []string { return []string{g.Nodes[i].ID, g.Nodes[i].Kind} })
}

// edgesCSV does so for edges.
func edgesCSV(g model.Graph) ([]byte, error) {
	attrs := make([]model.Attrs, len(g.Edges))
	for i, e := range g.Edges {
		attrs[i] = e.Attrs
	}
	return table([]string{"id", "kind", "from", "to"}, attrs, func(i int) []string {
		e := g.Edges[i]
		return []string{e.ID, e.Kind, e.From, e.To}
	})
}

// besides is what an attribute is called beside what every node or edge has:
// "attr.NAME" where that has its name.
func besides(name string, fixed ...string) string {
	if slices.Contains(fixed, name) {
		return "attr." + name
	}
	return name
}

// table writes fixed columns and those of attributes.
func table(fixed []string, attrs []model.Attrs, row func(int) []string) ([]byte, error) {
	known := make(map[string]bool)
	for _, a := range attrs {
		for name := range a {
			known[name] = true
		}
	}
	names := slices.Sorted(maps.Keys(known))
	header := slices.Clone(fixed)
	for _, name := range names {
		header = append(header, besides(name, fixed...))
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(header); err != nil {
		return nil, fmt.Errorf("write CSV: %w", err)
	}
	for i, a := range attrs {
		cells := row(i)
		for _, name := range names {
			cell := ""
			if v, ok := a[name]; ok {
				cell = plainText(v)
			}
			cells = append(cells, cell)
		}
		if err := w.Write(cells); err != nil {
			return nil, fmt.Errorf("write CSV: %w", err)
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}
