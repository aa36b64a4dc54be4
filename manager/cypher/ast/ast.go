// Package ast is what a query says, as a tree: clauses, patterns and expressions.
// The parser makes it, nobody changes it afterwards. Every part knows where in the
// text it stands.
package ast

import (
	"slices"

	"cassini/manager/cypher/issue"
)

// Pos is the place of a part.
type Pos = issue.Position

// Query is one or more single queries whose rows are put together.
type Query struct {
	Text    string
	Explain bool
	Parts   []*SingleQuery
	All     bool // UNION ALL: rows that are the same stay
	Params  []string
}

// SingleQuery is clauses, each of which works on the rows of the one before.
type SingleQuery struct {
	Clauses []Clause
}

// Clause is *Match, *Unwind, *With or *Return.
type Clause interface{ Pos() Pos }

// Match looks for patterns.
type Match struct {
	At       Pos
	Optional bool
	Patterns []*Pattern
	Where    Expr // or nil
}

// Unwind makes a row of every element of a list.
type Unwind struct {
	At    Pos
	List  Expr
	As    string
	AsPos Pos
}

// With passes rows on, changed.
type With struct {
	Projection
	Where Expr // or nil
}

// Return ends a query.
type Return struct {
	Projection
}

// Projection is what WITH and RETURN have in common.
type Projection struct {
	At       Pos
	Distinct bool
	Star     bool // *, before the items
	Items    []Item
	Order    []Sort
	Skip     Expr // or nil
	Limit    Expr // or nil
}

// Item is one column.
type Item struct {
	Expr  Expr
	Name  string // given by AS, or the text of the expression
	Named bool   // by AS
	At    Pos
}

// Sort is one of what ORDER BY goes by.
type Sort struct {
	Expr Expr
	Desc bool
}

// Pos is where the clause begins.
func (c *Match) Pos() Pos { return c.At }

// Pos is where the clause begins.
func (c *Unwind) Pos() Pos { return c.At }

// Pos is where the clause begins.
func (c *With) Pos() Pos { return c.At }

// Pos is where the clause begins.
func (c *Return) Pos() Pos { return c.At }

// Pattern is nodes and the relationships between them, one fewer.
type Pattern struct {
	At    Pos
	Path  string // name of the path, or ""
	Nodes []*NodePattern
	Rels  []*RelPattern
	// Shortest asks for the shortest paths only: one, or with All every one.
	Shortest, All bool
}

// NodePattern is a node in a pattern.
type NodePattern struct {
	At     Pos
	Name   string // or ""
	Labels []string
	Is     *Labels // what cannot be said by Labels, or nil
	Props  Expr    // *MapLit, or nil
	Where  Expr    // or nil
}

// Labels is a condition on the labels of a node or the type of a relationship: a
// label by its name, "&" and "|" of several, "!" of one, or "%", which is any.
type Labels struct {
	Op   string // "" is a label
	Name string
	Of   []*Labels
}

// Meets says whether what has these labels meets the condition.
func (l *Labels) Meets(has func(name string) bool) bool {
	meets := func(l *Labels) bool { return l.Meets(has) }
	switch l.Op {
	case "&":
		return !slices.ContainsFunc(l.Of, func(l *Labels) bool { return !meets(l) })
	case "|":
		return slices.ContainsFunc(l.Of, meets)
	case "!":
		return !meets(l.Of[0])
	case "%":
		return has("")
	}
	return has(l.Name)
}

// Mentioned are the labels that stand in a condition; of none there are none.
func (l *Labels) Mentioned() (names []string) {
	if l == nil {
		return nil
	}
	if l.Op == "" {
		return []string{l.Name}
	}
	for _, part := range l.Of {
		names = append(names, part.Mentioned()...)
	}
	return names
}

// Names are the labels of a condition that is nothing but labels with op between
// them; ok is false for other conditions.
func (l *Labels) Names(op string) (names []string, ok bool) {
	if l.Op == "" {
		return []string{l.Name}, true
	}
	for _, part := range l.Of {
		if l.Op != op || part.Op != "" {
			return nil, false
		}
		names = append(names, part.Name)
	}
	return names, names != nil
}

// Direction is where a relationship goes, as the pattern is read.
type Direction uint8

// Directions.
const (
	Both Direction = iota
	Right
	Left
)

// RelPattern is a relationship in a pattern, or with Var a chain of them.
type RelPattern struct {
	At       Pos
	Name     string   // or ""
	Types    []string // any of them
	Is       *Labels  // what cannot be said by Types, or nil; not of a chain
	Props    Expr     // *MapLit, or nil
	Where    Expr     // or nil; not of a chain
	Dir      Direction
	Var      bool
	Min, Max int // of a chain; Max is -1 without an end
}
