package check

import (
	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/functions"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/types"
)

// form checks expressions that are no operators.
func (c checker) form(e ast.Expr) (types.Type, error) {
	switch e := e.(type) {
	case *ast.ListLit:
		return c.list(e)
	case *ast.MapLit:
		return types.Of(types.Map), c.mapLit(e)
	case *ast.Call:
		return c.call(e)
	case *ast.Case:
		return c.caseExpr(e)
	case *ast.ListComp:
		return c.comprehension(e)
	case *ast.Quantifier:
		t, err := c.wants(e.List, e.Kind+"()", types.List)
		if err != nil {
			return t, err
		}
		return types.Of(types.Boolean), c.with(e.Var, t.Element()).condition(e.Where, "WHERE")
	case *ast.Reduce:
		return c.reduce(e)
	case *ast.PatternComp:
		return c.patternComprehension(e)
	case *ast.Exists:
		if e.Count {
			return types.Of(types.Integer), c.exists(e)
		}
		return types.Of(types.Boolean), c.exists(e)
	}
	return types.Any(), nil
}

func (c checker) mapLit(e *ast.MapLit) error {
	if e.Of != nil {
		if _, err := c.wants(e.Of, "{ }", types.Map|types.Entity); err != nil {
			return err
		}
	}
	for _, v := range e.Values {
		if _, err := c.value(v); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) list(e *ast.ListLit) (types.Type, error) {
	var elem types.Type
	for _, item := range e.Items {
		t, err := c.value(item)
		if err != nil {
			return t, err
		}
		elem = elem.Or(t)
	}
	if elem.Kinds == 0 {
		return types.Of(types.List), nil
	}
	return types.ListOf(elem), nil
}

func (c checker) caseExpr(e *ast.Case) (types.Type, error) {
	if e.Subject != nil {
		if _, err := c.value(e.Subject); err != nil {
			return types.Any(), err
		}
	}
	out := types.Of(types.Null)
	for i, w := range e.When {
		if err := c.when(w, e.Subject == nil); err != nil {
			return out, err
		}
		t, err := c.value(e.Then[i])
		if err != nil {
			return out, err
		}
		out = out.Or(t)
	}
	if e.Else == nil {
		return out, nil
	}
	t, err := c.value(e.Else)
	return out.Or(t), err
}

// when checks what stands behind WHEN: a condition, or a value to compare with.
func (c checker) when(e ast.Expr, condition bool) error {
	if !condition {
		_, err := c.value(e)
		return err
	}
	return c.condition(e, "WHEN")
}

func (c checker) comprehension(e *ast.ListComp) (types.Type, error) {
	t, err := c.wants(e.List, "a list comprehension", types.List)
	if err != nil {
		return t, err
	}
	elem := t.Element()
	inner := c.with(e.Var, elem)
	if e.Where != nil {
		if err := inner.condition(e.Where, "WHERE"); err != nil {
			return t, err
		}
	}
	if e.Map != nil {
		if elem, err = inner.value(e.Map); err != nil {
			return t, err
		}
	}
	return types.ListOf(elem), nil
}

func (c checker) reduce(e *ast.Reduce) (types.Type, error) {
	if _, err := c.value(e.Init); err != nil {
		return types.Any(), err
	}
	t, err := c.wants(e.List, "reduce()", types.List)
	if err != nil {
		return t, err
	}
	_, err = c.with(e.Acc, types.Any()).with(e.Var, t.Element()).value(e.Step)
	return types.Any(), err
}

func (c checker) patternComprehension(e *ast.PatternComp) (types.Type, error) {
	vars := c.vars.with()
	if err := patterns([]*ast.Pattern{e.Pattern}, vars); err != nil {
		return types.Any(), err
	}
	if err := condition(e.Where, vars); err != nil {
		return types.Any(), err
	}
	t, err := (checker{vars: vars}).expr(e.Map)
	return types.ListOf(t), err
}

func (c checker) exists(e *ast.Exists) error {
	switch {
	case e.Pattern && !e.Called && !c.predicate:
		return issue.New(issue.Syntax, "UnexpectedSyntax", e.At, "a pattern cannot stand here, only as a condition behind WHERE").
			WithHint("write EXISTS { ... } for whether there is one, or [ ... | ... ] for all of them")
	case e.Pattern:
		if err := known(e.Match.Patterns[0], c.vars); err != nil {
			return err
		}
	case e.Count && e.Query != nil && len(e.Query.Parts) > 1 && !e.Query.All:
		return issue.New(issue.Syntax, "UnsupportedClause", e.At, "COUNT does not count a UNION").WithHint("write UNION ALL")
	case e.Query != nil:
		_, err := query(e.Query, c.vars, true)
		return err
	}
	return match(e.Match, c.vars.with())
}

// aggregation says whether a call is one over many rows.
func aggregation(c *ast.Call) bool {
	_, ok := functions.LookupAggregate(c.Name)
	return ok
}

// aggregates says whether an expression has an aggregation in it.
func aggregates(e ast.Expr) bool {
	if c, ok := e.(*ast.Call); ok && aggregation(c) {
		return true
	}
	for _, child := range ast.Children(e) {
		if aggregates(child) {
			return true
		}
	}
	return false
}
