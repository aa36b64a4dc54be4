// Package plan decides how a query is run: which nodes to begin with, by index,
// label or all of them, in which order to follow relationships, and when to look
// at conditions. A plan is a chain of operators, each of which hands rows to the
// next. A row is one frame of slots: every variable has a slot of its own, so that
// operators need not copy rows.
package plan

import (
	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/source"
)

// Scope is the slots of the variables at a place. It is not changed once it is
// used.
type Scope map[string]int

// Bound is an expression with the variables that it can see.
type Bound struct {
	Expr  ast.Expr
	Scope Scope
}

// Plan is how a query is run.
type Plan struct {
	Parts   []Part
	All     bool // UNION ALL
	Columns []string
}

// Part is one chain of operators and the slots of its columns.
type Part struct {
	Ops     []Op
	Columns []int
}

// Op is one of the operators below.
type Op interface{ describe() (name, detail string) }

// Operators.
type (
	// Scan makes a row of every node, or every node with a label.
	Scan struct {
		Slot  int
		Name  string
		Label string
		Rows  float64 // estimated
	}
	// Seek makes a row of every node that an index finds.
	Seek struct {
		Slot            int
		Name            string
		Label, Property string
		Value           Bound
		Rows            float64
	}
	// Present passes rows in which a variable is a node.
	Present struct {
		Slot int
		Name string
	}
	// Filter passes rows that meet a condition.
	Filter struct {
		Cond Bound
	}
	// Expand follows relationships from a node.
	Expand struct {
		Follow
		Rows float64
	}
	// VarExpand follows chains of relationships from a node.
	VarExpand struct {
		Follow
		Min, Max int // Max is -1 without an end
		Reversed bool
		Each     Bound // properties that every relationship has, or nothing
		Rows     float64
	}
	// Retrace follows a relationship, or a list of them, that is known already. It
	// binds the ends that are not.
	Retrace struct {
		Follow
		FromBound bool
		Var       bool
		Min, Max  int
		Reversed  bool
	}
	// Shortest finds shortest chains between two known nodes.
	Shortest struct {
		Follow
		Min, Max int
		Var      bool // the variable is a list
		All      bool
		Each     Bound
	}
	// Path makes a path of nodes and relationships.
	Path struct {
		Slot        int
		Name        string
		Nodes, Rels []int
		Var         []bool
	}
	// Optional passes the rows that the inner operators make of a row, or else
	// the row with nulls.
	Optional struct {
		Inner []Op
		Nulls []int
	}
	// Unwind makes a row of every element.
	Unwind struct {
		List Bound
		Slot int
		Name string
	}
	// Project computes columns.
	Project struct {
		Items []Assign
	}
	// Aggregate groups rows.
	Aggregate struct {
		Keys []Assign
		Aggs []Agg
	}
	// Distinct passes rows that are new.
	Distinct struct {
		Slots []int
	}
	// Sort orders rows, of which it keeps some slots.
	Sort struct {
		Keys  []Key
		Slots []int
		Skip  *Bound // these and Limit bound what must be kept, or nil
		Limit *Bound
	}
	// Skip drops the first rows.
	Skip struct{ Count Bound }
	// Limit drops all but the first rows.
	Limit struct{ Count Bound }
)

// Follow is what operators that follow relationships have in common.
type Follow struct {
	From, Rel, To int
	Dir           source.Direction
	Types         []string
	Into          bool  // To is known already
	Unique        []int // relationships of the same MATCH, which must be others
	Text          string
}

// Assign computes a slot.
type Assign struct {
	Bound
	Slot int
	Name string
}

// Agg is an aggregation into a slot.
type Agg struct {
	Call  *ast.Call
	Scope Scope
	Slot  int
}

// Key is one of what rows are sorted by.
type Key struct {
	Bound
	Desc bool
}

// Planner makes plans for one graph and one query. It is not safe for concurrent
// use.
type Planner struct {
	Graph source.Graph
	slots int
	names int
	notes []string
}

// Slot is a new slot.
func (p *Planner) Slot() int {
	p.slots++
	return p.slots - 1
}

// Slots is how many slots a row has so far.
func (p *Planner) Slots() int { return p.slots }

// Query plans a checked query whose columns are known.
func (p *Planner) Query(q *ast.Query, columns []string, outer Scope) Plan {
	out := Plan{All: q.All, Columns: columns}
	for _, part := range q.Parts {
		out.Parts = append(out.Parts, p.single(part, outer))
	}
	return out
}

func (p *Planner) single(q *ast.SingleQuery, outer Scope) (part Part) {
	scope := outer
	for _, c := range q.Clauses {
		var ops []Op
		switch c := c.(type) {
		case *ast.Match:
			ops, scope = p.Match(c, scope)
		case *ast.Unwind:
			slot := p.Slot()
			ops = []Op{&Unwind{List: Bound{c.List, scope}, Slot: slot, Name: c.As}}
			scope = scope.with(Scope{c.As: slot})
		case *ast.With:
			ops, scope, _ = p.project(&c.Projection, c.Where, scope)
			scope = outer.with(scope)
		case *ast.Return:
			ops, _, part.Columns = p.project(&c.Projection, nil, scope)
		}
		part.Ops = append(part.Ops, ops...)
	}
	return part
}

func (s Scope) with(more Scope) Scope {
	out := make(Scope, len(s)+len(more))
	for name, slot := range s {
		out[name] = slot
	}
	for name, slot := range more {
		out[name] = slot
	}
	return out
}
