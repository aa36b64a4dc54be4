// Package source is what the query engine wants of a graph.
package source

import (
	"iter"

	"cassini/manager/cypher/value"
)

// Direction is which relationships of a node are meant.
type Direction uint8

// Directions.
const (
	Both Direction = iota
	Out
	In
)

// Reverse is the direction as it is seen from the other end.
func (d Direction) Reverse() Direction {
	switch d {
	case Out:
		return In
	case In:
		return Out
	}
	return Both
}

// ByID stands for a property by which a graph finds nodes by what the function id
// answers for them.
const ByID = "id()"

// Graph is a property graph of one moment: nothing in it changes while somebody
// reads it. It is safe for concurrent use. Labels and types are the graph's own
// names, as Label and Type answer them.
type Graph interface {
	// Label and Type find the graph's name for one in a query; a name that the
	// graph has not stays as it is.
	Label(name string) string
	Type(name string) string

	// Labels and Types are the graph's own names of all that it has, in order.
	Labels() []string
	Types() []string

	// NodeCount, LabelCount and TypeCount are how many there are.
	NodeCount() int
	LabelCount(label string) int
	TypeCount(kind string) int

	// Nodes are all nodes, or with a label those that have it.
	Nodes(label string) iter.Seq[*value.Node]
	// Indexed says whether nodes can be found by a property, and about how many
	// have the same value of it. The label may be empty.
	Indexed(label, property string) (count int, ok bool)
	// Find are the nodes that have a value of an indexed property. It may answer
	// more of them, and not fewer.
	Find(label, property string, v value.Value) iter.Seq[*value.Node]
	// Expand are a node's relationships of some types, or without types all; a
	// loop comes once.
	Expand(n *value.Node, d Direction, types []string) iter.Seq[*value.Relationship]
}
