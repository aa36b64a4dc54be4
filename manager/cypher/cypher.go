// Package cypher answers questions about a graph in a subset of openCypher that
// only reads. Compile makes a query of a text; Run runs it on a graph of one
// moment, within limits. The way of a query:
//
//	token -> parser -> ast -> check -> plan -> exec
//
// with value (and temporal) for what rows hold, functions for what expressions
// call, source for what is wanted of a graph, and issue for what can be wrong.
package cypher

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/check"
	"cassini/manager/cypher/exec"
	"cassini/manager/cypher/functions"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/parser"
	"cassini/manager/cypher/plan"
	"cassini/manager/cypher/source"
	"cassini/manager/cypher/temporal"
	"cassini/manager/cypher/value"
)

// Limits bound a run. Zero values mean the defaults.
type Limits struct {
	Time   time.Duration
	Rows   int   // of the answer
	Memory int64 // bytes that rows hold at one time, about
}

// Default limits.
const (
	DefaultTime   = 10 * time.Second
	DefaultRows   = 100_000
	DefaultMemory = 64 << 20
)

func (l Limits) orDefaults() Limits {
	if l.Time <= 0 {
		l.Time = DefaultTime
	}
	if l.Rows <= 0 {
		l.Rows = DefaultRows
	}
	if l.Memory <= 0 {
		l.Memory = DefaultMemory
	}
	return l
}

// Query is a query that was found to be right. It is safe for concurrent use.
type Query struct {
	tree    *ast.Query
	columns []string
}

// Compile reads a query and checks it. Its errors are *issue.Error.
func Compile(text string) (*Query, error) {
	tree, err := parser.Parse(text)
	if err != nil {
		return nil, err
	}
	columns, err := check.Query(tree)
	if err != nil {
		return nil, err
	}
	return &Query{tree, columns}, nil
}

// Columns are the names of the answer's columns.
func (q *Query) Columns() []string { return slices.Clone(q.columns) }

// Params are the names of the parameters that the query wants.
func (q *Query) Params() []string { return slices.Clone(q.tree.Params) }

// Options are what a run may be given.
type Options struct {
	Params map[string]any // values as value.From takes them
	Limits Limits
	Now    time.Time      // what date(), datetime() and the like answer; zero is the clock
	Rand   func() float64 // what rand() answers; nil is math/rand/v2
}

// Result is an answer.
type Result struct {
	Columns []string
	Rows    [][]value.Value
	Notes   []string // what may be wrong with the query, though it was answered
}

// Run runs the query. With EXPLAIN it answers how it would. Its errors are
// *issue.Error, or the context's.
func (q *Query) Run(ctx context.Context, g source.Graph, o Options) (result Result, err error) {
	defer func() {
		if p := recover(); p != nil { // a mistake of ours must not end the process
			result, err = Result{}, issue.Raise("InternalError", "Panic", "the query engine failed: %v", p).WithHint("please report it with the query")
		}
	}()
	params, err := q.parameters(o.Params)
	if err != nil {
		return Result{}, err
	}
	limits := o.Limits.orDefaults()
	planner := &plan.Planner{Graph: g}
	p := planner.Query(q.tree, q.columns, nil)
	if q.tree.Explain {
		out := explain(p)
		out.Notes = planner.Notes()
		return out, nil
	}
	ctx, cancel := context.WithTimeout(ctx, limits.Time)
	defer cancel()
	rows, err := exec.Execute(ctx, exec.Job{Planner: planner, Plan: p, Graph: g, Params: params,
		Env: environment(o, limits), Limits: exec.Limits{Rows: limits.Rows, Memory: limits.Memory}})
	if err != nil {
		return Result{}, err
	}
	return Result{Columns: q.Columns(), Rows: rows, Notes: planner.Notes()}, nil
}

func environment(o Options, limits Limits) *functions.Env {
	env := &functions.Env{Now: temporal.FromTime(o.Now.UTC()), Rand: o.Rand, MaxSize: limits.Memory}
	if o.Now.IsZero() {
		env.Now = temporal.FromTime(time.Now().UTC())
	}
	if env.Rand == nil {
		env.Rand = rand.Float64
	}
	return env
}

// parameters makes values of parameters; those that the query has must be given.
func (q *Query) parameters(given map[string]any) (map[string]value.Value, error) {
	params := make(map[string]value.Value, len(q.tree.Params))
	for _, name := range q.tree.Params {
		v, ok := given[name]
		if !ok {
			return nil, issue.Raise(issue.Parameter, "MissingParameter", "the parameter $%s is not given", name).WithHint("the query wants: $%s", strings.Join(q.tree.Params, ", $"))
		}
		var err error
		if params[name], err = value.From(v); err != nil {
			return nil, issue.Raise(issue.Parameter, "InvalidParameter", "the parameter $%s: %v", name, err)
		}
	}
	return params, nil
}

// explain is the answer to EXPLAIN: one row for each operator.
func explain(p plan.Plan) Result {
	out := Result{Columns: []string{"operator", "detail", "rows"}}
	for _, s := range p.Explain() {
		var rows value.Value
		if s.Rows >= 0 {
			rows = fmt.Sprintf("~%.3g", s.Rows)
		}
		out.Rows = append(out.Rows, []value.Value{strings.Repeat("  ", s.Depth) + s.Operator, s.Detail, rows})
	}
	return out
}
