package check

import (
	"strings"

	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/functions"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/types"
)

func (c checker) call(e *ast.Call) (types.Type, error) {
	if a, ok := functions.LookupAggregate(e.Name); ok {
		return c.aggregation(e, a)
	}
	f, ok := functions.Lookup(e.Name)
	if !ok {
		return types.Any(), unknown(e)
	}
	if e.Distinct {
		return types.Any(), issue.New(issue.Syntax, "UnexpectedSyntax", e.At, "DISTINCT is for aggregations, and %s() is none", f.Name)
	}
	if n := len(e.Args); n < f.Min || f.Max >= 0 && n > f.Max {
		return types.Any(), issue.New(issue.Syntax, "InvalidNumberOfArguments", e.At, "%s() is given %d arguments", f.Name, n).WithHint("it takes %s", counted(f))
	}
	for i, arg := range e.Args {
		if _, err := c.wants(arg, f.Name+"()", f.Args[min(i, len(f.Args)-1)]); err != nil {
			return types.Any(), err
		}
	}
	return f.Result, nil
}

func counted(f functions.Func) string {
	low, high := digit(f.Min), digit(f.Max)
	switch f.Max {
	case f.Min:
		return low
	case -1:
		return low + " or more"
	}
	return low + " to " + high
}

func digit(n int) string { return string(rune('0' + max(n, 0))) }

func unknown(e *ast.Call) error {
	err := issue.New(issue.Syntax, "UnknownFunction", e.At, "there is no function %s()", e.Name)
	lower := strings.ToLower(e.Name)
	best := ""
	for _, name := range functions.Names() {
		n := strings.ToLower(name)
		if len(lower) > 2 && (strings.HasPrefix(n, lower) || strings.HasSuffix(n, lower) || strings.Contains(lower, n) && len(n) > 3) && (best == "" || name < best) {
			best = name
		}
	}
	switch instead := elsewhere(lower); {
	case instead != "":
		return err.WithHint("write %s", instead)
	case best != "":
		return err.WithHint("did you mean %s()?", best)
	}
	return err
}

// elsewhere is what stands here for a function of other languages, or "".
func elsewhere(name string) string {
	return map[string]string{
		"now": "datetime()", "current_timestamp": "datetime()", "current_date": "date()", "unix_timestamp": "timestamp()",
		"len": "size()", "char_length": "size()", "character_length": "size()", "concat": "+ between texts", "instr": "CONTAINS",
		"ifnull": "coalesce()", "nvl": "coalesce()", "isnull": "IS NULL", "lcase": "toLower()", "ucase": "toUpper()", "ceiling": "ceil()",
		"cast": "toInteger(), toFloat() or toString()", "group_concat": "collect()", "array_agg": "collect()", "median": "percentileCont(x, 0.5)",
		"stddev": "stDev()", "if": "CASE WHEN ... THEN ... ELSE ... END", "filter": "[x IN list WHERE ...]", "extract": "[x IN list | ...]",
		"shortestpath": "MATCH p = shortestPath((a)-[*]-(b)), and use p", "allshortestpaths": "MATCH p = allShortestPaths((a)-[*]-(b)), and use p",
	}[name]
}

// aggregation checks a function over many rows.
func (c checker) aggregation(e *ast.Call, a functions.Aggregate) (types.Type, error) {
	switch {
	case c.inside:
		return types.Any(), issue.New(issue.Syntax, "NestedAggregation", e.At, "%s() stands inside another aggregation", a.Name).WithHint("aggregate by WITH first")
	case !c.aggregate:
		return types.Any(), issue.New(issue.Syntax, "InvalidAggregation", e.At, "%s() cannot stand here: there are no groups of rows", a.Name).
			WithHint("aggregate by WITH first, and use its result")
	case e.Star:
		return a.Result, nil
	case len(e.Args) != a.Args:
		return types.Any(), issue.New(issue.Syntax, "InvalidNumberOfArguments", e.At, "%s() is given %d arguments", a.Name, len(e.Args)).WithHint("it takes %d", a.Args)
	}
	c.inside = true
	t, err := c.value(e.Args[0])
	if err != nil {
		return t, err
	}
	for _, arg := range e.Args[1:] {
		if _, err := c.wants(arg, a.Name+"()", types.Number); err != nil {
			return t, err
		}
	}
	if at, volatile := dice(e); volatile {
		return t, issue.New(issue.Syntax, "NonConstantExpression", at, "an aggregation cannot be over what answers something else each time")
	}
	switch a.Name {
	case "collect":
		return types.ListOf(t), nil
	case "min", "max":
		return t, nil
	}
	return a.Result, nil
}

// dice finds a function that answers something else each time.
func dice(e ast.Expr) (ast.Pos, bool) {
	if c, ok := e.(*ast.Call); ok {
		if f, ok := functions.Lookup(c.Name); ok && f.Volatile {
			return c.At, true
		}
	}
	for _, child := range ast.Children(e) {
		if at, ok := dice(child); ok {
			return at, true
		}
	}
	return ast.Pos{}, false
}
