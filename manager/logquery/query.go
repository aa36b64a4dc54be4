package logquery

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
)

// Question is what is asked, as it was written. Lists have commas between their items.
type Question struct {
	Events  bool   // ask events instead of documents
	Where   string // which records; "" is all
	GroupBy string // expressions
	// Aggregate is a list of count, sum(x), avg(x), min(x), max(x) and p50(x), p99.9(x), ...
	Aggregate string
	Weight    string // of each record in averages; "" is 1
	Columns   string // expressions, when nothing is grouped
	Sort      string // titles of columns, with - before those that descend
	Limit     int    // rows of the answer
}

// Query is a question that was found good. It is safe for concurrent use.
type Query struct {
	question   Question
	where      cel.Program // nil takes all
	weight     cel.Program // nil is 1
	groups     []column
	aggregates []aggregate
	columns    []column
	sort       []order
}

// column is an expression under its title.
type column struct {
	title   string
	program cel.Program
}

// aggregate is what is worked out of an expression over many records.
type aggregate struct {
	column
	of         string  // count, sum, avg, min, max or p
	percentile float64 // of p
}

// order is one column to sort by.
type order struct {
	index int
	down  bool
}

// Compile checks a question. Errors are *Error.
func Compile(q Question) (*Query, error) {
	vars := documentVariables()
	if q.Events {
		vars = eventVariables()
	}
	c, err := newCompiler(vars, !q.Events)
	if err != nil {
		return nil, err
	}
	out := &Query{question: q}
	if err := out.compileWhere(c); err != nil {
		return nil, err
	}
	if out.groups, err = c.columns("group_by", q.GroupBy); err != nil {
		return nil, err
	}
	if err := out.compileAggregates(c); err != nil {
		return nil, err
	}
	if err := out.compileColumns(c); err != nil {
		return nil, err
	}
	out.sort, err = out.compileSort()
	return out, err
}

func (q *Query) compileWhere(c *compiler) error {
	if strings.TrimSpace(q.question.Where) == "" {
		return nil
	}
	// Not a field: a name alone is no condition.
	filter := &compiler{env: c.env, vars: c.vars}
	program, of, err := filter.compile("where", item{q.question.Where, 0})
	if e, ok := err.(*Error); ok && c.fields { //nolint:errorlint // compile wraps nothing
		if name, found := strings.CutPrefix(e.Detail, "undeclared reference to "); found {
			e.Hint = c.meant(strings.Trim(name, "'"))
		}
		return e
	}
	if err != nil {
		return err
	}
	if k := of.Kind(); k != types.BoolKind && k != types.DynKind {
		return &Error{Field: "where", Line: 1, Column: 1, Detail: fmt.Sprintf("the expression is of type %s, not true or false", of), Hint: "compare it with something: =="}
	}
	q.where = program
	return nil
}

// columns compiles a list of expressions.
func (c *compiler) columns(field, text string) ([]column, error) {
	items := list(text)
	if len(items) > maxListItems {
		return nil, &Error{Field: field, Detail: fmt.Sprintf("there are %d expressions, %d are allowed", len(items), maxListItems)}
	}
	out := make([]column, 0, len(items))
	for _, it := range items {
		program, _, err := c.compile(field, it)
		if err != nil {
			return nil, shifted(err, text, it.at)
		}
		out = append(out, column{it.text, program})
	}
	return out, nil
}

// shifted moves the place of an error in an item to its place in the list.
func shifted(err error, text string, at int) error {
	e, ok := err.(*Error) //nolint:errorlint // compile wraps nothing
	if !ok || e.Column == 0 {
		return err
	}
	before := text[:at]
	if e.Line == 1 {
		e.Column += len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))
	}
	e.Line += strings.Count(before, "\n")
	return e
}

func (q *Query) compileAggregates(c *compiler) error {
	text := q.question.Aggregate
	items := list(text)
	if len(items) > maxListItems {
		return &Error{Field: "aggregate", Detail: fmt.Sprintf("there are %d, %d are allowed", len(items), maxListItems)}
	}
	for _, it := range items {
		a, err := c.aggregate(it)
		if err != nil {
			return shifted(err, text, it.at)
		}
		q.aggregates = append(q.aggregates, a)
	}
	if len(q.groups) > 0 && len(q.aggregates) == 0 {
		q.aggregates = []aggregate{{column: column{title: "count"}, of: "count"}}
	}
	if strings.TrimSpace(q.question.Weight) == "" {
		return nil
	}
	if !slices.ContainsFunc(q.aggregates, func(a aggregate) bool { return a.of == "avg" }) {
		return &Error{Field: "weight", Detail: "there is no average to weigh", Hint: "add avg(...), or leave out the weight"}
	}
	var err error
	q.weight, _, err = c.compile("weight", item{strings.TrimSpace(q.question.Weight), 0})
	return err
}

// aggregate compiles one of them: NAME(EXPRESSION), or count alone.
func (c *compiler) aggregate(it item) (aggregate, error) {
	wrong := func(detail string) error {
		return &Error{Field: "aggregate", Line: 1, Column: 1, Detail: detail, Hint: "there are count, sum(x), avg(x), min(x), max(x) and percentiles such as p50(x), p99.9(x)"}
	}
	name, rest, open := strings.Cut(it.text, "(")
	name = strings.TrimSpace(name)
	inner, closed := strings.CutSuffix(rest, ")")
	a := aggregate{column: column{title: it.text}, of: name}
	if p, ok := strings.CutPrefix(name, "p"); ok {
		n, err := strconv.ParseFloat(p, 64)
		if err != nil || !(n > 0 && n <= 100) || strings.ContainsAny(p, "xXeEpP+_") {
			return a, wrong(fmt.Sprintf("%q is no percentile", name))
		}
		a.of, a.percentile = "p", n
	} else if !slices.Contains([]string{"count", "sum", "avg", "min", "max"}, name) {
		return a, wrong(fmt.Sprintf("%q is not known", name))
	}
	empty := strings.TrimSpace(inner) == ""
	switch {
	case open && !closed:
		return a, wrong(fmt.Sprintf("%q has no closing parenthesis at its end", it.text))
	case empty && a.of != "count":
		return a, wrong(fmt.Sprintf("%s of what?", name))
	case empty:
		return a, nil
	}
	at := strings.IndexByte(it.text, '(') + 1
	trimmed := strings.TrimLeft(inner, " \t\r\n")
	at += len(inner) - len(trimmed)
	program, _, err := c.compile("aggregate", item{strings.TrimRight(trimmed, " \t\r\n"), 0})
	if err != nil {
		return a, shifted(err, it.text, at)
	}
	a.program = program
	return a, nil
}

func (q *Query) compileColumns(c *compiler) error {
	text := q.question.Columns
	if q.grouped() {
		if strings.TrimSpace(text) != "" {
			return &Error{Field: "columns", Detail: "columns are of single records, and groups are asked for", Hint: "leave out one of the two"}
		}
		return nil
	}
	if strings.TrimSpace(text) == "" {
		text = "received, package, host, key, body"
		if q.question.Events {
			text = "time, kind, node, summary"
		}
	}
	var err error
	q.columns, err = c.columns("columns", text)
	return err
}

func (q *Query) grouped() bool { return len(q.groups) > 0 || len(q.aggregates) > 0 }

// titles are the columns of the answer.
func (q *Query) titles() (titles []string) {
	for _, c := range slices.Concat(q.groups, q.columns) {
		titles = append(titles, c.title)
	}
	for _, a := range q.aggregates {
		titles = append(titles, a.title)
	}
	return titles
}

func (q *Query) compileSort() (orders []order, err error) {
	titles := q.titles()
	for _, it := range list(q.question.Sort) {
		name, down := strings.CutPrefix(it.text, "-")
		i := slices.Index(titles, strings.TrimSpace(name))
		if i < 0 {
			return nil, shifted(&Error{Field: "sort", Line: 1, Column: 1, Detail: fmt.Sprintf("there is no column %q", name), Hint: "there are " + strings.Join(titles, ", ")}, q.question.Sort, it.at)
		}
		orders = append(orders, order{i, down})
	}
	if orders != nil && !q.grouped() {
		return nil, &Error{Field: "sort", Detail: "single records come by their time", Hint: "group them to sort, or sort the answer"}
	}
	return orders, nil
}
