package graph

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTracksFollowTheView compares tracks that were made before random changes with such that are
// made anew.
func TestTracksFollowTheView(t *testing.T) {
	made, kept := 0, 0
	for seed := range uint64(200) {
		w := randomEstate(t, seed)
		r := rand.New(rand.NewPCG(seed, 14))
		for range 30 {
			w.read(func(v *view) {
				old := v.takeTracks()
				defer v.leaveTracks(old)
				for n := range v.all() {
					kept += b2i(n.kind == nodeProcess && old.at[n.index] != untold)
				}
				made += old.compare(t, seed, v, newTracks(v, 1+r.IntN(20)))
				if old.tidy(); old.gone != 0 {
					t.Fatalf("seed %d: %d are gone of a tidy list", seed, old.gone)
				}
				old.compare(t, seed, v, newTracks(v, len(v.list)))
			})
			w.disturb(r)
		}
	}
	if made < 1000 || kept < 3*made {
		t.Errorf("%d tracks were kept, %d had been forgotten and were made again", kept, made)
	}
}

// compare compares all tracks with others, and makes those that are missing.
func (t *tracks) compare(tt *testing.T, seed uint64, v *view, want *tracks) (made int) {
	tt.Helper()
	for n := range v.all() {
		if n.kind != nodeProcess {
			continue
		}
		p := n.index
		made += b2i(t.at[p] == untold)
		if got, right := t.weight(v, p), want.weight(v, p); got != right || right > 0 && !slices.Equal(t.of(p), want.of(p)) {
			tt.Fatalf("seed %d, %s: weighs %d and strikes %v, should weigh %d and strike %v", seed, n.id, got, t.of(p), right, want.of(p))
		}
	}
	return made
}
