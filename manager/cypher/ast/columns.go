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

// GroupedBy says whether an expression is a column of its own, or one that a
// larger expression may mention beside an aggregation.
func GroupedBy(e Expr, p *Projection, local []string) bool {
	_, ok := column(e, p, local)
	return ok && Simple(e)
}

// column finds the column that an expression is.
func column(e Expr, p *Projection, local []string) (string, bool) {
	switch e.(type) {
	case *Literal, *Param:
		return "", false
	}
	if covered(e, local) {
		return "", false
	}
	text := Print(e)
	for _, item := range p.Items {
		if Print(item.Expr) == text {
			return item.Name, true
		}
	}
	if v, ok := e.(*Variable); ok && p.Star {
		return v.Name, true
	}
	return "", false
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
func Projected(e Expr, p *Projection) Expr {
	taken := make(map[string]bool)
	for _, item := range p.Items {
		taken[item.Name] = true
	}
	return Rewrite(e, func(e Expr, local []string) Expr {
		name, ok := column(e, p, local)
		if !ok {
			return nil
		}
		if v, plain := e.(*Variable); plain && taken[v.Name] {
			name = v.Name
		}
		for v := range Variables(e) {
			if taken[v] && !sameColumn(v, p) { // it speaks of the new column, not of what the column was made of
				return nil
			}
		}
		return &Variable{At: e.Pos(), Name: name}
	})
}

// sameColumn says whether a column passes a variable on under its own name.
func sameColumn(name string, p *Projection) bool {
	for _, item := range p.Items {
		if item.Name == name {
			v, ok := item.Expr.(*Variable)
			return ok && v.Name == name
		}
	}
	return false
}
