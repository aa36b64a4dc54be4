package check

import (
	"slices"

	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/types"
)

// project checks WITH or RETURN with what hangs on it. It answers the variables
// behind it and the names of the columns in order.
func project(p *ast.Projection, where ast.Expr, vars scope, with bool) (after scope, columns []string, err error) {
	after = scope{}
	if p.Star {
		if len(vars) == 0 && !with {
			return nil, nil, issue.New(issue.Syntax, "NoVariablesInScope", p.At, "there is nothing that * could stand for").WithHint("name something in MATCH, such as (n)")
		}
		after = vars.with()
		columns = ast.SortedNames(vars)
	}
	groups := aggregating(p)
	cols := ast.NewColumns(p)
	for _, item := range p.Items {
		t, err := column(item, vars, with, groups, cols)
		if err != nil {
			return nil, nil, err
		}
		if _, taken := after[item.Name]; taken {
			return nil, nil, issue.New(issue.Syntax, "ColumnNameConflict", item.At, "two columns have the name %s", item.Name).WithHint("name one of them differently with AS")
		}
		after[item.Name] = t
		columns = append(columns, item.Name)
	}
	around := after
	if !groups && !p.Distinct {
		around = vars.with(after)
	}
	for _, s := range p.Order {
		if err := order(s.Expr, p, cols, vars, around, groups); err != nil {
			return nil, nil, err
		}
	}
	if err := bound(p.Skip, "SKIP"); err != nil {
		return nil, nil, err
	}
	if err := bound(p.Limit, "LIMIT"); err != nil {
		return nil, nil, err
	}
	if where != nil {
		where = cols.Projected(where)
	}
	return after, columns, condition(where, around)
}

// aggregating says whether rows are grouped.
func aggregating(p *ast.Projection) bool {
	return slices.ContainsFunc(p.Items, func(i ast.Item) bool { return aggregates(i.Expr) })
}

// column checks one item.
func column(item ast.Item, vars scope, with, groups bool, cols *ast.Columns) (types.Type, error) {
	if _, plain := item.Expr.(*ast.Variable); with && !item.Named && !plain {
		return types.Any(), issue.New(issue.Syntax, "NoExpressionAlias", item.At, "an expression behind WITH has no name").WithHint("write %s AS name", item.Name)
	}
	t, err := (checker{vars: vars, aggregate: true}).expr(item.Expr)
	if err != nil || !groups || !aggregates(item.Expr) {
		return t, err
	}
	if _, at, found := first(loose(item.Expr, cols, nil)); found {
		return t, issue.New(issue.Syntax, "AmbiguousAggregationExpression", at, "the expression mixes an aggregation with something that is no column of its own").
			WithHint("make the other part a column with WITH first")
	}
	return t, nil
}

// loose are the variables in an expression that stand neither in an aggregation
// nor in what rows are grouped by.
func loose(e ast.Expr, cols *ast.Columns, around scope) map[string]ast.Pos {
	left := ast.Rewrite(e, func(e ast.Expr, local []string) ast.Expr {
		if c, ok := e.(*ast.Call); ok && aggregation(c) || cols.GroupedBy(e, local) {
			return &ast.Literal{}
		}
		return nil
	})
	vars := ast.Variables(left)
	for name := range vars {
		if _, ok := around[name]; ok {
			delete(vars, name)
		}
	}
	return vars
}

// first is the variable that stands first.
func first(vars map[string]ast.Pos) (name string, at ast.Pos, found bool) {
	for n, p := range vars {
		if !found || p.Offset < at.Offset {
			name, at, found = n, p, true
		}
	}
	return name, at, found
}

// order checks what ORDER BY goes by. Behind an aggregation only columns are left
// to go by, and aggregations.
func order(e ast.Expr, p *ast.Projection, cols *ast.Columns, vars, around scope, groups bool) error {
	if !aggregates(e) {
		_, err := (checker{vars: around}).expr(cols.Projected(e))
		return err
	}
	if !groups {
		return issue.New(issue.Syntax, "InvalidAggregation", e.Pos(), "ORDER BY has an aggregation where the columns have none").WithHint("make it a column")
	}
	if name, at, found := first(loose(e, cols, around)); found {
		for _, item := range p.Items {
			if _, part := ast.Variables(item.Expr)[name]; part && !ast.Simple(item.Expr) && !aggregates(item.Expr) {
				return issue.New(issue.Syntax, "AmbiguousAggregationExpression", at, "the expression mixes an aggregation with something that is no column of its own")
			}
		}
		return undefined(name, at, around)
	}
	_, err := (checker{vars: vars.with(around), aggregate: true}).expr(e)
	return err
}

// bound checks SKIP and LIMIT, which come before any row is known.
func bound(e ast.Expr, word string) error {
	if e == nil {
		return nil
	}
	if name, at, found := first(ast.Variables(e)); found {
		return issue.New(issue.Syntax, "NonConstantExpression", at, "%s wants a number that is known before the query runs, and %s is not", word, name)
	}
	t, err := (checker{vars: scope{}}).expr(e)
	if err != nil {
		return err
	}
	if t.Never(types.Integer) {
		return issue.New(issue.Syntax, "InvalidArgumentType", e.Pos(), "%s wants an integer, not %s", word, article(t.Kinds))
	}
	if l, ok := e.(*ast.Literal); ok {
		if n, ok := l.Value.(int64); ok && n < 0 {
			return issue.New(issue.Syntax, "NegativeIntegerArgument", e.Pos(), "%s cannot be negative", word)
		}
	}
	return nil
}
