package check

import (
	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/types"
)

// checker checks expressions at one place.
type checker struct {
	vars      scope
	aggregate bool // aggregations may stand here
	inside    bool // an aggregation
	predicate bool // patterns may stand here as conditions
}

// value checks a part that is no condition of its own.
func (c checker) value(e ast.Expr) (types.Type, error) {
	c.predicate = false
	return c.expr(e)
}

func (c checker) with(name string, t types.Type) checker {
	c.vars = c.vars.with(scope{name: t})
	c.aggregate = false
	return c
}

func wrongType(kind issue.Kind, at ast.Pos, what string, t types.Type, want types.Kinds) error {
	return issue.New(kind, "InvalidArgumentType", at, "%s wants %s, not %s", what, article(want), article(t.Kinds))
}

func article(k types.Kinds) string {
	if s := k.String(); s[0] == 'i' || s[:3] == "any" {
		return "an " + s
	}
	return "a " + k.String()
}

// boolean checks a condition.
func (c checker) boolean(e ast.Expr, what string) error {
	t, err := c.expr(e)
	if err == nil && t.Never(types.Boolean) {
		err = wrongType(issue.Syntax, e.Pos(), what, t, types.Boolean)
	}
	return err
}

// condition checks what is a condition by where it stands, so that patterns may.
func (c checker) condition(e ast.Expr, what string) error {
	c.predicate = true
	return c.boolean(e, what)
}

// wants checks a part that must be of some kinds.
func (c checker) wants(e ast.Expr, what string, kinds types.Kinds) (types.Type, error) {
	t, err := c.value(e)
	if err == nil && t.Never(kinds) {
		err = wrongType(issue.Syntax, e.Pos(), what, t, kinds)
	}
	return t, err
}

// expr checks an expression and tells what it can be.
func (c checker) expr(e ast.Expr) (types.Type, error) {
	switch e := e.(type) {
	case *ast.Literal:
		return literal(e.Value), nil
	case *ast.Param:
		return types.Any(), nil
	case *ast.Variable:
		t, ok := c.vars[e.Name]
		if !ok {
			return t, undefined(e.Name, e.At, c.vars)
		}
		return t, nil
	case *ast.Property:
		return c.property(e)
	case *ast.Index:
		return c.index(e)
	case *ast.Slice:
		return c.slice(e)
	case *ast.Unary:
		return c.unary(e)
	case *ast.Binary:
		return c.binary(e)
	case *ast.Compare:
		for _, x := range append([]ast.Expr{e.First}, e.Rest...) {
			if _, err := c.value(x); err != nil {
				return types.Any(), err
			}
		}
		return types.Of(types.Boolean), nil
	case *ast.IsNull:
		_, err := c.value(e.X)
		return types.Of(types.Boolean), err
	case *ast.HasLabels:
		_, err := c.wants(e.X, "a label", types.Entity)
		return types.Of(types.Boolean), err
	}
	return c.form(e)
}

func literal(v any) types.Type {
	switch v.(type) {
	case nil:
		return types.Of(types.Null)
	case bool:
		return types.Of(types.Boolean)
	case int64:
		return types.Of(types.Integer)
	case float64:
		return types.Of(types.Float)
	}
	return types.Of(types.String)
}

func (c checker) property(e *ast.Property) (types.Type, error) {
	t, err := c.value(e.X)
	if err != nil {
		return t, err
	}
	if want := types.Map | types.Entity | types.Temporal; t.Never(want) {
		kind := issue.Type
		if t.Only(types.Path) {
			kind = issue.Syntax
		}
		return t, wrongType(kind, e.At, "."+e.Key, t, want)
	}
	return types.Any(), nil
}

func (c checker) index(e *ast.Index) (types.Type, error) {
	t, err := c.value(e.X)
	if err != nil {
		return t, err
	}
	i, err := c.value(e.I)
	if err != nil {
		return t, err
	}
	switch want := types.List | types.Map | types.Entity; {
	case t.Never(want):
		return t, wrongType(issue.Type, e.At, "[ ]", t, want)
	case t.Only(types.List) && i.Never(types.Integer):
		return t, issue.New(issue.Type, "ListElementAccessByNonInteger", e.I.Pos(), "the index of a list is an integer, not %s", article(i.Kinds))
	case t.Only(types.Map|types.Entity) && i.Never(types.String):
		return t, issue.New(issue.Type, "MapElementAccessByNonString", e.I.Pos(), "the index of a map is a string, not %s", article(i.Kinds))
	case t.Only(types.List):
		return t.Element(), nil
	}
	return types.Any(), nil
}

func (c checker) slice(e *ast.Slice) (types.Type, error) {
	t, err := c.wants(e.X, "[..]", types.List)
	if err != nil {
		return t, err
	}
	for _, x := range []ast.Expr{e.From, e.To} {
		if x == nil {
			continue
		}
		if _, err := c.wants(x, "[..]", types.Integer); err != nil {
			return t, err
		}
	}
	return t, nil
}

func (c checker) unary(e *ast.Unary) (types.Type, error) {
	if e.Op == "NOT" {
		return types.Of(types.Boolean), c.boolean(e.X, "NOT")
	}
	t, err := c.wants(e.X, e.Op, types.Number|types.Duration)
	if t.Only(types.Number | types.Duration) {
		return t, err
	}
	return types.Of(types.Number | types.Duration), err
}
