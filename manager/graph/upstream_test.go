package graph

import (
	"math/rand/v2"
	"reflect"
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
				f := v.falls().flood()
				c := x.try(f, []upper{u}, make(members, (len(f.node)+63)/64))[0]
				f.done()
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

// TestWhatIsNotFollowedDoesNotMatter compares with searches that follow everything.
func TestWhatIsNotFollowedDoesNotMatter(t *testing.T) {
	spared := 0
	for seed := range uint64(600) {
		randomEstate(t, seed).read(func(v *view) {
			// Few that ail, on one client, as when a service of it does.
			x := searching(v, seed)
			r := rand.New(rand.NewPCG(seed, 9))
			x.symptoms = x.symptoms[:min(len(x.symptoms), 1+r.IntN(4))]
			if len(x.symptoms) == 0 {
				return
			}
			x.of, x.tried, x.atOnce = len(x.symptoms), 3, 1
			whole := *x
			got := x.explain(5)
			nodes := whole.upstream()
			for i := range nodes {
				nodes[i].may = everything
			}
			whole.follow(nodes)
			want := whole.chosen(5)
			spared += len(whole.candidates) - len(x.candidates)
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d: %+v, want %+v", seed, got, want)
			}
		})
	}
	if spared < 100 {
		t.Errorf("only %d were not followed", spared)
	}
}
