package cypher

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"cassini/manager/cypher/issue"
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
