// Package types is what can be said of an expression's value before the query
// runs: a set of kinds that it may have.
package types

import "strings"

// Kinds is a set of kinds of values.
type Kinds uint32

// Kinds of values.
const (
	Null Kinds = 1 << iota
	Boolean
	Integer
	Float
	String
	List
	Map
	Node
	Relationship
	Path
	Date
	LocalTime
	Time
	LocalDateTime
	DateTime
	Duration

	Number   = Integer | Float
	Moment   = Date | LocalTime | Time | LocalDateTime | DateTime
	Temporal = Moment | Duration
	Entity   = Node | Relationship
	Anything = Duration<<1 - 1
)

// Type is the kinds that a value may have, and what is known of its elements if it
// is a list.
type Type struct {
	Kinds Kinds
	Elem  *Type // nil if nothing is known
}

// Any is nothing known.
func Any() Type { return Type{Kinds: Anything} }

// Of is a type of kinds; null is always possible.
func Of(k Kinds) Type { return Type{Kinds: k} }

// ListOf is a list.
func ListOf(elem Type) Type { return Type{Kinds: List, Elem: &elem} }

// Element is the type of a list's elements.
func (t Type) Element() Type {
	if t.Elem == nil || t.Kinds&^(List|Null) != 0 {
		return Any()
	}
	return *t.Elem
}

// Or is a type that may be one or the other.
func (t Type) Or(o Type) Type {
	out := Type{Kinds: t.Kinds | o.Kinds}
	switch {
	case t.Elem != nil && o.Elem != nil:
		e := t.Elem.Or(*o.Elem)
		out.Elem = &e
	case t.Kinds&List == 0:
		out.Elem = o.Elem
	case o.Kinds&List == 0:
		out.Elem = t.Elem
	}
	return out
}

// Never says that a value of this type is for sure not of any of some kinds, nor
// null.
func (t Type) Never(k Kinds) bool {
	return t.Kinds&^Null != 0 && t.Kinds&(k|Null) == 0
}

// Only says that a value of this type is one of some kinds or null.
func (t Type) Only(k Kinds) bool { return t.Kinds&^Null != 0 && t.Kinds&^(k|Null) == 0 }

// String names the kinds for people.
func (k Kinds) String() string {
	if k&Anything == Anything {
		return "any value"
	}
	names := []string{"null", "boolean", "integer", "float", "string", "list", "map", "node", "relationship", "path",
		"date", "local time", "time", "local datetime", "datetime", "duration"}
	var list []string
	for i, n := range names {
		if k&(1<<i) != 0 && n != "null" {
			list = append(list, n)
		}
	}
	return strings.Join(list, " or ")
}
