package exec

import (
	"errors"

	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/plan"
	"cassini/manager/cypher/value"
)

// calling hands rows to a function.
type calling struct{ f func() error }

func (s calling) push() error  { return s.f() }
func (s calling) close() error { return nil }

// exists compiles a pattern or a query that is a condition: is there a row? With
// Count it is how many there are.
func (c *compiler) exists(e *ast.Exists, s plan.Scope) (eval, error) {
	var chains []chain
	if e.Query != nil {
		for _, part := range c.planner.Query(e.Query, nil, s).Parts {
			inner, err := c.chain(part.Ops)
			if err != nil {
				return nil, err
			}
			chains = append(chains, inner)
		}
	} else {
		ops, _ := c.planner.Match(e.Match, s)
		inner, err := c.chain(ops)
		if err != nil {
			return nil, err
		}
		chains = append(chains, inner)
	}
	return func(r *run) (value.Value, error) {
		found := int64(0)
		for _, inner := range chains {
			err := drive(inner.start(r, calling{func() error {
				if found++; e.Count {
					return nil
				}
				return errStop
			}}))
			if err != nil {
				return nil, err
			}
			if found > 0 && !e.Count {
				return true, nil
			}
		}
		if e.Count {
			return found, nil
		}
		return false, nil
	}, nil
}

func (c *compiler) patternComprehension(e *ast.PatternComp, s plan.Scope) (eval, error) {
	ops, inner := c.planner.Match(&ast.Match{At: e.At, Patterns: []*ast.Pattern{e.Pattern}, Where: e.Where}, s)
	match, err := c.chain(ops)
	if err != nil {
		return nil, err
	}
	result, err := c.expr(e.Map, inner)
	if err != nil {
		return nil, err
	}
	return func(r *run) (value.Value, error) {
		out := &gathered{list: value.List{}}
		err := match.start(r, calling{func() error {
			v, err := result(r)
			if err != nil {
				return err
			}
			return out.add(r, v)
		}}).push()
		r.let(out.held)
		if err != nil && !errors.Is(err, errStop) {
			return nil, placed(err, e.At)
		}
		return out.list, nil
	}, nil
}
