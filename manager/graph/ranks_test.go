package graph

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRanksAreThoseOfASortedList lets nodes come and go between rankings, and compares each
// ranking with one of all nodes at once.
func TestRanksAreThoseOfASortedList(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	v := &view{g: New(Limits{}), seed: maphash.MakeSeed()}
	for range 1000 {
		for range r.IntN(8) {
			kind := nodeKind(r.IntN(int(nodeKinds)))
			v.node(fmt.Sprint(kind, ":", r.IntN(3), []string{"", " -", "!", "a"}[r.IntN(4)]), kind, "")
		}
		for n := range v.all() {
			if r.IntN(4) == 0 {
				v.drop(n)
			}
		}
		v.rank()
		checkRanks(t, v)
	}
}

func checkRanks(t *testing.T, v *view) {
	t.Helper()
	list := slices.Collect(v.all())
	slices.SortFunc(list, func(a, b *node) int { return compareNodes(&node{id: a.id}, &node{id: b.id}) })
	for i, n := range list {
		if n.ranks.id != uint32(i+1) {
			t.Fatalf("%q has rank %d, want %d", n.id, n.ranks.id, i+1)
		}
		if begins := i+1 < len(list) && list[i+1].goesOnFrom(n); n.begins != begins {
			t.Fatalf("another begins as %q: %v, want %v", n.id, n.begins, begins)
		}
	}
	list = slices.DeleteFunc(list, func(n *node) bool { return !fallsVisibly(n.kind) })
	slices.SortFunc(list, func(a, b *node) int { return compareNatural(&node{id: a.id}, &node{id: b.id}) })
	for i, n := range list {
		if n.ranks.natural != uint32(i+1) {
			t.Fatalf("%q has rank %d among what falls visibly, want %d", n.id, n.ranks.natural, i+1)
		}
	}
}
