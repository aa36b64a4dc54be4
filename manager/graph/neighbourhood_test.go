package graph

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"cassini/model"
)

// TestNeighbourhoodByBruteForce goes over all edges of random estates for each step.
func TestNeighbourhoodByBruteForce(t *testing.T) {
	for seed := range uint64(5) {
		w := generate(t, seed, 200)
		all := w.Graph.Graph(GraphFilter{})
		for i, start := range all.Nodes {
			depth := i % 4
			near := map[string]bool{start.ID: true}
			for range depth {
				var next []string
				for _, e := range all.Edges {
					if near[e.From] || near[e.To] {
						next = append(next, e.From, e.To)
					}
				}
				for _, id := range next {
					near[id] = true
				}
			}
			want := model.Graph{Nodes: []model.Node{}, Edges: []model.Edge{}}
			for _, n := range all.Nodes {
				if near[n.ID] {
					want.Nodes = append(want.Nodes, n)
				}
			}
			for _, e := range all.Edges {
				if near[e.From] && near[e.To] {
					want.Edges = append(want.Edges, e)
				}
			}
			got, _ := w.Neighbourhood(start.ID, depth)
			if a, b := text(t, got), text(t, want); a != b {
				t.Fatalf("seed %d, %s, depth %d: %s", seed, start.ID, depth, difference(a, b))
			}
		}
	}
}

// TestImpactAfterImpact asks a graph that has answered before, and one that has not: what
// one question left behind must not be in the next answer.
func TestImpactAfterImpact(t *testing.T) {
	for seed := range uint64(5) {
		w := generate(t, seed, 200)
		for _, n := range w.Nodes(NodeFilter{}) {
			got, _ := w.Impact(n.ID)
			w.read(func(v *view) {
				f := &falling{v: v, hits: make([]hit, len(v.list))}
				f.from(v.named(n.ID))
				if a, b := text(t, got.Victims), text(t, f.victims()); a != b {
					t.Fatalf("seed %d, %s: %s", seed, n.ID, difference(a, b))
				}
			})
		}
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestLargePartsAreRenderedWhole asks for more than one processor is given.
func TestLargePartsAreRenderedWhole(t *testing.T) {
	w := newWorld(t)
	w.listen("db", "/bin/db", "10.1.0.1", 5432)
	for i := range 3 * renderApart {
		w.out(fmt.Sprint("web-", i), "/bin/client", fmt.Sprintf("10.2.%d.%d", i/200, i%200+1), "10.1.0.1", 5432, n(uint64(i)))
	}
	p, _ := w.Neighbourhood("service:db/db:5432", 1)
	if len(p.Edges) < 3*renderApart || len(p.Nodes) <= 3*renderApart {
		t.Fatalf("%d nodes and %d edges", len(p.Nodes), len(p.Edges))
	}
	for i, n := range p.Nodes {
		if want := w.built.named(n.ID); want == nil || !reflect.DeepEqual(n, want.render()) || i > 0 && p.Nodes[i-1].ID >= n.ID {
			t.Fatalf("node %d: %+v", i, n)
		}
	}
	for i, e := range p.Edges {
		if e.ID == "" || e.Attrs == nil || i > 0 && p.Edges[i-1].ID >= e.ID {
			t.Fatalf("edge %d: %+v", i, e)
		}
	}
	w.writtenAsJSON(t) // on several pages
}
