package cypher

import (
	"errors"
	"strings"
	"testing"

	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/value"
)

// language are queries with their rows.
var language = map[string]string{
	// matching
	"MATCH (h:Host) RETURN count(h)":                                                                      "[3]",
	"MATCH (h:Host {name: 'h1'})-[:RUNS]->(s) RETURN s.name ORDER BY s.name":                              "['h1/s0'] ['h1/s1']",
	"MATCH (a)-[:RUNS]->(b)<-[:RUNS]-(c) RETURN count(*)":                                                 "[0]",
	"MATCH (a:Host), (b:Host) RETURN count(*)":                                                            "[9]",
	"MATCH (a:Host)-[:RUNS|RUNS_AS*2]->(p) RETURN count(p)":                                               "[6]",
	"MATCH (a:Host {name: 'h0'})-[r:RUNS*0..1]->(b) RETURN size(r), count(*) ORDER BY size(r)":            "[0, 1] [1, 2]",
	"MATCH (h:Host) OPTIONAL MATCH (h)-[:NONE]->(x) RETURN DISTINCT x":                                    "[null]",
	"MATCH (h:Host {name: 'h0'})-[r]->(s) WITH r, s MATCH (a)-[r]->(s) RETURN DISTINCT a.name":            "['h0']",
	"MATCH (a {name: 'h0'})-[rs*2]->(b) WITH rs LIMIT 1 MATCH (x)-[rs*]->(y) RETURN labels(x), labels(y)": "[['Host'], ['Process']]",
	"MATCH p = (h {name: 'h0'})-->()-->() RETURN DISTINCT length(p), [n IN nodes(p) | labels(n)[0]]":      "[2, ['Host', 'Service', 'Process']]",
	"MATCH (h:Host) WHERE (h)-[:RUNS]->({port: 8001}) AND NOT (h)<--() RETURN count(h)":                   "[3]",
	"MATCH (h:Host) WHERE EXISTS { MATCH (h)-->(s) WHERE s.port = 8000 RETURN s } RETURN count(*)":        "[3]",
	"MATCH (h:Host {name: 'h0'}) RETURN size([(h)-->(s) WHERE s.port > 8000 | s.name]) AS n":              "[1]",
	"MATCH p = shortestPath((a {name: 'h0'})-[*..9]-(b {name: 'h2'})) RETURN length(p)":                   "[4]",
	"MATCH (s:Service) WHERE s.port = 8000 OR s.none RETURN count(*)":                                     "[3]",

	"MATCH p = (a:Host)-[*2]->(b {name: 'h0/p0'}) RETURN [n IN nodes(p) | n.name]":               "[['h0', 'h0/s0', 'h0/p0']]",
	"MATCH (a:Host)-[r*2]->(b {name: 'h0/p0'}) RETURN [x IN r | type(x)]":                        "[['RUNS', 'RUNS_AS']]",
	"UNWIND ['h0', 'none', 'h1'] AS n OPTIONAL MATCH (h:Host {name: n}) RETURN h.name":           "['h0'] [null] ['h1']",
	"MATCH (h:Host {name: 'h0'}) OPTIONAL MATCH (h)-[r]->(s) WHERE s.port > 8000 RETURN type(r)": "['RUNS']",

	"MATCH (h:Host {name: 'h0'}) RETURN exists((h)-[:RUNS]->()) AS a, exists((h)<--()) AS b, exists(h.none) AS c": "[true, false, false]",

	// rows
	"MATCH (h:Host) WITH h.rack AS r, count(*) AS c WHERE r > 0 RETURN sum(r * c) AS s":         "[3]",
	"UNWIND [3, 1, 2] AS x WITH x ORDER BY x DESC SKIP 1 LIMIT 1 RETURN x":                      "[2]",
	"UNWIND [1, 1, 1.0, null, null] AS x RETURN count(DISTINCT x), count(x), count(*)":          "[1, 3, 5]",
	"UNWIND [1, 2] AS x RETURN x UNION UNWIND [2, 3] AS x RETURN x":                             "[1] [2] [3]",
	"UNWIND [1] AS x RETURN x UNION ALL RETURN 1 AS x":                                          "[1] [1]",
	"UNWIND [] AS x RETURN count(x), sum(x), collect(x), min(x), avg(x)":                        "[0, 0, [], null, null]",
	"UNWIND [10, 20, 30] AS x RETURN percentileCont(x, 0.25), percentileDisc(x, 0.5), stDev(x)": "[15.0, 20, 10.0]",
	"UNWIND [1, 'a', null, [1, 2], 0.2, 'b'] AS x RETURN min(x), max(x)":                        "[[1, 2], 1]",
	"UNWIND [null, 'b', true, 1, [1], {a: 1}] AS x RETURN x ORDER BY x":                         "[{a: 1}] [[1]] ['b'] [true] [1] [null]",
	"WITH 1 AS a, 2 AS b WITH a AS b, b AS a RETURN a, b":                                       "[2, 1]",
	"UNWIND [1, 2] AS x WITH *, x * 2 AS y WHERE y > 2 RETURN *":                                "[2, 4]",
	"UNWIND [1, 2] AS x WITH x AS y WHERE x = 2 RETURN y":                                       "[2]",
	"MATCH (h:Host) WITH h ORDER BY h.name DESC LIMIT 1 MATCH (h)-->(s) RETURN collect(s.port)": "[[8000, 8001]]",

	// aggregation in larger expressions
	"MATCH (s:Service) WITH s.port AS p, count(s.name) AS c ORDER BY p, p + count(s.name) RETURN p, c":     "[8000, 3] [8001, 3]",
	"MATCH (s:Service) WITH s.port AS p, count(s.name) AS c ORDER BY s.port + count(s.name) DESC RETURN p": "[8001] [8000]",
	"MATCH (s:Service) RETURN s.port, s.port + count(*) AS n ORDER BY n":                                   "[8000, 8003] [8001, 8004]",
	"MATCH (s:Service) WITH avg(s.port) AS a ORDER BY $p + avg(s.port) - 1000 RETURN a":                    "[8000.5]",
	"MATCH (h:Host) RETURN [x IN collect(h.name) | toUpper(x)] AS l":                                       "[['H0', 'H1', 'H2']]",
	"MATCH (h:Host) RETURN {n: count(*), l: size(collect(h))} AS m":                                        "[{l: 3, n: 3}]",

	// expressions
	"RETURN 1 + 2 * 3 ^ 2, 7 / 2, 7 % 3, 7 / 2.0, -2 ^ 2, 'a' + 1, [1] + 2 + [3]":                                                      "[19.0, 3, 1, 3.5, 4.0, 'a1', [1, 2, 3]]",
	"RETURN null = null, null IN [1], 1 IN [null, 1], 1 <> null, NOT null, null IS NULL":                                               "[null, null, true, null, null, true]",
	"RETURN [1, null] = [1, 2], [1, null] = [2, null], {a: null} = {a: 1}, {a: 1} = {b: 1}":                                            "[null, false, null, false]",
	"RETURN all(x IN [1, 2] WHERE x > 1), all(x IN [2, null] WHERE x > 1), none(x IN [1] WHERE x = 1)":                                 "[false, null, false]",
	"RETURN true XOR true, false AND null, true OR null, null XOR true":                                                                "[false, false, true, null]",
	"RETURN 1 < 2 < 3, 1 < 'a', 'a' < 'b', [1, 2] < [1, 3], 0.0 / 0.0 = 0.0 / 0.0":                                                     "[true, null, true, true, false]",
	"RETURN [1, 2, 3][-1], [1, 2, 3][5], [1, 2, 3][1..], [1, 2, 3][..-1], [1][null..]":                                                 "[3, null, [2, 3], [1, 2], null]",
	"RETURN {a: {b: 1}}.a.b, {a: 1}['a'], {a: 1}['x'], keys({b: 1, a: 2})":                                                             "[1, 1, null, ['a', 'b']]",
	"RETURN CASE 2 WHEN 1 THEN 'a' WHEN 2 THEN 'b' END, CASE WHEN null THEN 1 ELSE 2 END":                                              "['b', 2]",
	"RETURN all(x IN [] WHERE false), any(x IN [null, 1] WHERE x = 1), none(x IN [null] WHERE x = 1), single(x IN [1, 1] WHERE x = 1)": "[true, true, null, false]",
	"RETURN reduce(s = '', x IN ['a', 'b'] | s + x), [x IN range(4, 1, -2) | x * x]":                                                   "['ab', [16, 4]]",
	"RETURN 'abc' =~ 'a.*', 'abc' CONTAINS 'b', 'abc' STARTS WITH 1, 'abc' ENDS WITH 'c'":                                              "[true, true, null, true]",
	"RETURN toInteger('2.9'), toFloat('1e2'), toBoolean('TRUE'), toString(1.0), toInteger('x')":                                        "[2, 100.0, true, '1.0', null]",
	"RETURN substring('héllo', 1, 3), left('abc', 2), right('abc', 2), split('a,b', ','), trim(' a '), reverse('é1')":                  "['éll', 'ab', 'bc', ['a', 'b'], 'a', '1é']",
	"RETURN round(2.5), round(-2.5), ceil(1.1), sign(-3), abs(-3), toInteger(1e3), isNaN(0.0 / 0)":                                     "[3.0, -2.0, 2.0, -1, 3, 1000, true]",
	"RETURN coalesce(null, 1), head([]), last([1, 2]), tail([1]), size('é'), isEmpty([])":                                              "[1, null, 2, [], 1, true]",

	// dates and times
	"RETURN date('2020-01-31') + duration('P1M'), date({year: 2020, week: 1}), date('2020-366')":                                    "['2020-02-29', '2019-12-30', '2020-12-31']",
	"RETURN duration.between(date('2020-01-30'), date('2021-03-01')), duration({days: 1.5}), duration('PT90M') * 2":                 "['P1Y1M1D', 'P1DT12H', 'PT3H']",
	"RETURN datetime('2020-01-01T12:00+02:00') = datetime('2020-01-01T10:00Z'), localtime('10:20').minute":                          "[true, 20]",
	"RETURN datetime.truncate('hour', datetime('2020-01-01T12:34:56+01:00')), date.truncate('month', date('2020-02-20'), {day: 3})": "['2020-01-01T12:00+01:00', '2020-02-03']",
	"RETURN date('2020-01-01') < date('2020-01-02'), date('2020-01-01') < 1, toString(time('10:00:00.5+01:00'))":                    "[true, null, '10:00:00.5+01:00']",
}

// TestLanguage asks queries about three hosts with two services each.
func TestLanguage(t *testing.T) {
	for text, want := range language {
		result, err := run(t, text, map[string]any{"p": int64(1)})
		var rows []string
		for _, row := range result.Rows {
			rows = append(rows, value.Format(value.List(row)))
		}
		if got := strings.Join(rows, " "); err != nil || got != want {
			t.Errorf("%s: got %s, want %s, %v", text, got, want, err)
		}
	}
}

// TestNotes wants to be told of labels and types that the graph has none of.
func TestNotes(t *testing.T) {
	for text, want := range map[string]string{
		"MATCH (h:Host)-[:RUNS]->(s:Service) RETURN h":      "",
		"MATCH (h:Hots), (i:Hots|Host) RETURN h":            "no node has the label Hots; there are Host, Process, Service",
		"MATCH (h:Host) WHERE (h)-[:RUN]->() RETURN h":      "no relationship has the type RUN; there are DEPENDS_ON, RUNS, RUNS_AS",
		"EXPLAIN MATCH (h)-[:RUNS|RUN_AS*1..2]-() RETURN h": "no relationship has the type RUN_AS; there are DEPENDS_ON, RUNS, RUNS_AS",
	} {
		result, err := run(t, text, nil)
		if got := strings.Join(result.Notes, " "); err != nil || got != want {
			t.Errorf("%s: got %q, want %q, %v", text, got, want, err)
		}
	}
}

func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"RETURN x": "UndefinedVariable 8",
		"MATCH (n) RETURN n.name AS a, n.port AS a": "ColumnNameConflict 41",
		"MATCH (n) WITH n.name RETURN 1":            "NoExpressionAlias 16",
		"MATCH (n) RETURN count(count(*))":          "NestedAggregation 24",
		"MATCH (n) WHERE count(n) > 1 RETURN n":     "InvalidAggregation 17",
		"MATCH (n) RETURN n ORDER BY max(n.port)":   "InvalidAggregation 29",
		"MATCH (a)-->(b) RETURN a.port + count(b)":  "AmbiguousAggregationExpression 24",
		"MATCH (a)-->(b) WITH a.port + b.port AS s, count(*) AS c ORDER BY a.port + b.port + count(*) RETURN s": "AmbiguousAggregationExpression 67",
		"MATCH (a)-->(b) WITH count(b.port) AS c ORDER BY a.port + count(b.port) RETURN c":                      "UndefinedVariable 50",
		"RETURN count(rand())":                                      "NonConstantExpression 14",
		"MATCH (n) RETURN DISTINCT n.name ORDER BY n.port":          "UndefinedVariable 43",
		"RETURN now()":                                              "UnknownFunction 8",
		"RETURN nothing(1)":                                         "UnknownFunction 8",
		"RETURN left('a')":                                          "InvalidNumberOfArguments 8",
		"RETURN 1 AND true":                                         "InvalidArgumentType 8",
		"RETURN [x IN [1] | count(*)]":                              "InvalidAggregation 20",
		"MATCH p = (n) RETURN size(p)":                              "InvalidArgumentType 27",
		"MATCH (n) RETURN size((n)-->())":                           "UnexpectedSyntax 23",
		"MATCH (n)-[r]->() RETURN type(n)":                          "InvalidArgumentType 31",
		"MATCH (p) MATCH p = ()-->() RETURN p":                      "VariableAlreadyBound 21",
		"RETURN {1a: 1}":                                            "UnexpectedSyntax 9",
		"RETURN 1 AS a UNION RETURN 2 AS b":                         "DifferentColumnsInUnion 21",
		"RETURN 1 LIMIT x":                                          "NonConstantExpression 16",
		"MATCH (n) WHERE EXISTS { MATCH (n) SET n.x = 1 } RETURN n": "InvalidClauseComposition 36",
		"RETURN 1 / 0":                                              "DivisionByZero 10",
		"RETURN 9223372036854775807 + 1":                            "IntegerOverflow 28",
		"UNWIND [1] AS x RETURN percentileCont(x, 2)":               "NumberOutOfRange 24",
		"RETURN substring('a', -1)":                                 "NumberOutOfRange 8",
		"RETURN date('2020-13-01')":                                 "InvalidArgumentValue 8",
		"WITH [1, 'a'] AS l RETURN l[1] % 2":                        "InvalidArgumentType 32",
		"RETURN range(1, 2, 0)":                                     "NumberOutOfRange 8",
		"WITH 1 AS x WHERE 'a' =~ '(' RETURN x":                     "InvalidRegularExpression 23",
		"RETURN $missing":                                           "MissingParameter 0",
	} {
		_, err := run(t, text, nil)
		e, ok := errors.AsType[*issue.Error](err)
		if !ok {
			t.Errorf("%s: got %v, want %s", text, err, want)
			continue
		}
		if got := e.Code + " " + value.Format(int64(e.At.Column)); got != want {
			t.Errorf("%s: got %s, want %s (%v)", text, got, want, err)
		}
	}
}
