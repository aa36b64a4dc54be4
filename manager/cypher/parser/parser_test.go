package parser

import (
	"errors"
	"strings"
	"testing"

	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/issue"
)

// expression parses one expression and writes it down again, with brackets.
func expression(t *testing.T, text string) string {
	t.Helper()
	q, err := Parse("RETURN " + text + " AS x")
	if err != nil {
		return err.Error()
	}
	return ast.Print(q.Parts[0].Clauses[0].(*ast.Return).Items[0].Expr)
}

func TestPrecedence(t *testing.T) {
	for text, want := range map[string]string{
		"1 + 2 * 3":                "1 + (2 * 3)",
		"2 ^ 3 ^ 2":                "(2 ^ 3) ^ 2",
		"-2 ^ 2":                   "-2 ^ 2",
		"NOT a = b":                "NOT (a = b)",
		"a OR b XOR c AND NOT d":   "a OR (b XOR (c AND (NOT d)))",
		"1 < a <= 3":               "1 < a <= 3",
		"a + 1 IN b + c":           "(a + 1) IN (b + c)",
		"a = b IN c":               "a = (b IN c)",
		"a.b[1].c":                 "a.b[1].c",
		"a<-1":                     "a < -1",
		"(a)-(b)":                  "a - b",
		"(a)-[1]":                  "a - [1]",
		"[x IN l WHERE x | x + 1]": "[x IN l WHERE x | x + 1]",
		"[1, 2][0..-1]":            "[1, 2][0..-1]",
		"n:A:B AND n.x IS NULL":    "(n:A:B) AND (n.x IS NULL)",
		"n:A|B&!C|%":               "n:A|(B&(!C))|%",
		"n:!(A|B):C":               "n:(!(A|B))&C",
		"[x IN l WHERE x:A | x.b]": "[x IN l WHERE x:A | x.b]",
		"n {.a, .*, b, c: 1}.a":    "n{a: n.a, b: b, c: 1, .*}.a",
		"-9223372036854775808":     "-9223372036854775808",
		"duration.between(a, b)":   "duration.between(a, b)",
		"`odd name`.x":             "odd name.x",
	} {
		if got := expression(t, text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestErrorsSayWhereAndWhat(t *testing.T) {
	for text, want := range map[string]struct {
		line, column int
		code, hint   string
	}{
		"RETRUN 1":                      {1, 1, "UnexpectedSyntax", "did you mean RETURN?"},
		"MATCH (n)\nWHRE n.x = 1":       {2, 1, "UnexpectedSyntax", "did you mean WHERE?"},
		"MATCH (n)\n\tSET n.x = 1":      {2, 2, "ReadOnly", "the graph is made of what agents hear"},
		"MERGE (n)":                     {1, 1, "ReadOnly", ""},
		"RETURN 1 UNION CREATE (n)":     {1, 16, "ReadOnly", ""},
		"MATCH (n)":                     {1, 10, "InvalidClauseComposition", "RETURN *"},
		"RETURN 1 MATCH (n)":            {1, 10, "InvalidClauseComposition", "WITH"},
		"RETURN 'é' + 'open":            {1, 14, "UnexpectedSyntax", "close it with '"},
		"RETURN 12abc":                  {1, 8, "InvalidNumberLiteral", ""},
		"RETURN 9223372036854775808":    {1, 8, "IntegerOverflow", "9223372036854775808.0"},
		"RETURN '\\uZZZZ'":              {1, 9, "InvalidUnicodeLiteral", ""},
		"MATCH ()-[:T..2]->() RETURN 1": {1, 13, "InvalidRelationshipPattern", "*1..3"},
		"MATCH (n $p) RETURN n":         {1, 10, "InvalidParameterUse", "$name"},
		"CALL db.labels()":              {1, 1, "UnsupportedClause", ""},
		"MATCH n RETURN n":              {1, 7, "UnexpectedSyntax", "(n)"},
		"MATCH (n) WHERE n.x != 1":      {1, 21, "UnexpectedSyntax", "<>"},
		"MATCH (n) WHERE n.x == 1":      {1, 22, "UnexpectedSyntax", "one ="},
		"MATCH (n) WHERE n.x && n.y":    {1, 21, "UnexpectedSyntax", "AND"},
		"MATCH (n) WHERE n.x || n.y":    {1, 21, "UnexpectedSyntax", "OR"},
		"MATCH (n) WHERE n.x LIKE 'a%'": {1, 21, "UnexpectedSyntax", "CONTAINS"},
		"MATCH (n) GROUP BY n.x":        {1, 11, "UnexpectedSyntax", "no aggregation"},
		"SELECT * FROM hosts":           {1, 1, "UnexpectedSyntax", "MATCH"},
		"PROFILE MATCH (n) RETURN n":    {1, 1, "UnexpectedSyntax", "EXPLAIN"},
		"MATCH (a)-[:X*1,3]->(b)":       {1, 16, "InvalidRelationshipPattern", "*1..3"},
		"MATCH (a)-->{1,3}(b)":          {1, 13, "UnexpectedSyntax", "*1..3"},
		"RETURN f(1,)":                  {1, 12, "UnexpectedSyntax", ""},
		"RETURN [1,]":                   {1, 11, "UnexpectedSyntax", ""},
		"RETURN {a: 1,}":                {1, 14, "UnexpectedSyntax", ""},
		"/* open":                       {1, 1, "InvalidComment", "*/"},
		"":                              {1, 1, "UnexpectedSyntax", ""},
	} {
		_, err := Parse(text)
		e, ok := errors.AsType[*issue.Error](err)
		if !ok || e.At.Line != want.line || e.At.Column != want.column || e.Code != want.code || !strings.Contains(e.Hint, want.hint) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestBounds(t *testing.T) {
	for name, text := range map[string]string{
		"brackets": "RETURN " + strings.Repeat("(", 100_000),
		"lists":    "RETURN " + strings.Repeat("[", 100_000),
		"not":      "RETURN " + strings.Repeat("NOT ", 50_000) + "true",
		"signs":    "RETURN " + strings.Repeat("- ", 50_000) + "1",
		"patterns": "RETURN " + strings.Repeat("({a: ", 30_000),
		"exists":   "MATCH (n) WHERE " + strings.Repeat("EXISTS { MATCH (n) WHERE ", 5000) + "true",
		"chain":    "MATCH ()" + strings.Repeat("--()", 200) + " RETURN 1",
		"many":     "MATCH ()" + strings.Repeat(", ()", 200) + " RETURN 1",
		"length":   "RETURN '" + strings.Repeat("x", MaxText) + "'",
	} {
		if _, err := Parse(text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// FuzzParse wants a tree or an error with a place, and of a tree's expressions
// that they mean the same when they are written down and read again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"MATCH (a:B {c: 1})-[r:T|U*1..2]->(b) WHERE a.x < 1 RETURN a, count(*) AS n ORDER BY n LIMIT 3",
		"RETURN [x IN [1] WHERE x | x], {a: $p}, CASE WHEN true THEN 1 END, -0x1F, .5e3, 'a\\n', \"b\", `c`.d", "UNWIND [1] AS x WITH DISTINCT * RETURN x UNION RETURN 1 AS x",
		"RETURN reduce(a = 0, x IN l | a + x), any(x IN l WHERE x), [(a)-->(b) | b], EXISTS { (a) }, a.b[1..][2]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := Parse(text)
		if err != nil {
			e, ok := errors.AsType[*issue.Error](err)
			if !ok || e.At.Line < 1 || e.At.Column < 1 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		for _, part := range q.Parts {
			for _, c := range part.Clauses {
				if r, ok := c.(*ast.Return); ok {
					for _, item := range r.Items {
						again(t, item.Expr)
					}
				}
			}
		}
	})
}

func again(t *testing.T, e ast.Expr) {
	printed := ast.Print(e)
	if strings.Contains(printed, "EXISTS") || strings.Contains(printed, "`") || !plainNames(e) {
		return // names that need backticks are written without
	}
	q, err := Parse("RETURN " + printed + " AS x")
	if err != nil {
		if l, ok := errors.AsType[*issue.Error](err); ok && l.Kind == issue.Limit {
			return
		}
		t.Fatalf("%q: %v", printed, err)
	}
	if got := ast.Print(q.Parts[0].Clauses[0].(*ast.Return).Items[0].Expr); got != printed {
		t.Fatalf("%q became %q", printed, got)
	}
}

// plainNames says that an expression has nothing whose name could be a keyword or
// need quotes.
func plainNames(e ast.Expr) bool {
	switch e.(type) {
	case *ast.Literal, *ast.ListLit, *ast.Unary, *ast.Binary, *ast.Compare, *ast.IsNull, *ast.Slice, *ast.Index:
	default:
		return false
	}
	for _, c := range ast.Children(e) {
		if !plainNames(c) {
			return false
		}
	}
	return true
}
