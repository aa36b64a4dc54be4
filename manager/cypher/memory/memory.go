// Package memory is a property graph that is held in memory whole, for the query
// engine to read. A Builder is filled by one goroutine; the Graph that it makes
// never changes and is safe for concurrent use.
package memory

import (
	"iter"
	"maps"
	"slices"

	"cassini/manager/cypher/source"
	"cassini/manager/cypher/value"
)

// Options are how names are found and what is indexed.
type Options struct {
	// Fold brings names to the form in which they are compared; nil compares them
	// as they are.
	Fold func(string) string
	// Indexed are properties by which nodes can be found, whatever their label.
	Indexed []string
	// Name is the property that has the name of a node, or "". It is indexed, and
	// needs no properties to be read for it.
	Name string
	// Nodes is about how many there will be.
	Nodes int
}

// Builder collects nodes and relationships.
type Builder struct{ g *Graph }

// NewBuilder makes an empty builder.
func NewBuilder(o Options) *Builder {
	if o.Fold == nil {
		o.Fold = func(s string) string { return s }
	}
	g := &Graph{fold: o.Fold, labels: map[string][]*value.Node{}, out: make(map[int64][]*value.Relationship, o.Nodes), in: make(map[int64][]*value.Relationship, o.Nodes),
		types: map[string]int{}, names: map[string]string{}, index: map[string]map[string][]*value.Node{}, nameProperty: o.Name,
		nodes: make([]*value.Node, 0, o.Nodes), byName: make(map[string]*value.Node, o.Nodes)}
	for _, p := range o.Indexed {
		g.index[p] = map[string][]*value.Node{}
	}
	return &Builder{g}
}

// Node adds a node. Its properties are read at once only if some are indexed.
func (b *Builder) Node(n *value.Node) {
	b.g.nodes = append(b.g.nodes, n)
	b.g.byName[n.Name] = n
	for _, l := range n.Labels {
		list, known := b.g.labels[l]
		b.g.labels[l] = append(list, n)
		if !known {
			b.g.names[b.g.fold(l)] = l
		}
	}
	for p, index := range b.g.index {
		if v, ok := n.Properties()[p]; ok {
			key := string(value.AppendKey(nil, v))
			index[key] = append(index[key], n)
		}
	}
}

// Find is the node that was added under a name, or nil.
func (b *Builder) Find(name string) *value.Node { return b.g.byName[name] }

// Relationship adds a relationship between nodes that were added.
func (b *Builder) Relationship(r *value.Relationship) {
	b.g.count++
	if b.g.types[r.Type]++; b.g.types[r.Type] == 1 {
		b.g.names[b.g.fold(r.Type)] = r.Type
	}
	b.g.out[r.Start.ID] = append(b.g.out[r.Start.ID], r)
	b.g.in[r.End.ID] = append(b.g.in[r.End.ID], r)
}

// Graph is what was collected. The builder must not be used any more.
func (b *Builder) Graph() *Graph { return b.g }

// Graph is a graph in memory.
type Graph struct {
	fold    func(string) string
	nodes   []*value.Node
	labels  map[string][]*value.Node
	out, in map[int64][]*value.Relationship
	types   map[string]int
	count   int
	names   map[string]string // labels and types by their folded form
	index   map[string]map[string][]*value.Node

	nameProperty string
	byName       map[string]*value.Node
}

var _ source.Graph = (*Graph)(nil)

// Label is the graph's own name of a label.
func (g *Graph) Label(name string) string { return g.name(name) }

// Type is the graph's own name of a relationship type.
func (g *Graph) Type(name string) string { return g.name(name) }

func (g *Graph) name(name string) string {
	if own, ok := g.names[g.fold(name)]; ok {
		return own
	}
	return name
}

// Labels are the labels that nodes have.
func (g *Graph) Labels() []string { return slices.Sorted(maps.Keys(g.labels)) }

// Types are the types that relationships have.
func (g *Graph) Types() []string { return slices.Sorted(maps.Keys(g.types)) }

// NodeCount is how many nodes there are.
func (g *Graph) NodeCount() int { return len(g.nodes) }

// LabelCount is how many nodes have a label.
func (g *Graph) LabelCount(label string) int { return len(g.labels[label]) }

// TypeCount is how many relationships are of a type, or with "" how many there
// are.
func (g *Graph) TypeCount(kind string) int {
	if kind == "" {
		return g.count
	}
	return g.types[kind]
}

// Nodes are the nodes that have a label, or with "" all.
func (g *Graph) Nodes(label string) iter.Seq[*value.Node] {
	if label == "" {
		return values(g.nodes)
	}
	return values(g.labels[label])
}

func values[T any](list []T) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, e := range list {
			if !yield(e) {
				return
			}
		}
	}
}

// Indexed says whether a property is indexed. Nodes of a label are no fewer by it.
func (g *Graph) Indexed(label, property string) (int, bool) {
	if label != "" {
		return 0, false
	}
	if property == source.ByID || property == g.nameProperty && property != "" {
		return 1, true
	}
	index, ok := g.index[property]
	return len(g.nodes)/max(1, len(index)) + 1, ok
}

// Find are the nodes with a value of a property.
func (g *Graph) Find(_, property string, v value.Value) iter.Seq[*value.Node] {
	if property != source.ByID && (property != g.nameProperty || property == "") {
		return values(g.index[property][string(value.AppendKey(nil, v))])
	}
	n, ok := g.byName[value.Text(v)]
	if !ok {
		return values[*value.Node](nil)
	}
	return values([]*value.Node{n})
}

// Expand are a node's relationships.
func (g *Graph) Expand(n *value.Node, d source.Direction, types []string) iter.Seq[*value.Relationship] {
	return func(yield func(*value.Relationship) bool) {
		if d != source.In {
			for _, r := range g.out[n.ID] {
				if wanted(types, r.Type) && !yield(r) {
					return
				}
			}
		}
		if d == source.Out {
			return
		}
		for _, r := range g.in[n.ID] {
			loop := d == source.Both && r.Start.ID == n.ID // it came with those that go out
			if !loop && wanted(types, r.Type) && !yield(r) {
				return
			}
		}
	}
}

func wanted(types []string, kind string) bool {
	if len(types) == 0 {
		return true
	}
	for _, t := range types {
		if t == kind {
			return true
		}
	}
	return false
}
