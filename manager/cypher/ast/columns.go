package ast

import "slices"

// SortedNames are the names in a map, sorted.
func SortedNames[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Simple says that rows that are grouped by this expression can be told from
// inside a larger one: a variable, or properties of one.
func Simple(e Expr) bool {
	for {
		switch x := e.(type) {
		case *Variable:
			return true
		case *Property:
			e = x.X
			continue
		}
		return false
	}
}

// Columns tells which expressions are columns of a projection. It is not safe for
// concurrent use.
type Columns struct {
	keys   *Keys
	star   bool
	names  map[string]string // of columns, by the key of their expression
	taken  map[string]bool   // names of columns
	passed map[string]bool   // variables that keep their name
}

// NewColumns looks at a projection.
func NewColumns(p *Projection) *Columns {
	c := &Columns{keys: NewKeys(), star: p.Star, names: map[string]string{}, taken: map[string]bool{}, passed: map[string]bool{}}
	for _, item := range p.Items {
		c.taken[item.Name] = true
		key := c.keys.Of(item.Expr)
		if _, known := c.names[key]; !known {
			c.names[key] = item.Name
		}
		if v, ok := item.Expr.(*Variable); ok && v.Name == item.Name {
			c.passed[v.Name] = true
		}
	}
	return c
}

// Key is the same for expressions that say the same.
func (c *Columns) Key(e Expr) string { return c.keys.Of(e) }

// GroupedBy says whether an expression is a column of its own, or one that a
// larger expression may mention beside an aggregation.
func (c *Columns) GroupedBy(e Expr, local []string) bool {
	if !Simple(e) {
		return false
	}
	_, ok := c.column(e, local)
	return ok
}

// column finds the column that an expression is.
func (c *Columns) column(e Expr, local []string) (string, bool) {
	switch e.(type) {
	case *Literal, *Param:
		return "", false
	}
	name, ok := c.names[c.keys.Of(e)]
	if !ok {
		v, plain := e.(*Variable)
		if ok = plain && c.star; ok {
			name = v.Name
		}
	}
	return name, ok && !covered(e, local)
}

// covered says whether an expression mentions a local variable.
func covered(e Expr, local []string) bool {
	if len(local) == 0 {
		return false
	}
	for name := range Variables(e) {
		if slices.Contains(local, name) {
			return true
		}
	}
	return false
}

// Projected is an expression behind a projection, in which what is a column
// stands by the column's name. A name that a column has given something else
// means that column.
func (c *Columns) Projected(e Expr) Expr {
	return Rewrite(e, func(e Expr, local []string) Expr {
		name, ok := c.column(e, local)
		if !ok {
			return nil
		}
		if v, plain := e.(*Variable); plain && c.taken[v.Name] {
			name = v.Name
		}
		for v := range Variables(e) {
			if c.taken[v] && !c.passed[v] { // it speaks of the new column, not of what the column was made of
				return nil
			}
		}
		return &Variable{At: e.Pos(), Name: name}
	})
}
