package table

import (
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestAgainstAMap does the same to a table and to a map: with good hashes, and with such that
// many share or that lie at either end.
func TestAgainstAMap(t *testing.T) {
	seed := maphash.MakeSeed()
	for name, hash := range map[string]func(int) uint64{
		"good":  func(n int) uint64 { return maphash.Comparable(seed, n) },
		"alike": func(n int) uint64 { return uint64(n%3) << 32 },
		"ends":  func(n int) uint64 { return -uint64(n%2) - uint64(n%7)<<40 },
	} {
		t.Run(name, func(t *testing.T) {
			var all Table[int]
			known := make(map[int]bool)
			r := rand.New(rand.NewPCG(1, 2))
			for step := range 20_000 {
				n := r.IntN(400)
				is := func(x int) bool { return x == n }
				grows := step/3000%2 == 0 // and then it gets less
				if _, ok := all.Find(hash(n), is); ok != known[n] {
					t.Fatalf("step %d: found %v, want %v", step, ok, known[n])
				}
				switch {
				case known[n] && (!grows || r.IntN(4) == 0):
					if !all.Remove(hash(n), is) || all.Remove(hash(n), is) {
						t.Fatalf("step %d: %d is not removed once", step, n)
					}
					delete(known, n)
				case !known[n] && (grows || r.IntN(4) == 0):
					all.Add(hash(n), n)
					known[n] = true
				}
				if all.Len() != len(known) {
					t.Fatalf("step %d: %d things, want %d", step, all.Len(), len(known))
				}
				if step%500 == 0 {
					compare(t, &all, known)
				}
			}
		})
	}
}

func compare(t *testing.T, all *Table[int], known map[int]bool) {
	t.Helper()
	list := slices.Sorted(all.All())
	if len(list) != len(known) || len(slices.Compact(list)) != len(known) {
		t.Fatalf("%d things, want %d", len(list), len(known))
	}
	for _, n := range list {
		if !known[n] {
			t.Fatalf("there is %d", n)
		}
	}
	if places := len(all.hashes); places > 5*smallest && places > 4*len(known) {
		t.Errorf("%d places for %d", places, len(known))
	}
}

// TestAllEnds when nobody wants more.
func TestAllEnds(t *testing.T) {
	var all Table[int]
	for n := range 10 {
		all.Add(uint64(n)<<40, n)
	}
	seen := 0
	for range all.All() {
		if seen++; seen == 3 {
			break
		}
	}
	if seen != 3 {
		t.Errorf("seen %d", seen)
	}
}

func BenchmarkFind(b *testing.B) {
	seed := maphash.MakeSeed()
	var all Table[int]
	const many = 100_000
	for n := range many {
		all.Add(maphash.Comparable(seed, n), n)
	}
	n := 0
	for b.Loop() {
		n = (n + 7919) % many
		if _, ok := all.Find(maphash.Comparable(seed, n), func(x int) bool { return x == n }); !ok {
			b.Fatal(n)
		}
	}
}
