package cypher

import (
	"testing"

	"cassini/manager/cypher/exec"
	"cassini/manager/cypher/plan"
)

// BenchmarkQueries runs typical questions on an estate of 1000 hosts with 10
// services each: 21,000 nodes, 50,000 relationships.
func BenchmarkQueries(b *testing.B) {
	g := estate(1000, 10)
	for name, text := range map[string]string{
		"index":       "MATCH (h:Host {name: 'h500'})-[:RUNS]->(s) RETURN s.name, s.port",
		"label":       "MATCH (h:Host) WHERE h.rack = 3 RETURN h.name",
		"impact":      "MATCH (h:Host {name: 'h500'})-[:RUNS]->(s)<-[:DEPENDS_ON]-(p)<-[:RUNS_AS]-(c)<-[:RUNS]-(x) RETURN DISTINCT x.name",
		"group":       "MATCH (h:Host)-[:RUNS]->(s:Service) RETURN s.port AS port, count(*) AS n ORDER BY n DESC, port",
		"top":         "MATCH ()-[d:DEPENDS_ON]->(s) RETURN s.name AS name, sum(d.connections) AS n ORDER BY n DESC LIMIT 10",
		"transitive":  "MATCH (h:Host {name: 'h500'})-[:RUNS]->(s)-[:RUNS_AS|DEPENDS_ON*1..7]->(t:Service) RETURN count(DISTINCT t)",
		"shortest":    "MATCH p = shortestPath((a {name: 'h0'})-[*..12]-(b {name: 'h9'})) RETURN length(p)",
		"anti-join":   "MATCH (s:Service) WHERE NOT (s)<-[:DEPENDS_ON]-() RETURN count(s)",
		"expressions": "UNWIND range(1, 10000) AS x WITH x WHERE x % 3 = 0 RETURN sum(x * 2) AS s",
	} {
		b.Run(name, func(b *testing.B) {
			q, err := Compile(text)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := q.Run(b.Context(), g, Options{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := Compile(seeds[1]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPlanner compares a query as it is planned with the same query run in
// the order in which it is written, from all nodes.
func BenchmarkPlanner(b *testing.B) {
	g := estate(1000, 10)
	for name, text := range map[string]string{
		"planned": "MATCH (p:Process)-[:DEPENDS_ON]->(s:Service)<-[:RUNS]-(h:Host {name: 'h500'}) RETURN count(p)",
		"written": "MATCH (p:Process)-[:DEPENDS_ON]->(s:Service)<-[:RUNS]-(h:Host) WITH * WHERE h.name = 'h500' RETURN count(p)",
	} {
		b.Run(name, func(b *testing.B) {
			q, err := Compile(text)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				planner := &plan.Planner{Graph: g}
				limits := Limits{}.orDefaults()
				job := exec.Job{Planner: planner, Plan: planner.Query(q.tree, q.columns, nil), Graph: g,
					Env: environment(Options{}, limits), Limits: exec.Limits{Rows: limits.Rows, Memory: limits.Memory}}
				if _, err := exec.Execute(b.Context(), job); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
