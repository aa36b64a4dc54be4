package cypher

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/value"
)

// seeds are queries of every form.
var seeds = []string{
	"MATCH (n) RETURN n",
	"MATCH p = (a:Host {name: 'h0'})-[:RUNS]->(s)-[:RUNS_AS|DEPENDS_ON*1..3]->(b) WHERE s.port > 8000 AND NOT (b)--(a) RETURN p, length(p) AS l ORDER BY l DESC SKIP 1 LIMIT 5",
	"OPTIONAL MATCH (a)<-[r*0..]-(b:Service) WITH DISTINCT a, count(DISTINCT b) AS c WHERE c <> 2 RETURN a.name, c, collect(c)[0..2]",
	"UNWIND [1, 2.5, null, 'x', [1], {k: $p}] AS x RETURN x, x IS NULL, x = 1 OR x IN [1, $p] XOR true",
	"RETURN [x IN range(1, 9) WHERE x % 2 = 0 | x ^ 2] AS l, all(x IN [1] WHERE x > 0), reduce(a = 0, x IN [1, 2] | a + x), CASE $p WHEN 1 THEN 'a' ELSE 'b' END",
	"MATCH (n) WHERE EXISTS { MATCH (n)-->(m) WITH m LIMIT 1 RETURN m } RETURN [(n)-->(m) WHERE m.port < 9000 | m {`odd name`: 1}] AS l UNION ALL RETURN 1 AS l",
	"MATCH (n) WHERE EXISTS { (n)-->(:Service) } RETURN [(n)-->(m) | m.name] AS l UNION RETURN $p AS l",
	"RETURN date('2020-01-31') + duration('P1M') AS d, datetime({year: 2020, week: 7, timezone: '+01:00'}).epochMillis, duration.between(date('2020-01-01'), datetime()), time.truncate('hour', localtime('10:20:30.5'))",
	"MATCH p = allShortestPaths((a:Host)-[*]-(b:Process)) RETURN nodes(p), relationships(p)",
	"EXPLAIN MATCH (a)-[r]-(b), (c) WHERE a.name = c.name RETURN *",
	"RETURN percentileCont(1, 0.5), percentileDisc(2.0, 1), stDev(3), avg(1), sum(duration('PT1S')), min([1]), max('a')",
	"WITH 'aé\\u0041' AS s RETURN substring(s, 1, 1), split(s, ''), reverse(s), toUpper(s) =~ '.*', s STARTS WITH 'a', left(s, 9), replace(s, '', 'xx')",
	"RETURN -9223372036854775808 / -1, 1 / 0, 0x1F % 0o17, 1e308 * 10, -(-1), toInteger('9e99'), abs(-0.0)",
	"MATCH (a:(Host|Service)&!Process WHERE a.name <> $p)-[r:!RUNS]->(b:%) RETURN a {.*, n: 1, r}, COUNT { (a)-->(:Host) }, [x IN [a] WHERE x:Host|Service | x] AS l",
	"CREATE (n) RETURN n", "MATCH (n) SET n.x = 1", "RETURN $`a b`, $0",
}

// tiny limits, so that whatever a query asks for it ends at once.
var tiny = Limits{Time: 200 * time.Millisecond, Rows: 1000, Memory: 1 << 20}

// hold runs a query and holds the answer against what is promised of every query.
func hold(t *testing.T, text string, params map[string]any) {
	t.Helper()
	q, err := Compile(text)
	if err != nil {
		told(t, text, err)
		return
	}
	start := time.Now()
	given := map[string]any{}
	for _, name := range q.Params() {
		given[name] = params["p"]
	}
	g := estate(2, 2)
	result, err := q.Run(t.Context(), g, Options{Params: given, Limits: tiny, Rand: rand.New(rand.NewPCG(1, 2)).Float64})
	if took := time.Since(start); took > 20*time.Second { // not a measurement: it hangs
		t.Fatalf("%q: %v, a hundred times the limit", text, took)
	}
	if err != nil {
		told(t, text, err)
		return
	}
	if len(result.Rows) > tiny.Rows {
		t.Fatalf("%q: %d rows", text, len(result.Rows))
	}
	for _, row := range result.Rows {
		if len(row) != len(result.Columns) {
			t.Fatalf("%q: a row has %d values for columns %q", text, len(row), result.Columns)
		}
		for _, v := range row {
			value.Format(v)
			value.AppendKey(nil, v)
			if _, err := json.Marshal(value.JSON(v)); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
	}
}

// told wants an error that says what it is and, of a text, where.
func told(t *testing.T, text string, err error) {
	t.Helper()
	e, ok := errors.AsType[*issue.Error](err)
	switch {
	case !ok:
		t.Fatalf("%q: %T %v", text, err, err)
	case e.Code == "Panic":
		t.Fatalf("%q: %v", text, err)
	case !e.Runtime && (e.At.Line < 1 || e.At.Column < 1 || e.At.Offset > len(text)):
		t.Fatalf("%q: no place: %+v", text, e)
	}
}

// FuzzQuery runs texts with a parameter, given as JSON.
func FuzzQuery(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, `[1, "a", null, {"k": 2.5}]`)
	}
	f.Fuzz(func(t *testing.T, text, param string) {
		var p any
		decoder := json.NewDecoder(strings.NewReader(param))
		decoder.UseNumber()
		if decoder.Decode(&p) != nil {
			p = param
		}
		hold(t, text, map[string]any{"p": p})
	})
}

// FuzzGrammar runs queries that are made of the grammar, so that most of them
// compile.
func FuzzGrammar(f *testing.F) {
	for i := range 40 {
		seed := make([]byte, 64)
		source := rand.New(rand.NewPCG(uint64(i), 7))
		for j := range seed {
			seed[j] = byte(source.Uint32())
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		m := &maker{choices: choices}
		hold(t, m.query(), map[string]any{"p": int64(7)})
	})
}
