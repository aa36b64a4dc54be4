package world

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"cassini/manager/cypher"
	"cassini/manager/cypher/value"
	"cassini/model"
)

func part() model.Graph {
	since := time.Date(2026, 11, 20, 19, 0, 0, 0, time.UTC)
	return model.Graph{
		Nodes: []model.Node{
			{ID: "host:web-17", Kind: model.KindHost, Attrs: model.Attrs{"name": "web-17"}},
			{ID: "service:web-17/nginx:443", Kind: model.KindService, Attrs: model.Attrs{"port": uint16(443), "addr": netip.MustParseAddr("::"),
				"cmdline": []string{"nginx", "-g"}, "since": since, "addrs": []netip.Addr{netip.MustParseAddr("10.0.0.1")}}},
			{ID: "unknown-host:10.0.0.9", Kind: model.KindUnknownHost, Attrs: model.Attrs{}},
		},
		Edges: []model.Edge{
			{ID: "e1", Kind: model.EdgeRuns, From: "host:web-17", To: "service:web-17/nginx:443", Attrs: model.Attrs{}},
			{ID: "e2", Kind: model.EdgeDependsOn, From: "unknown-host:10.0.0.9", To: "service:web-17/nginx:443", Attrs: model.Attrs{"connections": uint64(7)}},
			{ID: "e3", Kind: model.EdgeRuns, From: "host:gone", To: "service:web-17/nginx:443"},
		},
	}
}

func TestQueries(t *testing.T) {
	for text, want := range map[string]string{
		"MATCH (h:Host)-[:runs]->(s:service) RETURN h.id, s.port":                                  "['host:web-17', 443]",
		"MATCH (c:UnknownHost)-[d:DEPENDS_ON]->() RETURN id(c), d.connections, type(d), labels(c)": "['unknown-host:10.0.0.9', 7, 'depends_on', ['unknown-host']]",
		"MATCH (s:SERVICE) RETURN s.addr, s.cmdline[0], s.addrs, s.since.year, s.nothing":          "['::', 'nginx', ['10.0.0.1'], 2026, null]",
		"MATCH (s:service) WHERE s.since < datetime('2026-11-20T19:00:01Z') RETURN elementId(s)":   "['service:web-17/nginx:443']",
		"MATCH ()-[r:runs]->() RETURN count(r)":                                                    "[1]",
		"MATCH (n:nothing) RETURN count(n)":                                                        "[0]",
		"EXPLAIN MATCH (n {id: 'host:web-17'}) RETURN n.name":                                      "['NodesByIndex', '(n {id: \\'host:web-17\\'})', '~1']",
		"EXPLAIN MATCH (n) WHERE id(n) = 'host:web-17' RETURN n.name":                              "['NodesByIndex', '(n {id(): \\'host:web-17\\'})', '~1']",
		"MATCH (n) WHERE id(n) = 'host:web-17' RETURN n.name":                                      "['web-17']",
		"MATCH (n) WHERE n:Host OR n:unknown_host RETURN count(*)":                                 "[2]",
	} {
		q, err := cypher.Compile(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		result, err := q.Run(t.Context(), Of(part()), cypher.Options{})
		if err != nil || len(result.Rows) == 0 {
			t.Errorf("%s: %d rows, %v", text, len(result.Rows), err)
			continue
		}
		if got := value.Format(value.List(result.Rows[0])); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// BenchmarkOf makes a graph for queries of 100,000 nodes and as many edges, as
// every query does, and asks it something that an index answers.
func BenchmarkOf(b *testing.B) {
	g := model.Graph{}
	for i := range 100_000 {
		id := fmt.Sprintf("service:h%d/s:%d", i/100, i%100)
		g.Nodes = append(g.Nodes, model.Node{ID: id, Kind: model.KindService, Attrs: model.Attrs{"port": uint16(i % 100), "state": "listening"}})
		g.Edges = append(g.Edges, model.Edge{ID: fmt.Sprint(i), Kind: model.EdgeDependsOn, From: id, To: g.Nodes[i/2].ID, Attrs: model.Attrs{"connections": uint64(i)}})
	}
	q, err := cypher.Compile("MATCH (s {id: 'service:h7/s:7'})<-[d]-(c) RETURN c.id, d.connections")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if result, err := q.Run(b.Context(), Of(g), cypher.Options{}); err != nil || len(result.Rows) != 2 {
			b.Fatal(len(result.Rows), err)
		}
	}
}
