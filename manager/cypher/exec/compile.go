package exec

import (
	"fmt"

	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/plan"
	"cassini/manager/cypher/source"
	"cassini/manager/cypher/value"
)

// eval computes an expression on the row in the frame.
type eval func(r *run) (value.Value, error)

// compiler turns operators into stages and expressions into functions.
type compiler struct {
	planner *plan.Planner
	graph   source.Graph
}

// chain compiles operators.
func (c *compiler) chain(ops []plan.Op) (chain, error) {
	list := make(chain, 0, len(ops))
	for _, op := range ops {
		s, err := c.stage(op)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

func (c *compiler) stage(op plan.Op) (stage, error) {
	switch op := op.(type) {
	case *plan.Scan:
		return &scan{op}, nil
	case *plan.Seek:
		v, err := c.bound(op.Value)
		return &seek{op, v}, err
	case *plan.Present:
		return &present{op.Slot}, nil
	case *plan.Filter:
		cond, err := c.bound(op.Cond)
		return &filter{cond, op.Cond.Expr.Pos()}, err
	case *plan.Expand:
		return &expand{op.Follow}, nil
	case *plan.VarExpand:
		each, err := c.each(op.Each)
		return &varExpand{op, each}, err
	case *plan.Retrace:
		return &retrace{op}, nil
	case *plan.Shortest:
		each, err := c.each(op.Each)
		return &shortest{op, each}, err
	case *plan.Path:
		return &makePath{op}, nil
	case *plan.Optional:
		inner, err := c.chain(op.Inner)
		return &optional{inner, op.Nulls}, err
	}
	return c.rowStage(op)
}

// rowStage compiles operators on rows, whatever is in them.
func (c *compiler) rowStage(op plan.Op) (stage, error) {
	switch op := op.(type) {
	case *plan.Unwind:
		list, err := c.bound(op.List)
		return &unwind{list, op.Slot}, err
	case *plan.Project:
		items, err := c.assigns(op.Items)
		return &project{items}, err
	case *plan.Aggregate:
		return c.aggregate(op)
	case *plan.Distinct:
		return &distinct{op.Slots}, nil
	case *plan.Sort:
		return c.sort(op)
	case *plan.Skip:
		n, err := c.bound(op.Count)
		return &skip{n, op.Count.Expr.Pos()}, err
	case *plan.Limit:
		n, err := c.bound(op.Count)
		return &limit{n, op.Count.Expr.Pos()}, err
	}
	return nil, fmt.Errorf("compile plan: no operator %T", op)
}

// assign computes a slot.
type assign struct {
	eval eval
	slot int
}

func (c *compiler) assigns(items []plan.Assign) ([]assign, error) {
	list := make([]assign, len(items))
	for i, item := range items {
		e, err := c.bound(item.Bound)
		if err != nil {
			return nil, err
		}
		list[i] = assign{e, item.Slot}
	}
	return list, nil
}

func (c *compiler) bound(b plan.Bound) (eval, error) { return c.expr(b.Expr, b.Scope) }

// expr compiles an expression. Failures at run time get its place.
func (c *compiler) expr(e ast.Expr, s plan.Scope) (eval, error) {
	switch e := e.(type) {
	case *ast.Literal:
		v := e.Value
		return func(*run) (value.Value, error) { return v, nil }, nil
	case *ast.Param:
		name := e.Name
		return func(r *run) (value.Value, error) { return r.params[name], nil }, nil
	case *ast.Variable:
		slot, ok := s[e.Name]
		if !ok {
			return nil, issue.New(issue.Syntax, "UndefinedVariable", e.At, "the variable %s is not defined", e.Name)
		}
		return func(r *run) (value.Value, error) { return r.frame[slot], nil }, nil
	case *ast.Property:
		return c.one(e.At, e.X, s, property(e.Key))
	case *ast.Index:
		return c.two(e.At, e.X, e.I, s, index)
	case *ast.Slice:
		return c.slice(e, s)
	case *ast.Unary:
		return c.unary(e, s)
	case *ast.Binary:
		return c.binary(e, s)
	case *ast.Compare:
		return c.compare(e, s)
	case *ast.IsNull:
		not := e.Not
		return c.one(e.At, e.X, s, func(_ *run, v value.Value) (value.Value, error) { return (v == nil) != not, nil })
	case *ast.HasLabels:
		return c.labels(e, s)
	}
	return c.form(e, s)
}

// placed gives a failure its place, if it has none yet.
func placed(err error, at ast.Pos) error {
	if e, ok := err.(*issue.Error); ok && e.At.Line == 0 { //nolint:errorlint // made right here, never wrapped
		e.At = at
	}
	return err
}

// one compiles a function of one part.
func (c *compiler) one(at ast.Pos, x ast.Expr, s plan.Scope, f func(*run, value.Value) (value.Value, error)) (eval, error) {
	arg, err := c.expr(x, s)
	if err != nil {
		return nil, err
	}
	return func(r *run) (value.Value, error) {
		v, err := arg(r)
		if err != nil {
			return nil, err
		}
		if v, err = f(r, v); err != nil {
			return nil, placed(err, at)
		}
		return v, nil
	}, nil
}

// two compiles a function of two parts.
func (c *compiler) two(at ast.Pos, x, y ast.Expr, s plan.Scope, f func(_ *run, a, b value.Value) (value.Value, error)) (eval, error) {
	left, err := c.expr(x, s)
	if err != nil {
		return nil, err
	}
	right, err := c.expr(y, s)
	if err != nil {
		return nil, err
	}
	return func(r *run) (value.Value, error) {
		a, err := left(r)
		if err != nil {
			return nil, err
		}
		b, err := right(r)
		if err != nil {
			return nil, err
		}
		v, err := f(r, a, b)
		if err != nil {
			return nil, placed(err, at)
		}
		return v, nil
	}, nil
}

// list compiles parts.
func (c *compiler) list(items []ast.Expr, s plan.Scope) ([]eval, error) {
	list := make([]eval, len(items))
	for i, e := range items {
		var err error
		if list[i], err = c.expr(e, s); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// all computes parts.
func all(r *run, parts []eval) ([]value.Value, error) {
	out := make([]value.Value, len(parts))
	for i, p := range parts {
		var err error
		if out[i], err = p(r); err != nil {
			return nil, err
		}
	}
	return out, nil
}
