package cypher

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/parser"
)

// TestPlans holds the choices of the planner: what it begins with, and in which
// order it goes on.
func TestPlans(t *testing.T) {
	for text, want := range map[string]string{
		"MATCH (n) RETURN n":                                                      "AllNodes (n)",
		"MATCH (s:Service) RETURN s":                                              "NodesByLabel (s:Service)",
		"MATCH (h:Host {name: 'h1'}) RETURN h":                                    "NodesByIndex (h {name: 'h1'}); Filter h:Host; Filter h.name = 'h1'",
		"MATCH (s:Service)<-[:RUNS]-(h:Host) RETURN s":                            "NodesByLabel (h:Host); Expand (h)-[:RUNS]->(s); Filter s:Service",
		"MATCH (p:Process)-[:DEPENDS_ON]->(s)<-[:RUNS]-(h {name: 'h1'}) RETURN p": "NodesByIndex (h {name: 'h1'}); Filter h.name = 'h1'; Expand (h)-[:RUNS]->(s); Expand (s)<-[:DEPENDS_ON]-(p); Filter p:Process",
		"MATCH (a {name: 'h0'}), (b) WHERE b.name = a.name RETURN b":              "NodesByIndex (a {name: 'h0'}); Filter a.name = 'h0'; NodesByIndex (b {name: a.name}); Filter b.name = a.name",
		"MATCH (a)-[:RUNS]->(b) MATCH (b)-[:RUNS_AS]->(c) RETURN c":               "AllNodes (a); Expand (a)-[:RUNS]->(b); Expand (b)-[:RUNS_AS]->(c)",
		"MATCH (a)-->(b) MATCH (a)-[r]->(b) RETURN r":                             "AllNodes (a); Expand (a)-->(b); ExpandInto (a)-[r]->(b)",
		"MATCH (a:Host) RETURN a.name AS n ORDER BY n LIMIT 2":                    "NodesByLabel (a:Host); Project a.name AS n; Top n LIMIT 2; Limit 2",
		"MATCH (a:Host) OPTIONAL MATCH (a)-->(b) RETURN b":                        "NodesByLabel (a:Host); Optional; Expand (a)-->(b)",
		"MATCH (a:Host) RETURN a.rack AS r, count(*) AS c":                        "NodesByLabel (a:Host); Aggregate count(*) BY a.rack AS r; Project _ AS c",
	} {
		result, err := run(t, "EXPLAIN "+text, nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var steps []string
		for _, row := range result.Rows[:len(result.Rows)-1] {
			steps = append(steps, strings.TrimSpace(strings.TrimSpace(row[0].(string))+" "+row[1].(string)))
		}
		if got := strings.Join(steps, "; "); got != want {
			t.Errorf("%s:\n got  %s\n want %s", text, got, want)
		}
	}
}

// TestLimits wants every way to ask for too much to end in the limit that it
// exceeds.
func TestLimits(t *testing.T) {
	for text, want := range map[string]string{
		"UNWIND range(1, 51) AS x RETURN x":                                                        "RowLimit",
		"UNWIND range(1, 1000000) AS x RETURN x":                                                   "MemoryLimit",
		"UNWIND range(1, 10000) AS x RETURN collect([x, x, x, x, x, x, x]) AS l":                   "MemoryLimit",
		"UNWIND range(1, 60000) AS x UNWIND range(1, 60000) AS y RETURN count(*)":                  "TimeLimit",
		"UNWIND range(1, 60000) AS x UNWIND range(1, 9) AS y WITH DISTINCT x, y RETURN count(*)":   "MemoryLimit",
		"UNWIND range(1, 60000) AS x UNWIND range(1, 9) AS y WITH x, y ORDER BY y RETURN count(*)": "MemoryLimit",
		"RETURN reduce(s = 'xx', x IN range(1, 60) | s + s) AS s":                                  "MemoryLimit",
		"RETURN reduce(l = [1], x IN range(1, 60) | l + l) AS l":                                   "MemoryLimit",
		"RETURN reduce(l = [1], x IN range(1, 99) | [l, l]) AS l":                                  "MemoryLimit",
		"RETURN reduce(l = [1], x IN range(1, 9999) | [l]) AS l":                                   "MemoryLimit",
		"RETURN reduce(s = 'aa', x IN range(1, 60) | replace(s, 'a', 'aa')) AS s":                  "MemoryLimit",
		"MATCH (a)-[*]-(b) MATCH (c)-[*]-(d) MATCH (e)-[*]-(f) RETURN count(*)":                    "TimeLimit",
		"RETURN [x IN range(1, 60000) | range(1, 1000)] AS l":                                      "MemoryLimit",
	} {
		q, err := Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		small := Limits{Time: time.Hour, Rows: 50, Memory: 1 << 20}
		if want == "TimeLimit" {
			small.Time = 50 * time.Millisecond
		}
		_, err = q.Run(t.Context(), estate(3, 2), Options{Limits: small})
		if e, ok := errors.AsType[*issue.Error](err); !ok || e.Kind != issue.Limit || e.Code != want {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// TestLimitKeepsTop wants ORDER BY with LIMIT to hold no more rows than it needs.
func TestLimitKeepsTop(t *testing.T) {
	q, err := Compile("UNWIND range(1, 40000) AS x RETURN x ORDER BY x DESC SKIP 1 LIMIT 2")
	if err != nil {
		t.Fatal(err)
	}
	result, err := q.Run(t.Context(), estate(1, 1), Options{Limits: Limits{Memory: 1 << 20}})
	if err != nil || len(result.Rows) != 2 || result.Rows[0][0] != int64(39999) {
		t.Errorf("got %v, %v", result.Rows, err)
	}
}

func TestContextEndsQuery(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	q, err := Compile("UNWIND range(1, 60000) AS x UNWIND range(1, 60000) AS y RETURN count(*)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Run(ctx, estate(1, 1), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestQueryIsShared runs one query at several places at once.
func TestQueryIsShared(t *testing.T) {
	q, err := Compile("MATCH (h:Host)-->(s) WHERE s.name =~ 'h.*' RETURN h.name, collect(s.port) AS l ORDER BY l")
	if err != nil {
		t.Fatal(err)
	}
	g := estate(20, 3)
	done := make(chan error)
	for range 4 {
		go func() {
			var err error
			for range 20 {
				if result, e := q.Run(context.Background(), g, Options{}); e != nil || len(result.Rows) != 20 {
					err = errors.Join(err, e, errors.New("wrong answer"))
				}
			}
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestMemoryIsGivenBack wants what a subquery held to be free again for the next
// row.
func TestMemoryIsGivenBack(t *testing.T) {
	for _, text := range []string{
		"UNWIND range(1, 9000) AS i MATCH (h:Host {name: 'h0'}) WHERE EXISTS { (h)-[*2]->() } RETURN count(*) AS n",
		"UNWIND range(1, 9000) AS i MATCH (h:Host {name: 'h0'}) WHERE EXISTS { MATCH (h)-->(s) WITH DISTINCT s ORDER BY s.name RETURN s, count(*) LIMIT 1 } RETURN count(*) AS n",
		"UNWIND range(1, 9000) AS i MATCH (h:Host {name: 'h0'}) WHERE size([(h)-->(s) | range(1, 20)]) = 2 RETURN count([x IN range(1, 50) | i]) AS n",
		"UNWIND range(1, 9000) AS i MATCH p = shortestPath((a {name: 'h0'})-[*]-(b {name: 'h1'})) RETURN count(p) AS n",
	} {
		q, err := Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		result, err := q.Run(t.Context(), estate(3, 2), Options{Limits: Limits{Memory: 1 << 20, Time: time.Hour}})
		if err != nil || result.Rows[0][0] != int64(9000) {
			t.Errorf("%s: %v, %v", text, result.Rows, err)
		}
	}
}

// TestLongQueries compiles and runs queries that are as long as they may be. What
// takes time out of proportion to the length would not end here.
func TestLongQueries(t *testing.T) {
	n := parser.MaxText
	repeat := func(s string, overhead int) string { return strings.Repeat(s, (n-overhead)/len(s)/2) }
	for name, text := range map[string]string{
		"sum":       "RETURN 1" + repeat("+1", 99) + " AS a ORDER BY 1" + repeat("+1", 99),
		"group":     "RETURN count(*)" + repeat("+1", 99) + " AS a ORDER BY count(*)" + repeat("+1", 99),
		"and":       "MATCH (n) WHERE true" + repeat(" AND n.x", 99) + " RETURN n",
		"or":        "MATCH (n) WHERE true" + repeat(" OR n.x", 99) + " RETURN n",
		"list":      "RETURN [1" + repeat(",1", 99) + "] AS a",
		"items":     "RETURN 1 AS a" + items(2000),
		"unwind":    items2(1500) + " RETURN 1",
		"union":     "RETURN 1 AS a" + repeat(" UNION RETURN 1 AS a", 99),
		"match":     "MATCH (a)" + repeat(" OPTIONAL MATCH (a)", 99) + " RETURN count(*)",
		"local":     "WITH [1] AS l RETURN [x IN l | x" + repeat("+x", 99) + "] AS r ORDER BY [x IN l | x" + repeat("+x", 99) + "]",
		"compare":   "RETURN 1" + repeat("<2", 99) + " AS a",
		"property":  "WITH {a: 1} AS a RETURN a" + repeat(".a", 99) + " AS b ORDER BY a" + repeat(".a", 99),
		"labels":    "MATCH (n" + repeat(":A", 99) + ") RETURN n",
		"predicate": "RETURN 1" + repeat(" IN []", 99) + " AS a",
	} {
		q, err := Compile(text)
		if err != nil {
			if e, ok := errors.AsType[*issue.Error](err); !ok || e.Code == "Panic" {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		_, err = q.Run(t.Context(), estate(1, 1), Options{})
		if e, ok := errors.AsType[*issue.Error](err); ok && e.Code == "Panic" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func items(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ", 1 AS b%d", i)
	}
	return b.String()
}

func items2(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "UNWIND [1] AS b%d ", i)
	}
	return b.String()
}
