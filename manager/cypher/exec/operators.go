package exec

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"

	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/plan"
	"cassini/manager/cypher/value"
)

func (c *compiler) unary(e *ast.Unary, s plan.Scope) (eval, error) {
	switch e.Op {
	case "NOT":
		return c.one(e.At, e.X, s, func(_ *run, v value.Value) (value.Value, error) {
			t, err := truth(v)
			return t.Not().Value(), err
		})
	case "-":
		return c.one(e.At, e.X, s, func(_ *run, v value.Value) (value.Value, error) { return negate(v) })
	}
	return c.one(e.At, e.X, s, func(_ *run, v value.Value) (value.Value, error) { return plus(v) })
}

// truth is a value as a condition.
func truth(v value.Value) (value.Truth, error) {
	t, ok := value.TruthOf(v)
	if !ok {
		return t, issue.Raise(issue.Type, "InvalidArgumentType", "%s is no condition", value.Described(v))
	}
	return t, nil
}

func (c *compiler) binary(e *ast.Binary, s plan.Scope) (eval, error) {
	switch e.Op {
	case "AND":
		return c.logical(e, s, value.False, func(a, b value.Truth) value.Truth { return min(a, b) })
	case "OR":
		return c.logical(e, s, value.True, func(a, b value.Truth) value.Truth { return max(a, b) })
	case "XOR":
		return c.logical(e, s, 2, func(a, b value.Truth) value.Truth { return -a * b })
	case "IN":
		return c.two(e.At, e.L, e.R, s, in)
	case "STARTS WITH":
		return c.two(e.At, e.L, e.R, s, onTexts(strings.HasPrefix))
	case "ENDS WITH":
		return c.two(e.At, e.L, e.R, s, onTexts(strings.HasSuffix))
	case "CONTAINS":
		return c.two(e.At, e.L, e.R, s, onTexts(strings.Contains))
	case "=~":
		return c.pattern(e, s)
	}
	f := arithmetic(e.Op)
	return c.two(e.At, e.L, e.R, s, f)
}

// logical does not look at the right side where the left one decides.
func (c *compiler) logical(e *ast.Binary, s plan.Scope, decided value.Truth, join func(a, b value.Truth) value.Truth) (eval, error) {
	left, err := c.expr(e.L, s)
	if err != nil {
		return nil, err
	}
	right, err := c.expr(e.R, s)
	if err != nil {
		return nil, err
	}
	side := func(r *run, f eval) (value.Truth, error) {
		v, err := f(r)
		if err != nil {
			return 0, err
		}
		t, err := truth(v)
		return t, placed(err, e.At)
	}
	return func(r *run) (value.Value, error) {
		a, err := side(r, left)
		if err != nil || a == decided {
			return a.Value(), err
		}
		b, err := side(r, right)
		return join(a, b).Value(), err
	}, nil
}

func in(r *run, v, list value.Value) (value.Value, error) {
	switch list := list.(type) {
	case nil:
		return nil, nil
	case value.List:
		if err := r.ticks(len(list)); err != nil {
			return nil, err
		}
		return value.In(v, list).Value(), nil
	}
	return nil, issue.Raise(issue.Type, "InvalidArgumentType", "IN wants a list, not %s", value.Described(list))
}

// onTexts is null for what is no text.
func onTexts(f func(s, part string) bool) func(*run, value.Value, value.Value) (value.Value, error) {
	return func(_ *run, a, b value.Value) (value.Value, error) {
		s, ok := a.(string)
		part, ok2 := b.(string)
		if !ok || !ok2 {
			return nil, nil
		}
		return f(s, part), nil
	}
}

// pattern is =~ with a regular expression that must match the whole text. One that
// is constant is compiled once.
func (c *compiler) pattern(e *ast.Binary, s plan.Scope) (eval, error) {
	var last *regexp.Regexp
	var text string
	return c.two(e.At, e.L, e.R, s, func(_ *run, a, b value.Value) (value.Value, error) {
		v, ok := a.(string)
		p, ok2 := b.(string)
		if !ok || !ok2 {
			return nil, nil
		}
		if last == nil || text != p {
			re, err := wholeText(p)
			if err != nil {
				return nil, err
			}
			last, text = re, p
		}
		return last.MatchString(v), nil
	})
}

// wholeText compiles a regular expression that must match the whole of a text.
func wholeText(p string) (*regexp.Regexp, error) {
	_, err := syntax.Parse(p, syntax.Perl) // by itself, so that what is around it cannot make it right
	var re *regexp.Regexp
	if err == nil {
		re, err = regexp.Compile("^(?:" + p + ")$")
	}
	if err == nil {
		return re, nil
	}
	e := issue.Raise(issue.Argument, "InvalidRegularExpression", "%q is no regular expression", p)
	if why, ok := errors.AsType[*syntax.Error](err); ok {
		e.Message += ": " + why.Code.String()
	}
	return nil, e.WithHint("the syntax is that of RE2: (?i) ignores case, and there is no looking ahead or behind")
}

// compare compiles a chain of comparisons: all of them must hold.
func (c *compiler) compare(e *ast.Compare, s plan.Scope) (eval, error) {
	first, err := c.expr(e.First, s)
	if err != nil {
		return nil, err
	}
	rest, err := c.list(e.Rest, s)
	if err != nil {
		return nil, err
	}
	ops := e.Ops
	return func(r *run) (value.Value, error) {
		left, err := first(r)
		if err != nil {
			return nil, err
		}
		answer := value.True
		for i, f := range rest {
			right, err := f(r)
			if err != nil {
				return nil, err
			}
			if answer = min(answer, compareValues(ops[i], left, right)); answer == value.False {
				return false, nil
			}
			left = right
		}
		return answer.Value(), nil
	}, nil
}

func compareValues(op string, a, b value.Value) value.Truth {
	switch op {
	case "=":
		return value.Equal(a, b)
	case "<>":
		return value.Equal(a, b).Not()
	}
	order, known := value.Compare(a, b)
	if known != value.True {
		return known
	}
	holds := false
	switch op {
	case "<":
		holds = order < 0
	case "<=":
		holds = order <= 0
	case ">":
		holds = order > 0
	case ">=":
		holds = order >= 0
	}
	if holds {
		return value.True
	}
	return value.False
}
