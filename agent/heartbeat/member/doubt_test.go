package member

import (
	"testing"
	"time"

	"cassini/model"
)

// Who doubts itself looks twice; who was only short of CPU has seen what it has seen.
func TestDoubts(t *testing.T) {
	for doubt, want := range map[string]model.VerdictKind{
		DoubtStarved: model.VerdictCrashed, "late": model.VerdictUnobservable, "suspended": model.VerdictUnobservable, "link-down": model.VerdictUnobservable,
	} {
		t.Run(doubt, func(t *testing.T) {
			b := placed(t)
			b.fakeWorld.doubts = []string{doubt}
			b.quiet(next)
			b.pass(300 * time.Millisecond)
			b.opine(relay, next, model.SightNothing)
			b.pass(2 * time.Second)
			b.reported() // it waits a window
			b.pass(3 * time.Second)
			b.opine(relay, next, model.SightNothing)
			b.pass(3 * time.Second)
			if len(b.reports) == 0 || b.reports[0].Kind != want || b.reports[0].Subject.Host != next.Host {
				t.Fatalf("reported %+v, want %s", b.reports, want)
			}
			if b.Stats().Doubted < 1 || len(b.reports[0].Evidence.Doubts) != 1 {
				t.Errorf("%+v, %+v", b.Stats(), b.reports[0].Evidence)
			}
		})
	}
}
