package exec

import (
	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/plan"
	"cassini/manager/cypher/value"
)

// elements is a list with a condition on its elements.
type elements struct {
	list  eval
	where eval // or nil
	slot  int
	at    ast.Pos
}

// elements compiles x IN list WHERE w, and tells what the parts behind it see.
func (c *compiler) elements(at ast.Pos, name string, list, where ast.Expr, s plan.Scope) (e elements, inner plan.Scope, err error) {
	e.at = at
	if e.list, err = c.expr(list, s); err != nil {
		return e, nil, err
	}
	inner, e.slot = c.local(name, s)
	if where != nil {
		e.where, err = c.expr(where, inner)
	}
	return e, inner, err
}

// each calls f for every element with what the condition says of it. null says
// that there is no list.
func (e elements) each(r *run, f func(t value.Truth) error) (null bool, err error) {
	v, err := e.list(r)
	if err != nil || v == nil {
		return true, err
	}
	list, ok := v.(value.List)
	if !ok {
		return true, placed(issue.Raise(issue.Type, "InvalidArgumentType", "IN wants a list, not %s", value.Described(v)), e.at)
	}
	for _, x := range list {
		if err := r.tick(); err != nil {
			return false, err
		}
		r.frame[e.slot] = x
		t := value.True
		if e.where != nil {
			w, err := e.where(r)
			if err != nil {
				return false, err
			}
			if t, err = truth(w); err != nil {
				return false, placed(err, e.at)
			}
		}
		if err := f(t); err != nil {
			return false, err
		}
	}
	return false, nil
}

func (c *compiler) comprehension(e *ast.ListComp, s plan.Scope) (eval, error) {
	items, inner, err := c.elements(e.At, e.Var, e.List, e.Where, s)
	if err != nil {
		return nil, err
	}
	result := func(r *run) (value.Value, error) { return r.frame[items.slot], nil }
	if e.Map != nil {
		if result, err = c.expr(e.Map, inner); err != nil {
			return nil, err
		}
	}
	return func(r *run) (value.Value, error) {
		out := &gathered{list: value.List{}}
		null, err := items.each(r, func(t value.Truth) error {
			if t != value.True {
				return nil
			}
			v, err := result(r)
			if err != nil {
				return err
			}
			return out.add(r, v)
		})
		r.let(out.held)
		if err != nil || null {
			return nil, placed(err, e.At)
		}
		return out.list, nil
	}, nil
}

// gathered is a list that grows, counted while it does.
type gathered struct {
	list value.List
	held int64
}

func (g *gathered) add(r *run, v value.Value) error {
	size, err := r.weigh(v)
	if err != nil {
		return err
	}
	g.held += size
	g.list = append(g.list, v)
	return r.hold(size)
}

func (c *compiler) quantifier(e *ast.Quantifier, s plan.Scope) (eval, error) {
	items, _, err := c.elements(e.At, e.Var, e.List, e.Where, s)
	if err != nil {
		return nil, err
	}
	return func(r *run) (value.Value, error) {
		var count [3]int // false, unknown, true
		null, err := items.each(r, func(t value.Truth) error {
			count[t+1]++
			return nil
		})
		if err != nil || null {
			return nil, err
		}
		return quantified(e.Kind, count[0], count[1], count[2]).Value(), nil
	}, nil
}

// quantified is the answer, given how many elements meet the condition, do not,
// and might.
func quantified(kind string, no, maybe, yes int) value.Truth {
	decide := func(sure bool, answer value.Truth) value.Truth {
		switch {
		case sure:
			return answer
		case maybe > 0:
			return value.Unknown
		}
		return answer.Not()
	}
	switch kind {
	case "all":
		return decide(no > 0, value.False)
	case "any":
		return decide(yes > 0, value.True)
	case "none":
		return decide(yes > 0, value.False)
	}
	if yes > 1 { // single
		return value.False
	}
	return decide(yes == 1 && maybe == 0, value.True)
}

func (c *compiler) reduce(e *ast.Reduce, s plan.Scope) (eval, error) {
	init, err := c.expr(e.Init, s)
	if err != nil {
		return nil, err
	}
	items, inner, err := c.elements(e.At, e.Var, e.List, nil, s)
	if err != nil {
		return nil, err
	}
	inner, acc := c.local(e.Acc, inner)
	step, err := c.expr(e.Step, inner)
	if err != nil {
		return nil, err
	}
	return func(r *run) (value.Value, error) {
		start, err := init(r)
		if err != nil {
			return nil, err
		}
		r.frame[acc] = start
		null, err := items.each(r, func(value.Truth) error {
			v, err := step(r)
			r.frame[acc] = v
			return err
		})
		if err != nil || null {
			return nil, err
		}
		return r.frame[acc], nil
	}, nil
}
