package exec

import (
	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/plan"
	"cassini/manager/cypher/temporal"
	"cassini/manager/cypher/value"
)

// property is X.key.
func property(key string) func(*run, value.Value) (value.Value, error) {
	return func(_ *run, v value.Value) (value.Value, error) { return get(v, key) }
}

func get(v value.Value, key string) (value.Value, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case *value.Node:
		return v.Properties()[key], nil
	case *value.Relationship:
		return v.Properties()[key], nil
	case value.Map:
		return v[key], nil
	}
	if temporal.Is(v) {
		field, ok := temporal.Field(v, key)
		if !ok {
			return nil, nil
		}
		return field, nil
	}
	return nil, issue.Raise(issue.Type, "PropertyAccessOnNonMap", "%s has no properties such as .%s", value.Described(v), key)
}

// index is X[i].
func index(_ *run, v, i value.Value) (value.Value, error) {
	list, isList := v.(value.List)
	if !isList {
		return byName(v, i)
	}
	switch i := i.(type) {
	case nil:
		return nil, nil
	case int64:
		if i < 0 {
			i += int64(len(list))
		}
		if i < 0 || i >= int64(len(list)) {
			return nil, nil
		}
		return list[i], nil
	}
	return nil, issue.Raise(issue.Type, "ListElementAccessByNonInteger", "the index of a list is an integer, not %s", value.Described(i))
}

func byName(v, i value.Value) (value.Value, error) {
	switch v.(type) {
	case nil:
		return nil, nil
	case value.Map, *value.Node, *value.Relationship:
	default:
		return nil, issue.Raise(issue.Type, "InvalidArgumentType", "%s has no elements", value.Described(v))
	}
	switch i := i.(type) {
	case nil:
		return nil, nil
	case string:
		return get(v, i)
	}
	return nil, issue.Raise(issue.Type, "MapElementAccessByNonString", "the index of a map is a string, not %s", value.Described(i))
}

func (c *compiler) slice(e *ast.Slice, s plan.Scope) (eval, error) {
	x, err := c.expr(e.X, s)
	if err != nil {
		return nil, err
	}
	var ends [2]eval
	for i, end := range []ast.Expr{e.From, e.To} {
		if end == nil {
			continue
		}
		if ends[i], err = c.expr(end, s); err != nil {
			return nil, err
		}
	}
	return func(r *run) (value.Value, error) {
		v, err := x(r)
		if err != nil || v == nil {
			return nil, err
		}
		list, ok := v.(value.List)
		if !ok {
			return nil, placed(issue.Raise(issue.Type, "InvalidArgumentType", "%s has no parts", value.Described(v)), e.At)
		}
		from, to, ok, err := limits(r, ends, len(list), e.At)
		if err != nil || !ok {
			return nil, err
		}
		return list[from:max(from, to)], nil
	}, nil
}

// limits computes the ends of a slice; ok is false if one of them is null.
func limits(r *run, ends [2]eval, length int, at ast.Pos) (from, to int, ok bool, err error) {
	out := [2]int{0, length}
	for i, end := range ends {
		if end == nil {
			continue
		}
		v, err := end(r)
		if err != nil || v == nil {
			return 0, 0, false, err
		}
		n, isInt := v.(int64)
		if !isInt {
			return 0, 0, false, placed(issue.Raise(issue.Type, "InvalidArgumentType", "the end of a part of a list is an integer, not %s", value.Described(v)), at)
		}
		if n < 0 {
			n += int64(length)
		}
		out[i] = int(min(max(n, 0), int64(length)))
	}
	return out[0], out[1], true, nil
}

// labels compiles a condition on labels or types.
func (c *compiler) labels(e *ast.HasLabels, s plan.Scope) (eval, error) {
	is := e.Is
	if is == nil {
		is = &ast.Labels{Op: "&"}
		for _, l := range e.Labels {
			is.Of = append(is.Of, &ast.Labels{Name: l})
		}
	}
	labels, types := c.own(is, c.graph.Label), c.own(is, c.graph.Type)
	return c.one(e.At, e.X, s, func(_ *run, v value.Value) (value.Value, error) {
		switch v := v.(type) {
		case nil:
			return nil, nil
		case *value.Node:
			return labels.Meets(func(name string) bool { return has(v.Labels, name) || name == "" && len(v.Labels) > 0 }), nil
		case *value.Relationship:
			return types.Meets(func(name string) bool { return v.Type == name || name == "" }), nil
		}
		return nil, issue.Raise(issue.Type, "InvalidArgumentValue", "%s has no labels", value.Described(v))
	})
}

// own is a condition in the graph's own names.
func (c *compiler) own(l *ast.Labels, name func(string) string) *ast.Labels {
	out := &ast.Labels{Op: l.Op, Name: l.Name}
	if l.Op == "" {
		out.Name = name(l.Name)
	}
	for _, part := range l.Of {
		out.Of = append(out.Of, c.own(part, name))
	}
	return out
}

func has(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}
