package graph

import (
	"fmt"
	"slices"
	"testing"
)

// TestCrowds keeps no edges in order that come, and asks now and then: the graph is the same as
// one that does, and all edges stand in order for who asks.
func TestCrowds(t *testing.T) {
	crowds := 0
	for seed := range uint64(seeds) {
		w := generate(t, seed, 300)
		late := New(Limits{})
		late.crowdFrom = 1
		for i, d := range w.docs {
			late.Apply(fmt.Sprintf("%08d.%s.%s", i+1, d.Package, d.Host), d)
			if late.built != nil {
				crowds += len(late.built.crowded)
			}
			if i%17 == 0 {
				late.inOrder(t)
			}
		}
		if a, b := state(t, w.Graph), state(t, late); a != b {
			t.Fatalf("seed %d: graphs differ at %s", seed, difference(a, b))
		}
		late.inOrder(t)
	}
	if crowds == 0 {
		t.Error("nothing was put in order late")
	}
}

// inOrder looks at all edges as somebody who asks.
func (g *Graph) inOrder(t *testing.T) {
	t.Helper()
	g.read(func(v *view) {
		for n := range v.all() {
			if !slices.IsSortedFunc(n.in(), compareEdges) || !slices.IsSortedFunc(n.out(), compareEdges) {
				t.Fatalf("edges of %s are not in order", n.id)
			}
		}
	})
}

// BenchmarkCrowd lets clients come to a service that has many.
func BenchmarkCrowd(b *testing.B) {
	for _, clients := range []int{1_000, 10_000, 100_000} {
		for name, from := range map[string]int{"late": crowdFrom, "in order": 1 << 30} {
			b.Run(fmt.Sprint(clients, " ", name), func(b *testing.B) {
				g := New(Limits{})
				g.crowdFrom = from
				v := g.build()
				server, _ := v.node("service:db", nodeService, "")
				for n := range clients {
					client, _ := v.node(fmt.Sprintf("process:%07d", n*2), nodeProcess, "")
					v.edge(edgeDependsOn, client, server)
				}
				n := 0
				for b.Loop() {
					n++
					client, _ := v.node(fmt.Sprintf("process:%07d", n*7919%(2*clients)*2+1), nodeProcess, "")
					v.edge(edgeDependsOn, client, server)
					if n%512 == 0 {
						v.order()
					}
				}
			})
		}
	}
}
