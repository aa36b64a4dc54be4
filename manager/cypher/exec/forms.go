package exec

import (
	"fmt"
	"maps"

	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/functions"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/plan"
	"cassini/manager/cypher/value"
)

// form compiles expressions that are no operators.
func (c *compiler) form(e ast.Expr, s plan.Scope) (eval, error) {
	switch e := e.(type) {
	case *ast.ListLit:
		return c.listLit(e, s)
	case *ast.MapLit:
		return c.mapLit(e, s)
	case *ast.Call:
		return c.call(e, s)
	case *ast.Case:
		return c.caseExpr(e, s)
	case *ast.ListComp:
		return c.comprehension(e, s)
	case *ast.Quantifier:
		return c.quantifier(e, s)
	case *ast.Reduce:
		return c.reduce(e, s)
	case *ast.PatternComp:
		return c.patternComprehension(e, s)
	case *ast.Exists:
		return c.exists(e, s)
	}
	return nil, fmt.Errorf("compile expression: no form %T", e)
}

func (c *compiler) listLit(e *ast.ListLit, s plan.Scope) (eval, error) {
	items, err := c.list(e.Items, s)
	if err != nil {
		return nil, err
	}
	return func(r *run) (value.Value, error) {
		list, err := all(r, items)
		if err != nil {
			return nil, err
		}
		_, err = r.weigh(value.List(list))
		return value.List(list), placed(err, e.At)
	}, nil
}

func (c *compiler) mapLit(e *ast.MapLit, s plan.Scope) (eval, error) {
	values, err := c.list(e.Values, s)
	if err != nil {
		return nil, err
	}
	of := constant(value.Map{})
	if e.Of != nil {
		if of, err = c.expr(e.Of, s); err != nil {
			return nil, err
		}
	}
	return func(r *run) (value.Value, error) {
		m := make(value.Map, len(values))
		base, err := of(r)
		if err != nil || base == nil {
			return nil, err
		}
		if err := begin(m, base, e.All); err != nil {
			return nil, placed(err, e.At)
		}
		for i, f := range values {
			v, err := f(r)
			if err != nil {
				return nil, err
			}
			m[e.Keys[i]] = v
		}
		_, err = r.weigh(m)
		return m, placed(err, e.At)
	}, nil
}

// begin puts into a map what it has of something else, which must have properties.
func begin(m value.Map, of value.Value, all bool) error {
	from, ok := of.(value.Map)
	switch of := of.(type) {
	case *value.Node:
		from, ok = of.Properties(), true
	case *value.Relationship:
		from, ok = of.Properties(), true
	}
	if !ok {
		return issue.Raise(issue.Type, "InvalidArgumentType", "%s has no properties", value.Described(of))
	}
	if all {
		maps.Copy(m, from)
	}
	return nil
}

func (c *compiler) call(e *ast.Call, s plan.Scope) (eval, error) {
	f, ok := functions.Lookup(e.Name)
	if !ok {
		return nil, issue.New(issue.Syntax, "UnknownFunction", e.At, "there is no function %s() here", e.Name)
	}
	parts, err := c.list(e.Args, s)
	if err != nil {
		return nil, err
	}
	return func(r *run) (value.Value, error) {
		args, err := all(r, parts)
		if err != nil {
			return nil, err
		}
		for _, a := range args {
			if a == nil && !f.Nulls {
				return nil, nil
			}
		}
		v, err := f.Eval(r.env, args)
		if err != nil {
			return nil, placed(err, e.At)
		}
		return v, nil
	}, nil
}

func (c *compiler) caseExpr(e *ast.Case, s plan.Scope) (eval, error) {
	when, err := c.list(e.When, s)
	if err != nil {
		return nil, err
	}
	then, err := c.list(e.Then, s)
	if err != nil {
		return nil, err
	}
	subject, otherwise, meets := constant(true), constant(nil), isTrue
	if e.Subject != nil {
		if subject, err = c.expr(e.Subject, s); err != nil {
			return nil, err
		}
		meets = func(v, w value.Value) (value.Truth, error) { return value.Equal(v, w), nil }
	}
	if e.Else != nil {
		if otherwise, err = c.expr(e.Else, s); err != nil {
			return nil, err
		}
	}
	return func(r *run) (value.Value, error) {
		v, err := subject(r)
		if err != nil {
			return nil, err
		}
		for i, f := range when {
			w, err := f(r)
			if err != nil {
				return nil, err
			}
			t, err := meets(v, w)
			if err != nil {
				return nil, placed(err, e.When[i].Pos())
			}
			if t == value.True {
				return then[i](r)
			}
		}
		return otherwise(r)
	}, nil
}

// isTrue looks at the condition of a CASE without a value to compare with.
func isTrue(_, condition value.Value) (value.Truth, error) { return truth(condition) }

func constant(v value.Value) eval {
	return func(*run) (value.Value, error) { return v, nil }
}

// local is an expression with a variable of its own.
func (c *compiler) local(name string, s plan.Scope) (plan.Scope, int) {
	slot := c.planner.Slot()
	inner := plan.Scope{name: slot}
	for n, i := range s {
		if n != name {
			inner[n] = i
		}
	}
	return inner, slot
}
