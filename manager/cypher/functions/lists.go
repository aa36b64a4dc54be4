package functions

import (
	"slices"

	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/types"
	"cassini/manager/cypher/value"
)

// lists are functions on lists and on what has lists in it.
func lists() []Func {
	texts := types.ListOf(types.Of(types.String))
	return []Func{
		one("head", types.List, types.Any(), element("head", func(n int) int { return 0 })),
		one("last", types.List, types.Any(), element("last", func(n int) int { return n - 1 })),
		one("tail", types.List, types.Of(types.List), func(v value.Value) (value.Value, error) {
			l, ok := v.(value.List)
			if !ok {
				return nil, wrong("tail", v)
			}
			return l[min(1, len(l)):], nil
		}),
		one("reverse", types.List|types.String, types.Of(types.List|types.String), reverse),
		one("keys", types.Entity|types.Map, texts, keys),
		one("labels", types.Node, texts, func(v value.Value) (value.Value, error) {
			n, ok := v.(*value.Node)
			if !ok {
				return nil, wrong("labels", v)
			}
			return textList(n.Labels), nil
		}),
		one("nodes", types.Path, types.ListOf(types.Of(types.Node)), func(v value.Value) (value.Value, error) {
			p, ok := v.(*value.Path)
			if !ok {
				return nil, wrong("nodes", v)
			}
			return asList(p.Nodes), nil
		}),
		one("relationships", types.Path, types.ListOf(types.Of(types.Relationship)), relationships),
		one("rels", types.Path, types.ListOf(types.Of(types.Relationship)), relationships),
		{Name: "range", Min: 2, Max: 3, Args: []types.Kinds{types.Anything}, Result: types.ListOf(types.Of(types.Integer)), Nulls: true, Eval: rangeList},
	}
}

func element(name string, at func(n int) int) func(value.Value) (value.Value, error) {
	return func(v value.Value) (value.Value, error) {
		l, ok := v.(value.List)
		switch {
		case !ok:
			return nil, wrong(name, v)
		case len(l) == 0:
			return nil, nil
		}
		return l[at(len(l))], nil
	}
}

func reverse(v value.Value) (value.Value, error) {
	switch v := v.(type) {
	case value.List:
		l := slices.Clone(v)
		slices.Reverse(l)
		return l, nil
	case string:
		r := []rune(v)
		slices.Reverse(r)
		return string(r), nil
	}
	return nil, wrong("reverse", v)
}

func keys(v value.Value) (value.Value, error) {
	m, err := properties(v)
	if err != nil {
		return nil, wrong("keys", v)
	}
	return textList(value.Names(m.(value.Map))), nil
}

func textList(texts []string) value.List { return asList(texts) }

func asList[T any](items []T) value.List {
	l := make(value.List, len(items))
	for i, e := range items {
		l[i] = e
	}
	return l
}

func relationships(v value.Value) (value.Value, error) {
	p, ok := v.(*value.Path)
	if !ok {
		return nil, wrong("relationships", v)
	}
	return asList(p.Relationships), nil
}

// rangeList counts from one number to another, both included.
func rangeList(env *Env, args []value.Value) (value.Value, error) {
	n := [3]int64{0, 0, 1}
	for i, a := range args {
		var ok bool
		if n[i], ok = a.(int64); !ok {
			return nil, issue.Raise(issue.Argument, "InvalidArgumentType", "range() wants integers, not %s", value.Described(a))
		}
	}
	start, end, step := n[0], n[1], n[2]
	if step == 0 {
		return nil, issue.Raise(issue.Argument, "NumberOutOfRange", "range() cannot count in steps of 0")
	}
	if step > 0 && start > end || step < 0 && start < end {
		return value.List{}, nil
	}
	count := (uint64(end)-uint64(start))/uint64(step) + 1
	if step < 0 {
		count = (uint64(start)-uint64(end))/-uint64(step) + 1
	}
	if count == 0 || count > uint64(env.MaxSize)/16 {
		return nil, issue.Raise(issue.Limit, "MemoryLimit", "range() would have too many elements for the memory that a query may use")
	}
	l := make(value.List, count)
	for i := range l {
		l[i] = start + int64(i)*step
	}
	return l, nil
}
