package functions

import (
	"strconv"
	"unicode/utf8"

	"cassini/manager/cypher/types"
	"cassini/manager/cypher/value"
)

// scalars are functions on nodes, relationships and single values.
func scalars() []Func {
	str, integer := types.Of(types.String), types.Of(types.Integer)
	return []Func{
		{Name: "coalesce", Min: 1, Max: -1, Args: []types.Kinds{types.Anything}, Result: types.Any(), Nulls: true, Eval: coalesce},
		one("id", types.Entity, types.Of(types.Integer|types.String), id),
		one("elementId", types.Entity, str, func(v value.Value) (value.Value, error) {
			switch v := v.(type) {
			case *value.Node:
				return v.Name, nil
			case *value.Relationship:
				return v.Name, nil
			}
			return nil, wrong("elementId", v)
		}),
		one("startNode", types.Relationship, types.Of(types.Node), relationship("startNode", func(r *value.Relationship) value.Value { return r.Start })),
		one("endNode", types.Relationship, types.Of(types.Node), relationship("endNode", func(r *value.Relationship) value.Value { return r.End })),
		one("type", types.Relationship, str, relationship("type", func(r *value.Relationship) value.Value { return r.Type })),
		one("properties", types.Entity|types.Map, types.Of(types.Map), properties),
		one("exists", types.Anything, types.Of(types.Boolean), func(value.Value) (value.Value, error) { return true, nil }).withNulls(func(_ *Env, args []value.Value) (value.Value, error) {
			return args[0] != nil, nil
		}),
		one("length", types.Path, integer, func(v value.Value) (value.Value, error) {
			if p, ok := v.(*value.Path); ok {
				return int64(len(p.Relationships)), nil
			}
			return nil, wrong("length", v)
		}),
		one("size", types.List|types.String|types.Map, integer, size),
		one("isEmpty", types.List|types.String|types.Map, types.Of(types.Boolean), func(v value.Value) (value.Value, error) {
			n, err := size(v)
			return n == int64(0), err
		}),
		{Name: "timestamp", Result: integer, Eval: func(env *Env, _ []value.Value) (value.Value, error) {
			return env.Now.Time().UnixMilli(), nil
		}},
	}
}

// id is the number of a node or relationship, or in a graph that names them its
// name.
func id(v value.Value) (value.Value, error) {
	number, name := int64(0), ""
	switch v := v.(type) {
	case *value.Node:
		number, name = v.ID, v.Name
	case *value.Relationship:
		number, name = v.ID, v.Name
	default:
		return nil, wrong("id", v)
	}
	if name == strconv.FormatInt(number, 10) {
		return number, nil
	}
	return name, nil
}

// withNulls makes a function take null arguments.
func (f Func) withNulls(eval func(*Env, []value.Value) (value.Value, error)) Func {
	f.Nulls, f.Eval = true, eval
	return f
}

func coalesce(_ *Env, args []value.Value) (value.Value, error) {
	for _, v := range args {
		if v != nil {
			return v, nil
		}
	}
	return nil, nil
}

func relationship(name string, get func(*value.Relationship) value.Value) func(value.Value) (value.Value, error) {
	return func(v value.Value) (value.Value, error) {
		if r, ok := v.(*value.Relationship); ok {
			return get(r), nil
		}
		return nil, wrong(name, v)
	}
}

func properties(v value.Value) (value.Value, error) {
	switch v := v.(type) {
	case *value.Node:
		return emptyIfNil(v.Properties()), nil
	case *value.Relationship:
		return emptyIfNil(v.Properties()), nil
	case value.Map:
		return v, nil
	}
	return nil, wrong("properties", v)
}

func emptyIfNil(m value.Map) value.Map {
	if m == nil {
		return value.Map{}
	}
	return m
}

func size(v value.Value) (value.Value, error) {
	switch v := v.(type) {
	case value.List:
		return int64(len(v)), nil
	case value.Map:
		return int64(len(v)), nil
	case string:
		return int64(utf8.RuneCountInString(v)), nil
	}
	return nil, wrong("size", v)
}
