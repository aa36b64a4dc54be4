package graph

import (
	"math"
	"math/rand/v2"
	"testing"

	"cassini/manager/moment"
	"cassini/model"
)

// TestRunsByNumber gives dependencies run after run, and lets them all go in the end.
func TestRunsByNumber(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	all := newRuns()
	has, want := make([]uint32, 50), make([]moment.Moment, 50)
	for step := range 5000 {
		i := r.IntN(len(has))
		want[i] = moment.Moment(r.IntN(20)) // 0 is that of none
		has[i] = all.swap(has[i], want[i])
		for i, number := range has {
			if got := all.since(number); got != want[i] {
				t.Fatalf("step %d: since %d, want %d", step, got, want[i])
			}
		}
	}
	if len(all.list) > 21 {
		t.Errorf("%d numbers for 20 runs", len(all.list))
	}
	for _, number := range has {
		all.drop(number)
	}
	if all.by.Len() != 0 || len(all.free) != len(all.list)-1 {
		t.Errorf("%d runs are left, %d of %d numbers free", all.by.Len(), len(all.free), len(all.list))
	}
}

func TestBrief(t *testing.T) {
	for _, goes := range []model.Direction{model.Unknown, model.Out, model.In} {
		b := briefOf(goes)
		for pid, want := range map[int]int{0: 0, 1: 1, 1 << 22: 1 << 22, -1: 0, math.MaxInt: 1<<28 - 1} {
			for flags, set := range map[[2]bool]func(){{false, false}: b.joinsAnew, {true, false}: b.isJoined, {false, true}: b.hasMet} {
				b.joinsAnew()
				set()
				if b.isProcess(pid); b.direction() != goes || b.joined() != flags[0] || b.met() != flags[1] || b.pid() != want {
					t.Errorf("%s, %d, %v became %s, %d, %v, %v", goes, pid, flags, b.direction(), b.pid(), b.joined(), b.met())
				}
			}
		}
	}
}
