// Package value is the data that queries work on: its types, equality and
// comparison in three-valued logic, the order that sorting uses, the keys that
// grouping uses, and how values are written. It knows no graph and no query.
package value

import (
	"sync"

	"cassini/manager/cypher/temporal"
)

// Value is nil (null), bool, int64, float64, string, List, Map, *Node,
// *Relationship, *Path or one of package temporal's values. Values are never
// changed once others can see them.
type Value = any

// List is values in order.
type List []Value

// Map is values by name.
type Map map[string]Value

// Node is a node of a graph. It is safe for concurrent use.
type Node struct {
	ID     int64  // unique among the graph's nodes
	Name   string // the graph's own identifier; the number if it has none
	Labels []string
	props  properties
}

// Relationship is a directed relationship of a graph. It is safe for concurrent
// use.
type Relationship struct {
	ID         int64 // unique among the graph's relationships
	Name       string
	Type       string
	Start, End *Node
	props      properties
}

// properties are read from the graph when somebody asks, and once.
type properties struct {
	once sync.Once
	load func() Map
	all  Map
}

func (p *properties) get() Map {
	p.once.Do(func() {
		if p.load != nil {
			p.all = p.load()
		}
	})
	return p.all
}

// NewNode makes a node; load is called at most once and may be nil.
func NewNode(id int64, name string, labels []string, load func() Map) *Node {
	return &Node{ID: id, Name: name, Labels: labels, props: properties{load: load}}
}

// NewRelationship makes a relationship; load is called at most once and may be
// nil.
func NewRelationship(id int64, name, kind string, start, end *Node, load func() Map) *Relationship {
	return &Relationship{ID: id, Name: name, Type: kind, Start: start, End: end, props: properties{load: load}}
}

// Properties are the node's properties, not to be changed.
func (n *Node) Properties() Map { return n.props.get() }

// Properties are the relationship's properties, not to be changed.
func (r *Relationship) Properties() Map { return r.props.get() }

// Other is the end of a relationship that is not n; of a loop it is n.
func (r *Relationship) Other(n *Node) *Node {
	if r.Start.ID == n.ID {
		return r.End
	}
	return r.Start
}

// Path is nodes and the relationships between them, one fewer.
type Path struct {
	Nodes         []*Node
	Relationships []*Relationship
}

// Truth is the answer of three-valued logic.
type Truth int8

// Answers.
const (
	False   Truth = -1
	Unknown Truth = 0
	True    Truth = 1
)

// Value is the truth as a value: unknown is null.
func (t Truth) Value() Value {
	switch t {
	case True:
		return true
	case False:
		return false
	}
	return nil
}

// Not turns true and false around.
func (t Truth) Not() Truth { return -t }

// TruthOf is the truth of a boolean or null; ok is false for other values.
func TruthOf(v Value) (t Truth, ok bool) {
	switch v := v.(type) {
	case nil:
		return Unknown, true
	case bool:
		return of(v), true
	}
	return Unknown, false
}

func of(b bool) Truth {
	if b {
		return True
	}
	return False
}

// TypeName is the name of a value's type for people.
func TypeName(v Value) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case int64:
		return "integer"
	case float64:
		return "float"
	case string:
		return "string"
	case List:
		return "list"
	case Map:
		return "map"
	case *Node:
		return "node"
	case *Relationship:
		return "relationship"
	case *Path:
		return "path"
	}
	return temporalName(v)
}

// Described is the name of a value's type with its article: an integer.
func Described(v Value) string {
	switch v.(type) {
	case nil:
		return "null"
	case int64:
		return "an integer"
	}
	return "a " + TypeName(v)
}

func temporalName(v Value) string {
	switch v.(type) {
	case temporal.Date:
		return "date"
	case temporal.LocalTime:
		return "local time"
	case temporal.Time:
		return "time"
	case temporal.LocalDateTime:
		return "local datetime"
	case temporal.DateTime:
		return "datetime"
	case temporal.Duration:
		return "duration"
	}
	return "unknown type"
}
