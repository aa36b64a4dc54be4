package graph

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// TestNoneExplainsMoreThanItMay lets each node of random estates fail and looks whether what
// falls was known to hang on it.
func TestNoneExplainsMoreThanItMay(t *testing.T) {
	explained, less := 0, 0
	for seed := range uint64(300) {
		randomEstate(t, seed).read(func(v *view) {
			x := &explaining{v: v, ailing: v.ails(nil), atOnce: atATime}
			for n := range v.all() {
				if len(x.symptoms) < atATime {
					x.symptoms = append(x.symptoms, n)
				}
			}
			for _, u := range x.upstream() {
				c := x.try(x.ascent.falls().flood(), []upper{u})[0]
				var does lane
				copy(does[:], c.explains)
				if !u.may.holds(&does) {
					t.Fatalf("seed %d: %s explains %v, and may %v", seed, u.id, x.named(c.explains), x.named(u.may[:]))
				}
				explained += c.count
				less += u.may.count() - c.count
			}
		})
	}
	if explained < 1000 || less < 1000 {
		t.Errorf("%d symptoms explained, %d fewer than might be", explained, less)
	}
}

// TestWhatIsNotFollowedDoesNotMatter compares with searches that follow everything to its end.
func TestWhatIsNotFollowedDoesNotMatter(t *testing.T) {
	spared, together, picked := 0, 0, 0
	for seed := range uint64(1200) {
		w := randomEstate(t, seed)
		r := rand.New(rand.NewPCG(seed, 9))
		if r.IntN(2) == 0 {
			w.hearEachOther(r)
		}
		w.read(func(v *view) {
			// Few that ail, on one client, as when a service of it does; or many.
			x := searching(v, seed)
			x.symptoms = x.symptoms[:min(len(x.symptoms), 1+r.IntN(1+r.IntN(12)))]
			if len(x.symptoms) == 0 {
				return
			}
			x.of, x.tried, x.atOnce = len(x.symptoms), 1+r.IntN(6), 1+r.IntN(3)
			if r.IntN(4) == 0 { // as when another question has the tracks
				defer v.leaveTracks(v.takeTracks())
			}
			slow, limit := *x, 1+r.IntN(5)
			got, want := x.explain(limit), slow.explainSlowly(limit)
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d: %+v, want %+v", seed, got, want)
			}
			spared += len(slow.candidates)
			for _, c := range x.candidates {
				spared -= b2i(c.known)
			}
			for _, e := range got {
				together += b2i(len(e.Causes) == 2)
				picked += b2i(len(e.Causes) > maxTogether)
			}
		})
	}
	if spared < 100 || together < 100 || picked < 10 {
		t.Errorf("%d were not followed to their end, %d times two were found together, %d times many", spared, together, picked)
	}
}

// TestEdgesOfAKind finds without looking at each what looking at each finds.
func TestEdgesOfAKind(t *testing.T) {
	for seed := range uint64(40) {
		w := randomEstate(t, seed)
		w.hearEachOther(rand.New(rand.NewPCG(seed, 8)))
		w.read(func(v *view) {
			for n := range v.all() {
				for kind := range nodeKinds {
					want := slices.DeleteFunc(slices.Clone(n.in()), func(e *edge) bool { return e.from.kind != kind })
					if got := n.inOf(kind); !slices.Equal(got, want) {
						t.Fatalf("seed %d: %d edges to %s from a %s, want %d", seed, len(got), n.id, kind, len(want))
					}
				}
			}
		})
	}
}
