package api

import (
	"encoding/json"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"cassini/manager/graph"
	"cassini/model"
)

func ask(t *testing.T, body string) *httptest.ResponseRecorder {
	t.Helper()
	return do(handler(filled(t)), "POST", "/api/v1/query", body)
}

func TestQueryAnswers(t *testing.T) {
	for body, want := range map[string]string{
		`{"query": "MATCH (h:Host)-[:runs]->(s:service) WHERE s.port = $port RETURN h.name, s.id, s.port", "params": {"port": 8080}}`: `[["web-17","service:web-17/nginx:8080",8080]]`,
		`{"query": "MATCH (p:process)-[d:DEPENDS_ON]->(s) RETURN s.state AS state, sum(d.connections) AS n ORDER BY state"}`:          `[["absent",0],["listening",3]]`,
		`{"query": "MATCH (n:host) RETURN n"}`:                                                     `[[{"id":"host:web-17","labels":["host"],`,
		`{"query": "RETURN $big = 9007199254740993 AS same", "params": {"big": 9007199254740993}}`: `[[true]]`,
		`{"query": "RETURN datetime() AS now"}`:                                                    `[["2026-11-20T20:26:03.123456789Z"]]`,
		`{"query": "MATCH (n) RETURN n", "at": "2026-11-20T00:00:00Z"}`:                            `[]`,
	} {
		w := ask(t, body)
		if w.Code != 200 || !strings.Contains(w.Body.String(), `"rows":`+want) {
			t.Errorf("%s: %d %s, want %s", body, w.Code, w.Body, want)
		}
	}
}

func TestQueryIsAsDescribed(t *testing.T) {
	s := spec(t)
	w := ask(t, `{"query": "MATCH (n) RETURN n.name, labels(n) AS l, n LIMIT 2"}`)
	var v any
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != 200 {
		t.Fatalf("%d %v", w.Code, err)
	}
	schema := at(s, "paths", "/api/v1/query", "post", "responses", "200", "content", "application/json", "schema")
	for _, e := range check(s, schema, v, "query") {
		t.Error(e)
	}
	for _, p := range at(s, "paths", "/api/v1/query", "post", "parameters").([]any) {
		t.Errorf("parameter %v is described and means nothing here", at(p, "name"))
	}
}

func TestQueryProblems(t *testing.T) {
	for body, want := range map[string]struct {
		status int
		text   string
	}{
		`{"query": "MATCH (n)\nRETRUN n"}`:                       {400, "line 2, column 1: unexpected \"RETRUN\""},
		`{"query": "MATCH (n) DELETE n"}`:                        {400, "DELETE would change the graph"},
		`{"query": "RETURN $x"}`:                                 {400, "the parameter $x is not given"},
		`{"query": "RETURN 1", "at": "yesterday"}`:               {400, "want a time such as"},
		`{"query": "RETURN 1", "at": "2027-01-01T00:00:00Z"}`:    {400, "in the future"},
		`{"query": ""}`:                                          {400, `"query" is missing`},
		`{"query": "RETURN 1", "parms": {}}`:                     {400, `unknown field "parms"`},
		`{"query": "RETURN 1"} x`:                                {400, "behind the JSON"},
		`[]`:                                                     {400, "not the JSON that is wanted"},
		`{"query": "UNWIND range(1, 200000) AS x RETURN x"}`:     {422, "more than 100000 rows"},
		`{"query": "RETURN size(range(1, 99999999999)) AS n"}`:   {422, "memory"},
		`{"query": "` + strings.Repeat("x", maxQueryBody) + `"}`: {413, "too large"},
	} {
		wantProblem(t, ask(t, body), want.status, want.text)
	}
	wantProblem(t, do(handler(filled(t)), "POST", "/api/v1/query", "{}", header("Content-Type", "text/plain")), 415, "application/json")
	wantProblem(t, do(handler(filled(t)), "POST", "/api/v1/query", "{}", header("Origin", "http://evil.example")), 403, "web pages")
	w := ask(t, `{"query": "MATCH (n)\nRETURN m"}`)
	var p queryProblem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Line != 2 || p.Column != 8 || p.Code != "UndefinedVariable" || p.Hint != "defined here: n" {
		t.Errorf("got %+v, %v", p, err)
	}
}

// TestQueryRefreshesCounters wants counters as of the question, and none asked of
// agents for a past moment.
func TestQueryRefreshesCounters(t *testing.T) {
	b := filled(t)
	do(handler(b), "POST", "/api/v1/query", `{"query": "RETURN 1"}`)
	do(handler(b), "POST", "/api/v1/query", `{"query": "RETURN 1", "at": "2026-11-20T00:00:00Z"}`)
	if len(b.asked) != 1 {
		t.Errorf("asked %d times", len(b.asked))
	}
}

// TestWorldsAreKept wants a graph that heard nothing to be rendered once, and one
// that heard something to be rendered anew.
func TestWorldsAreKept(t *testing.T) {
	b := filled(t)
	w := &worlds{}
	first := w.get(b.g)
	if w.get(b.g) != first {
		t.Error("the same graph was rendered twice")
	}
	doc, err := model.NewDocument(model.Name{Host: "web-18", Package: model.PackageIdentity}, now, model.Identity{Hostname: "web-18"})
	if err != nil {
		t.Fatal(err)
	}
	b.g.Apply("2026-11-20.19:26:04.000000.identity.web-18", doc)
	second := w.get(b.g)
	if second == first || second.LabelCount(model.KindHost) != first.LabelCount(model.KindHost)+1 {
		t.Errorf("%d hosts, and with one more %d", first.LabelCount(model.KindHost), second.LabelCount(model.KindHost))
	}
	if w.get(graph.New(graph.Limits{})).NodeCount() != 0 {
		t.Error("another graph is the same")
	}
	runtime.KeepAlive(first)
}

// FuzzQueryBody wants an answer of ours to whatever body.
func FuzzQueryBody(f *testing.F) {
	f.Add(`{"query": "MATCH (n) WHERE n.port = $p RETURN n", "params": {"p": [1, null, {"a": 1e300}]}, "at": "2026-11-20T00:00:00Z"}`)
	f.Add(`{"query": "RETURN $p", "params": {"p": 123456789012345678901234567890}}`)
	f.Fuzz(func(t *testing.T, body string) {
		b := newBackend()
		w := do(handler(b), "POST", "/api/v1/query", body)
		if w.Code != 200 && w.Code != 400 && w.Code != 413 && w.Code != 422 || !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%q: %d %s", body, w.Code, w.Body)
		}
	})
}
