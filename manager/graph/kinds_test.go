package graph

import (
	"cmp"
	"hash/maphash"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestEveryKindHasAName(t *testing.T) {
	if len(nodeKindNames) != int(nodeKinds) || len(edgeKindNames) != int(edgeKinds) {
		t.Fatalf("%d and %d names for %d and %d kinds", len(nodeKindNames), len(edgeKindNames), nodeKinds, edgeKinds)
	}
	for k := range nodeKinds {
		if k.String() == "" {
			t.Errorf("kind %d of nodes has no name", k)
		}
	}
	for k := range edgeKinds {
		if k.String() == "" {
			t.Errorf("kind %d of edges has no name", k)
		}
	}
}

// TestEdgesAreOrderedAsTheirIdentifiers uses identifiers that begin with one another, and
// with what stands between them.
func TestEdgesAreOrderedAsTheirIdentifiers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	v := &view{seed: maphash.MakeSeed()}
	for range 60 {
		var id strings.Builder
		for range r.IntN(4) {
			id.WriteString([]string{"a", " -", "in", "-> ", "z", " ", "!"}[r.IntN(7)])
		}
		if v.node(id.String(), nodeHost, ""); len(v.list) == 20 {
			v.rank() // those that come later have no ranks
		}
	}
	if v.unranked == 0 || v.list[0].ranks.id == 0 {
		t.Fatalf("%d of %d nodes have no ranks", v.unranked, len(v.list))
	}
	random := func() *edge {
		nodes := v.list
		return &edge{from: nodes[r.IntN(len(nodes))], to: nodes[r.IntN(len(nodes))], kind: edgeKind(r.IntN(int(edgeKinds)))}
	}
	for range 50_000 {
		a, b := random(), random()
		if got, want := compareNodes(a.from, b.from), strings.Compare(a.from.id, b.from.id); got != want {
			t.Fatalf("%q and %q: %d, want %d", a.from.id, b.from.id, got, want)
		}
		if got, want := compareNatural(a.from, b.from), cmp.Or(natural(a.from.id, b.from.id), strings.Compare(a.from.id, b.from.id)); cmp.Compare(got, 0) != cmp.Compare(want, 0) {
			t.Fatalf("%q and %q: %d, want %d", a.from.id, b.from.id, got, want)
		}
		if got, want := compareEdges(a, b), strings.Compare(a.id(), b.id()); cmp.Compare(got, 0) != want {
			t.Fatalf("%q and %q: %d, want %d", a.id(), b.id(), got, want)
		}
	}
}
