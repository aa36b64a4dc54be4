// Package functions is the language's functions by name: how many arguments each
// takes, of which types, and what it answers. All are pure but for the clock and
// the dice, which come from outside.
package functions

import (
	"strings"

	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/temporal"
	"cassini/manager/cypher/types"
	"cassini/manager/cypher/value"
)

// Env is what a function may know of the query that runs.
type Env struct {
	Now     temporal.DateTime // when the query began
	Rand    func() float64
	MaxSize int64 // of one value, in bytes
}

// Func is one function.
type Func struct {
	Name     string
	Min, Max int           // arguments; Max is -1 without an end
	Args     []types.Kinds // that can be right; the last stands for all that follow
	Result   types.Type
	Volatile bool // answers something else each time
	// Nulls says that null arguments are given to Eval; otherwise the answer is
	// null if one of them is.
	Nulls bool
	Eval  func(env *Env, args []value.Value) (value.Value, error)
}

// Aggregate is a function over many rows.
type Aggregate struct {
	Name   string
	Args   int
	Result types.Type
}

// Lookup finds a function by its name, in whatever case.
func Lookup(name string) (Func, bool) {
	f, ok := byName[strings.ToLower(name)]
	return f, ok
}

// LookupAggregate finds an aggregating function by its name, in whatever case.
func LookupAggregate(name string) (Aggregate, bool) {
	a, ok := aggregates[strings.ToLower(name)]
	return a, ok
}

// Names are all functions, in no order.
func Names() (names []string) {
	for _, f := range byName {
		names = append(names, f.Name)
	}
	for _, a := range aggregates {
		names = append(names, a.Name)
	}
	return names
}

// byName and aggregates are made once and never changed.
var (
	byName     = index(scalars(), lists(), maths(), texts(), conversions(), temporals())
	aggregates = map[string]Aggregate{
		"count":          {"count", 1, types.Of(types.Integer)},
		"sum":            {"sum", 1, types.Of(types.Number | types.Duration)},
		"avg":            {"avg", 1, types.Of(types.Number | types.Duration)},
		"min":            {"min", 1, types.Any()},
		"max":            {"max", 1, types.Any()},
		"collect":        {"collect", 1, types.Of(types.List)},
		"stdev":          {"stDev", 1, types.Of(types.Float)},
		"stdevp":         {"stDevP", 1, types.Of(types.Float)},
		"percentilecont": {"percentileCont", 2, types.Of(types.Float)},
		"percentiledisc": {"percentileDisc", 2, types.Of(types.Number)},
	}
)

func index(groups ...[]Func) map[string]Func {
	m := make(map[string]Func)
	for _, g := range groups {
		for _, f := range g {
			m[strings.ToLower(f.Name)] = f
		}
	}
	return m
}

// wrong says that an argument is of a type that the function cannot use.
func wrong(name string, v value.Value) error {
	return issue.Raise(issue.Type, "InvalidArgumentValue", "%s() cannot use %s", name, value.Described(v))
}

// one makes a function of one argument.
func one(name string, arg types.Kinds, result types.Type, eval func(v value.Value) (value.Value, error)) Func {
	return Func{Name: name, Min: 1, Max: 1, Args: []types.Kinds{arg}, Result: result,
		Eval: func(_ *Env, args []value.Value) (value.Value, error) { return eval(args[0]) }}
}
