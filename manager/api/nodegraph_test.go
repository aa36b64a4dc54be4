package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"cassini/manager/graph"
)

func nodegraph(t *testing.T, h http.Handler, query string) (g graph.NodeGraph, raw string) {
	t.Helper()
	w := do(h, "GET", "/api/v1/nodegraph"+query, "")
	if err := json.Unmarshal(w.Body.Bytes(), &g); err != nil || w.Code != 200 {
		t.Fatalf("%d %v: %s", w.Code, err, w.Body)
	}
	return g, w.Body.String()
}

// TestNodegraph holds the answer against what the panel documents: names in lower case,
// and edges between nodes that are there.
func TestNodegraph(t *testing.T) {
	b := filled(t)
	h := handler(b)
	g, raw := nodegraph(t, h, "")
	for _, part := range []string{
		`{"nodes":[{"id":"host:web-17","title":"web-17","subtitle":"host","mainstat":"not watched","secondarystat":"1 service","color":"gray","detail__kind":"host"}`,
		`"source":"process:web-17/usr/bin/curl","target":"service:web-17/nginx:8080","mainstat":"3 connections","secondarystat":"0 open","color":"green"}`,
		`"mainstat":"0 connections","secondarystat":"0 open, 2 failed","color":"orange"}`, `"left_out":0}`,
	} {
		if !strings.Contains(raw, part) {
			t.Errorf("%s is not in %s", part, raw)
		}
	}
	if len(g.Nodes) != 5 || len(g.Edges) != 4 {
		t.Errorf("%d nodes and %d edges in %s", len(g.Nodes), len(g.Edges), raw)
	}
	if len(b.asked) != 1 {
		t.Errorf("counters were brought up to date %d times", len(b.asked))
	}
}

func TestNodegraphParameters(t *testing.T) {
	h := handler(filled(t))
	if g, raw := nodegraph(t, h, "?kind=host"); len(g.Nodes) != 1 || len(g.Edges) != 0 {
		t.Errorf("hosts alone: %s", raw)
	}
	if _, raw := nodegraph(t, h, "?host=elsewhere"); raw != `{"nodes":[],"edges":[],"left_out":0}`+"\n" {
		t.Errorf("of another host: %s", raw)
	}
	if g, raw := nodegraph(t, h, "?limit=2"); len(g.Nodes) != 2 || g.LeftOut != 3 {
		t.Errorf("two: %s", raw)
	}
	if g, raw := nodegraph(t, h, "?at=2026-11-20T19:00:00Z"); len(g.Nodes) != 0 {
		t.Errorf("before there was anything: %s", raw)
	}
	wantProblem(t, do(h, "GET", "/api/v1/nodegraph?limit=0", ""), 400, "from 1 to")
	wantProblem(t, do(h, "GET", "/api/v1/nodegraph?kind=depends_on", ""), 400, "want one of host")
}

func TestNodegraphIsDescribed(t *testing.T) {
	s := spec(t)
	var v any
	w := do(handler(filled(t)), "GET", "/api/v1/nodegraph", "")
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	schema := at(s, "paths", "/api/v1/nodegraph", "get", "responses", "200", "content", "application/json", "schema")
	for _, e := range check(s, schema, v, "nodegraph") {
		t.Error(e)
	}
}

// TestNodeGraphDataSource asks as Grafana's Node Graph API data source does: at its three
// addresses, of which the fields name all that the data has
// (grafana.com/grafana/plugins/hamedkarbasi93-nodegraphapi-datasource).
func TestNodeGraphDataSource(t *testing.T) {
	h := handler(filled(t))
	ask := func(target string, into any) {
		t.Helper()
		w := do(h, "GET", target, "")
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil || w.Code != 200 {
			t.Fatalf("%s: %d %v: %s", target, w.Code, err, w.Body)
		}
	}
	var health map[string]any
	ask("/api/health", &health)
	var fields map[string][]struct {
		Name string `json:"field_name"`
		Type string
	}
	ask("/api/graph/fields", &fields)
	var data struct{ Nodes, Edges []map[string]any }
	ask("/api/graph/data?id=host:web-17&depth=2", &data)
	if len(data.Nodes) < 2 || len(data.Edges) == 0 {
		t.Fatalf("got %+v", data)
	}
	for what, rows := range map[string][]map[string]any{"nodes_fields": data.Nodes, "edges_fields": data.Edges} {
		for _, row := range rows {
			if len(row) != len(fields[what]) {
				t.Errorf("%s: %d fields, %d are told of", what, len(row), len(fields[what]))
			}
			for _, f := range fields[what] {
				if _, text := row[f.Name].(string); !text || f.Type != "string" {
					t.Errorf("%s: %s is %v, told to be %s", what, f.Name, row[f.Name], f.Type)
				}
			}
		}
	}
	wantProblem(t, do(h, "GET", "/api/graph/data?id=host:nobody", ""), 404, "nobody")
}

func TestNodeGraphOfGroups(t *testing.T) {
	h := handler(filled(t))
	g, raw := nodegraph(t, h, "?group=executable")
	if len(g.Nodes) == 0 || !strings.Contains(raw, `"id":"group:/usr/sbin/nginx","title":"/usr/sbin/nginx","subtitle":"executable"`) ||
		!strings.Contains(raw, `"source":"group:/usr/bin/curl","target":"group:/usr/sbin/nginx","mainstat":"3 connections"`) {
		t.Errorf("got %s", raw)
	}
	if g, raw := nodegraph(t, h, "?group=executable&limit=1"); len(g.Nodes) != 1 || g.LeftOut == 0 {
		t.Errorf("one: %s", raw)
	}
	wantProblem(t, do(h, "GET", "/api/v1/nodegraph?group=nothing", ""), 400, "want one of executable")
}
