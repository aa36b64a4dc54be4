package graph

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"cassini/model"
)

// TestPackedCountersAreTheSame packs counters, some of them as large as can be, one after
// the other into the same memory.
func TestPackedCountersAreTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var p packed
	for range 5000 {
		var c model.Counters
		for _, n := range each(&c) {
			switch r.IntN(4) {
			case 0:
				*n = r.Uint64() >> r.IntN(64)
			case 1:
				*n = []uint64{1, 127, 128, math.MaxUint64}[r.IntN(4)]
			}
		}
		for _, h := range histograms(&c) {
			if r.IntN(3) == 0 {
				*h = model.Histogram(make([]byte, r.IntN(300*(1+r.IntN(50)))))
			}
		}
		if p = p.pack(&c); p.counters() != c {
			t.Fatalf("%+v became %+v", c, p.counters())
		}
	}
	if p = p.pack(&model.Counters{}); p.counters() != (model.Counters{}) || (packed{}).counters() != (model.Counters{}) {
		t.Errorf("zero became %v", p)
	}
}

// TestEveryCounterIsPacked fails when model has one that each does not know.
func TestEveryCounterIsPacked(t *testing.T) {
	if n := numbers(reflect.TypeFor[model.Counters]()); n != counted+len(histograms(&model.Counters{})) {
		t.Errorf("%d counters, %d and histograms are packed", n, counted)
	}
	var c model.Counters
	seen := make(map[*uint64]bool)
	for _, n := range each(&c) {
		seen[n] = true
	}
	if len(seen) != counted {
		t.Errorf("%d are packed", len(seen))
	}
}

func numbers(t reflect.Type) (n int) {
	if t.Kind() != reflect.Struct {
		return 1
	}
	for i := range t.NumField() {
		n += numbers(t.Field(i).Type)
	}
	return n
}
