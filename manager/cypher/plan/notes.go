package plan

import (
	"fmt"
	"slices"
	"strings"

	"cassini/manager/cypher/ast"
)

// Notes are what patterns ask for that the graph has none of, for people: a query
// with a label or a type misspelt is right, and finds nothing.
func (p *Planner) Notes() []string { return p.notes }

// noteLabels looks at the labels of a node of a pattern.
func (p *Planner) noteLabels(n *ast.NodePattern) {
	for _, name := range append(slices.Clone(n.Labels), n.Is.Mentioned()...) {
		if p.Graph.LabelCount(p.Graph.Label(name)) == 0 {
			p.note("no node has the label %s; there are %s", name, p.Graph.Labels())
		}
	}
}

// noteTypes looks at the types of a relationship of a pattern.
func (p *Planner) noteTypes(r *ast.RelPattern) {
	for _, name := range append(slices.Clone(r.Types), r.Is.Mentioned()...) {
		if p.Graph.TypeCount(p.Graph.Type(name)) == 0 {
			p.note("no relationship has the type %s; there are %s", name, p.Graph.Types())
		}
	}
}

func (p *Planner) note(format, name string, there []string) {
	if len(there) == 0 {
		return // an empty graph has none of anything
	}
	if text := fmt.Sprintf(format, name, strings.Join(there, ", ")); !slices.Contains(p.notes, text) {
		p.notes = append(p.notes, text)
	}
}
