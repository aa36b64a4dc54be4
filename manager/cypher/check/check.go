// Package check finds out, before a query runs, whether what it says makes sense:
// every variable is defined and is what it is used as, functions exist and take
// such arguments, aggregations stand where they can. Its errors are *issue.Error.
package check

import (
	"maps"
	"slices"

	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/types"
)

// scope is the variables at a place with what is known of them.
type scope map[string]types.Type

func (s scope) with(names ...scope) scope {
	out := maps.Clone(s)
	if out == nil {
		out = scope{}
	}
	for _, n := range names {
		maps.Copy(out, n)
	}
	return out
}

// Query checks a query. It answers the names of its columns.
func Query(q *ast.Query) (columns []string, err error) { return query(q, nil, false) }

// query checks a query that sees the variables of outer; within EXISTS it need
// not end with RETURN.
func query(q *ast.Query, outer scope, inner bool) (columns []string, err error) {
	for i, part := range q.Parts {
		names, err := single(part, outer)
		if err != nil {
			return nil, err
		}
		if i > 0 && !inner && !slices.Equal(names, columns) {
			at := part.Clauses[len(part.Clauses)-1].Pos()
			return nil, issue.New(issue.Syntax, "DifferentColumnsInUnion", at, "the parts of a UNION have different columns: %v and %v", columns, names).
				WithHint("give them the same names in the same order with AS")
		}
		columns = names
	}
	return columns, nil
}

func single(q *ast.SingleQuery, outer scope) (columns []string, err error) {
	vars := outer.with()
	for _, c := range q.Clauses {
		switch c := c.(type) {
		case *ast.Match:
			err = match(c, vars)
		case *ast.Unwind:
			err = unwind(c, vars)
		case *ast.With:
			if vars, _, err = project(&c.Projection, c.Where, vars, true); err == nil {
				vars = outer.with(vars)
			}
		case *ast.Return:
			_, columns, err = project(&c.Projection, nil, vars, false)
		}
		if err != nil {
			return nil, err
		}
	}
	return columns, nil
}

func unwind(c *ast.Unwind, vars scope) error {
	t, err := (checker{vars: vars}).expr(c.List)
	if err != nil {
		return err
	}
	if _, taken := vars[c.As]; taken {
		return issue.New(issue.Syntax, "VariableAlreadyBound", c.AsPos, "the variable %s is there already", c.As)
	}
	if t.Kinds&types.List == 0 { // a single value is unwound as if it were in a list
		vars[c.As] = t
	} else {
		vars[c.As] = t.Element()
	}
	return nil
}

// match checks a MATCH clause and adds its variables.
func match(c *ast.Match, vars scope) error {
	if err := patterns(c.Patterns, vars); err != nil {
		return err
	}
	return condition(c.Where, vars)
}

// condition checks what stands behind WHERE.
func condition(e ast.Expr, vars scope) error {
	if e == nil {
		return nil
	}
	return (checker{vars: vars, predicate: true}).boolean(e, "WHERE")
}

func undefined(name string, at ast.Pos, vars scope) error {
	e := issue.New(issue.Syntax, "UndefinedVariable", at, "the variable %s is not defined", name)
	if len(vars) == 0 {
		return e.WithHint("nothing is defined here; a text stands in quotes")
	}
	return e.WithHint("defined here: %s", shown(slices.Sorted(maps.Keys(vars))))
}

func shown(names []string) string {
	text := ""
	for i, n := range names {
		if i == 8 {
			return text + ", ..."
		}
		if i > 0 {
			text += ", "
		}
		text += n
	}
	return text
}
