package member

import (
	"fmt"
	"testing"
	"time"

	"cassini/model"
	"cassini/model/wire"
)

func TestEpochs(t *testing.T) {
	b := placed(t)
	b.assign(place(6), 7, false)
	same := place(7)
	same.Next.RingMember = relay // whatever it says: this epoch is known
	b.assign(same, 7, true)
	if b.Stats().Stale != 1 || !b.watches[testRing]["next"] || b.watches[testRing]["relay"] {
		t.Errorf("%+v, watches %v", b.Stats(), b.watches)
	}
	b.assign(&model.Assignment{Ring: testRing, Epoch: 6, Gone: true}, 7, false)
	b.assign(&model.Assignment{Ring: testRing, Epoch: 8, Gone: true}, 8, true)
	if len(b.Assignments()) != 0 || b.joined[testRing] || len(b.watches[testRing]) != 0 {
		t.Errorf("left, and yet %v, %v, %v", b.Assignments(), b.joined, b.watches)
	}
	b.assign(place(7), 8, false) // what came late
	rotated := place(6)
	rotated.Keys = keys(2)
	b.assign(rotated, 8, false)
	b.assign(&model.Assignment{Ring: testRing, Epoch: 8, Gone: true}, 8, true)
	b.assign(place(9), 9, true)
	b.assign(&model.Assignment{Ring: testRing, Epoch: 10, Gone: true}, 10, true)
	another := place(1) // made anew under the old name
	another.Keys = keys(50)
	b.assign(another, 1, true)
	b.assign(&model.Assignment{Ring: model.ManagerRing("me"), Epoch: 3}, 0, false)
}

// Rings that were left are remembered also by the next life, and not without bound.
func TestLeftRingsAreRemembered(t *testing.T) {
	b := placed(t)
	b.assign(&model.Assignment{Ring: testRing, Epoch: 8, Gone: true}, 8, true)
	again := bare(t)
	again.Restore(append(b.saved, nil), again.now)
	again.assign(place(7), 8, false)
	for i := range 500 {
		again.Assign(&model.Assignment{Ring: model.RingID(fmt.Sprint("ring-", i)), Epoch: 1, Gone: true}, again.now)
	}
	if len(again.gone) != maxGone || len(again.saved) != maxGone {
		t.Errorf("%d are remembered, %d are kept", len(again.gone), len(again.saved))
	}
}

func TestPlaceSurvivesARestart(t *testing.T) {
	b := placed(t)
	again := bare(t)
	again.Restore(b.saved, again.now)
	if !again.watches[testRing]["next"] || !again.watches[testRing]["previous"] || again.saved != nil {
		t.Errorf("watches %v, saved %v", again.watches, again.saved)
	}
	again.assign(place(6), 7, false)
}

func TestSmallRings(t *testing.T) {
	for name, c := range map[string]struct {
		edit  func(*model.Assignment)
		links int
	}{
		"one": {func(a *model.Assignment) {
			a.Next, a.Previous, a.Successors = model.RingNeighbor{}, model.RingNeighbor{}, nil
		}, 0},
		"itself": {func(a *model.Assignment) {
			a.Next.RingMember, a.Previous.RingMember, a.Successors = self(), self(), []model.RingMember{self()}
		}, 0},
		"two": {func(a *model.Assignment) {
			a.Next = model.RingNeighbor{RingMember: next, Beyond: self()}
			a.Previous, a.Successors = a.Next, []model.RingMember{next}
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b, a := bare(t), place(1)
			c.edit(a)
			b.assign(a, 1, true)
			b.pass(10 * time.Second)
			if len(b.watches[testRing]) != c.links || (c.links == 0) != b.Next().IsZero() || (c.links == 0) != (len(b.beats) == 0) {
				t.Errorf("watches %v, next tick %v, %d heartbeats", b.watches, b.Next(), len(b.beats))
			}
			b.hear(someone("stranger", 99), wire.Message{Type: wire.Bridge, Subject: next})
			if len(b.watches[testRing]) != c.links {
				t.Errorf("a bridge leads to %v", b.watches)
			}
		})
	}
}

// Neighbors that changed are watched, the old ones are not; a bridge ends.
func TestChangedNeighbours(t *testing.T) {
	b := placed(t)
	a := place(8)
	a.Next = model.RingNeighbor{RingMember: second, Beyond: third}
	a.Successors = a.Successors[1:]
	b.quiet(next)
	if len(b.cases) != 1 {
		t.Fatal("no case")
	}
	b.assign(a, 8, true)
	if len(b.cases) != 0 || b.watches[testRing]["next"] || !b.watches[testRing]["second"] {
		t.Errorf("cases %v, watches %v", b.cases, b.watches)
	}
	b.pass(10 * time.Second)
	b.reported()
}

// The later life of a neighbor, or its new address, is given a window anew.
func TestAnotherLifeIsWatchedAnew(t *testing.T) {
	for name, edit := range map[string]func(*model.RingMember){
		"life":    func(m *model.RingMember) { m.Incarnation++ },
		"address": func(m *model.RingMember) { m.Addr = relay.Addr },
	} {
		t.Run(name, func(t *testing.T) {
			b, a := placed(t), place(8)
			b.quiet(next)
			edit(&a.Next.RingMember)
			edit(&a.Successors[0])
			b.assign(a, 8, true)
			if len(b.cases) != 0 || fmt.Sprint(b.rewatched) != "[next]" {
				t.Errorf("cases %v, watched anew %v", b.cases, b.rewatched)
			}
		})
	}
}

// A case whose ring is left goes on in the other ring that has the suspect.
func TestCaseMovesToAnotherRing(t *testing.T) {
	b, a := placed(t), place(3)
	a.Ring = "top/1"
	b.assign(a, 3, true)
	b.quiet(next)
	b.pass(300 * time.Millisecond)
	b.hear(third, wire.Message{Type: wire.Question, ID: 77, Subject: next})
	b.assign(&model.Assignment{Ring: testRing, Epoch: 8, Gone: true}, 8, true)
	b.sent = nil
	b.pass(3 * time.Second)
	if len(b.sent) == 0 {
		t.Fatal("nothing is sent any more")
	}
	for _, s := range b.sent {
		if s.ring != "top/1" && s.Type != wire.Answer {
			t.Errorf("%s is sent in %s", s.Type, s.ring)
		}
	}
	if len(b.reports) == 0 || b.reports[0].Ring != "top/1" || b.reports[0].Subject != next {
		t.Errorf("reported %v", b.reports)
	}
	b.assign(&model.Assignment{Ring: "top/1", Epoch: 8, Gone: true}, 8, true)
	if len(b.cases)+len(b.standing)+len(b.handed) != 0 || !b.Next().IsZero() {
		t.Errorf("left all rings: %v, %v, %v", b.cases, b.standing, b.handed)
	}
}

// A damaged file, or a manager gone mad, does not keep the host busy.
func TestProfileIsTamed(t *testing.T) {
	b, a := bare(t), place(1)
	a.Profile = model.Profile{}
	b.assign(a, 1, true)
	b.quiet(next)
	b.pass(time.Minute)
	if n := len(b.beats); n > 200 {
		t.Errorf("%d heartbeats in a minute", n)
	}
}
