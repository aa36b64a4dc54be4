package graph

import (
	"math/rand/v2"
	"testing"
)

// TestPairsAreCounted does to pairs what it does to a map, also to such as have half of their
// number in common.
func TestPairsAreCounted(t *testing.T) {
	var p pairs
	r := rand.New(rand.NewPCG(1, 2))
	known := make(map[uint64]int)
	for step := range 20_000 {
		pair := uint64(r.IntN(9)+1)<<32 | uint64(r.IntN(9)<<1|1)
		if known[pair] > 0 && r.IntN(2) == 0 {
			known[pair]--
			p.drop(pair)
		} else if p.add(pair) != (known[pair] == 0) {
			t.Fatalf("step %d: with %d before, it is told otherwise", step, known[pair])
		} else {
			known[pair]++
		}
	}
	for pair, n := range known {
		for range n {
			p.drop(pair)
		}
	}
	if p.drop(0); p.count() != 0 || len(p.more) != 0 {
		t.Errorf("%d and %d are left", p.count(), len(p.more))
	}
}
