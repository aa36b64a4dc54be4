package graph

import (
	"math/rand/v2"
	"testing"

	"cassini/model"
)

// steps is how far all nodes are from one, by trying everything: -1 where there is no way.
func steps(g model.Graph, from string) map[string]int {
	kind := make(map[string]string)
	away := make(map[string]int)
	for _, n := range g.Nodes {
		kind[n.ID], away[n.ID] = n.Kind, -1
	}
	away[from] = 0
	for changed := true; changed; {
		changed = false
		by := func(a, b string) {
			switch {
			case away[a] < 0, a != from && (kind[a] == model.KindSubnet || kind[a] == model.KindVLAN || kind[a] == model.KindRing):
			case away[b] < 0 || away[b] > away[a]+1:
				away[b], changed = away[a]+1, true
			}
		}
		for _, e := range g.Edges {
			if e.Kind != model.EdgeNext {
				by(e.From, e.To)
				by(e.To, e.From)
			}
		}
	}
	return away
}

// TestPathAgainstBruteForce wants the shortest ways, along edges that there are, and none
// by way of what joins everything.
func TestPathAgainstBruteForce(t *testing.T) {
	none, long := 0, 0
	for seed := range uint64(40) {
		w := randomEstate(t, seed)
		w.ring("h0", "h1", "h2")
		w.link("alone", "eth0", "02:00:00:00:00:77", addresses("10.0.0.77/24")) // in the subnet of others, and no more
		whole := w.Graph.Graph(GraphFilter{})
		edges := make(map[model.Step]bool)
		for _, e := range whole.Edges {
			edges[model.Step{From: e.From, Kind: e.Kind, To: e.To}] = true
			edges[model.Step{From: e.To, Kind: e.Kind, To: e.From, Against: true}] = true
		}
		r := rand.New(rand.NewPCG(seed, 8))
		for range 8 {
			from := whole.Nodes[r.IntN(len(whole.Nodes))].ID
			for to, want := range steps(whole, from) {
				way, unknown := w.Path(from, to)
				if unknown != "" || len(way) != max(0, want) {
					t.Fatalf("seed %d: %d steps from %s to %s, want %d: %+v", seed, len(way), from, to, want, way)
				}
				none, long = none+min(0, want), max(long, want)
				at := from
				for _, s := range way {
					if s.From != at || !edges[s] {
						t.Fatalf("seed %d: from %s to %s there is no %+v", seed, from, to, s)
					}
					at = s.To
				}
				if len(way) > 0 && at != to {
					t.Fatalf("seed %d: the way from %s to %s ends at %s", seed, from, to, at)
				}
			}
		}
	}
	if none == 0 || long < 5 {
		t.Errorf("%d without a way, the longest %d", -none, long)
	}
}
