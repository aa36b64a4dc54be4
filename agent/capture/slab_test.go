package capture

import "testing"

// Places are apart from each other, and hold nothing when they are handed out again.
func TestSlab(t *testing.T) {
	var s slab[[3]uint64]
	taken := make(map[*[3]uint64]bool)
	for i := range 3 * slabBytes / 24 {
		at := s.take()
		if taken[at] || *at != ([3]uint64{}) {
			t.Fatalf("place %d: taken before %v, holds %v", i, taken[at], *at)
		}
		taken[at] = true
		*at = [3]uint64{1, 2, 3}
	}
	for at := range taken {
		s.give(at)
	}
	for range len(taken) {
		at := s.take()
		if !taken[at] || *at != ([3]uint64{}) {
			t.Fatalf("given back %v, holds %v", taken[at], *at)
		}
		delete(taken, at)
	}
}
