package member

import (
	"slices"
	"testing"
	"time"

	"cassini/model"
	"cassini/model/wire"
)

func TestTwoObserversMakeADeath(t *testing.T) {
	b := placed(t)
	b.crash(next)
	b.reported(model.VerdictCrashed)
	if v := b.reports[0]; v.Subject != next || v.Epoch != 7 || v.ID.Sequence != 1 || v.Evidence.Probes != 5 || v.Evidence.SilentObservers() != 2 || v.Evidence.Silent < 4*time.Second {
		t.Errorf("%+v", v)
	}
	b.pass(time.Hour)
	if len(b.reports) > 3 { // the successor that gave no sign either is looked at too
		t.Errorf("goes on: %v", b.reports)
	}
	b.Resumed(testRing, "next", 5, b.now)
	if last := b.reports[len(b.reports)-1]; last.Kind != model.VerdictCorrected || *last.Corrects != b.reports[0].ID || last.Was != model.VerdictCrashed {
		t.Errorf("%+v", last)
	}
}

func TestAnAnswerEndsACase(t *testing.T) {
	b := placed(t)
	b.quiet(next)
	b.pass(100 * time.Millisecond)
	b.answer(next)
	if b.Stats().Refuted != 1 || len(b.cases) != 0 || len(b.rewatched) != 1 || b.score.at(b.now) != 1 {
		t.Errorf("%+v", b.Stats())
	}
	b.reported()
}

// A neighbor that answers but is not heard: its link is down, and stays so until a heartbeat comes.
func TestDeafLinkIsToldOnce(t *testing.T) {
	b := placed(t)
	for range maxDeaf {
		b.quiet(next)
		b.answer(next)
	}
	b.reported(model.VerdictLink)
	for range 1000 {
		b.pass(100 * time.Millisecond)
		if b.cases["next"] != nil {
			b.answer(next)
		}
	}
	if n := b.count(wire.Probe, "next"); n < 5 || n > 8 {
		t.Errorf("looked %d times", n)
	}
	b.hear(next, wire.Message{Type: wire.Probe, ID: 3})
	b.reported(model.VerdictLink)
	b.Resumed(testRing, "next", 5, b.now)
	b.reported(model.VerdictLink, model.VerdictCorrected)
}

// A link that is none any more cannot stay down.
func TestDeafLinkIsTakenBackWhenItEnds(t *testing.T) {
	b := placed(t)
	for range maxDeaf {
		b.quiet(next)
		b.answer(next)
	}
	b.assign(&model.Assignment{Ring: testRing, Epoch: 8, Gone: true}, 8, true)
	b.reported(model.VerdictLink, model.VerdictCorrected)
	if b.reports[1].Evidence.Clue != model.ClueUnlinked {
		t.Errorf("%+v", b.reports[1])
	}
}

// Whoever watches a host no more takes back what is no death: nobody else could.
func TestUnobservableIsTakenBackWhenItIsWatchedNoMore(t *testing.T) {
	b := placed(t)
	b.quiet(next)
	b.pass(10 * time.Second)
	said := slices.Repeat([]model.VerdictKind{model.VerdictUnobservable}, 3) // of it, and of the two behind it
	b.reported(said...)
	b.assign(&model.Assignment{Ring: testRing, Epoch: 8, Gone: true}, 8, true)
	b.reported(append(said, slices.Repeat([]model.VerdictKind{model.VerdictCorrected}, 3)...)...)
	for i, v := range b.reports[3:] {
		if v.Evidence.Clue != model.ClueUnlinked || *v.Corrects != b.reports[i].ID {
			t.Errorf("%+v", v)
		}
	}
}

// The manager may have had a late datagram of one that is dead: it plans with it, and has
// to be told again. Once it does not, nobody looks any more.
func TestDeathIsToldAgainWhenThePlanIsAnother(t *testing.T) {
	b := placed(t)
	told := func(want int) (last model.Verdict) {
		t.Helper()
		n := 0
		for _, v := range b.reports {
			if v.Subject == next && v.Kind == model.VerdictCrashed {
				n, last = n+1, v
			}
		}
		if n != want {
			t.Errorf("its death was told %d times, want %d", n, want)
		}
		return last
	}
	b.crash(next)
	b.pass(time.Minute)
	first := told(1)
	for epoch := model.Epoch(8); epoch <= 10; epoch++ {
		b.assign(place(epoch), epoch, true)
	}
	b.pass(firstRecheck*b.rings[testRing].place.Profile.Silence + 300*time.Millisecond)
	b.opine(relay, next, model.SightNothing)
	b.pass(5 * time.Second)
	if v := told(2); v.Epoch != 10 || v.ID == first.ID {
		t.Errorf("%+v", v)
	}
	b.pass(time.Minute)
	b.assign(&model.Assignment{Ring: testRing, Epoch: 11, Gone: true}, 11, true)
	b.pass(time.Minute)
	told(2)
}

// After it was stopped for long, a member neither judges at once nor spins.
func TestLateTicks(t *testing.T) {
	b := placed(t)
	b.quiet(next)
	b.pass(100 * time.Millisecond)
	b.now = b.now.Add(20 * time.Second)
	b.fakeWorld.doubts = []string{"late"}
	b.Tick(b.now)
	b.pass(1500 * time.Millisecond)
	b.reported()
	if b.Stats().Doubted == 0 {
		t.Errorf("%+v", b.Stats())
	}
	b.answer(next)
	if b.cases["next"] != nil {
		t.Error("the answer came while it waited, and did not end the case")
	}
}

// Nobody at all is heard: it is this host, and it says so when it is back.
func TestCutOff(t *testing.T) {
	b := placed(t)
	for range 5 {
		b.quiet(next)
		b.quiet(previous)
		b.pass(20 * time.Second)
	}
	b.reported()
	b.quiet(next)
	b.answer(next)
	b.reported(model.VerdictLink)
	if v := b.reports[0]; v.Subject != self() || v.Evidence.Silent < time.Minute {
		t.Errorf("%+v", v)
	}
}

func TestRefusedTwiceIsSuspect(t *testing.T) {
	b := placed(t)
	b.Refused(next.Addr, b.now)
	b.Refused(previous.Addr, b.now)
	if len(b.cases) != 0 {
		t.Fatal("suspected at once")
	}
	b.now = b.now.Add(time.Second)
	b.Refused(next.Addr, b.now)
	if len(b.cases) != 1 {
		t.Fatal("not suspected")
	}
	b.Refused(next.Addr, b.now)
	b.pass(300 * time.Millisecond)
	b.opine(relay, next, model.SightRefused)
	b.pass(2 * time.Second)
	b.reported(model.VerdictEnded)
}

// A link that heartbeats of an earlier life come by, recorded and sent again, is not back.
func TestRecordedHeartbeats(t *testing.T) {
	b := placed(t)
	b.crash(next)
	b.Resumed(testRing, "next", 4, b.now)
	b.Resumed("another", "next", 6, b.now)
	b.reported(model.VerdictCrashed)
}

func TestBridge(t *testing.T) {
	b := placed(t)
	b.crash(next)
	if n := b.count(wire.Bridge, "second"); n != 0 {
		t.Fatalf("%d bridges while a case is open", n)
	}
	b.answer(second) // the case had kept the bridge waiting
	if b.count(wire.Bridge, "second") != 1 {
		t.Fatal("no bridge is asked for")
	}
	b.hear(third, wire.Message{Type: wire.BridgeAck, ID: b.rings[testRing].bridgeID})
	b.hear(second, wire.Message{Type: wire.BridgeAck, ID: 1})
	if b.watches[testRing]["second"] || b.watches[testRing]["third"] {
		t.Fatal("a bridge that nobody agreed to")
	}
	b.hear(second, wire.Message{Type: wire.BridgeAck, ID: b.rings[testRing].bridgeID})
	if !b.watches[testRing]["second"] || b.Stats().Bridges != 1 {
		t.Fatal("no bridge")
	}
	b.Resumed(testRing, "next", 5, b.now)
	if b.watches[testRing]["second"] || b.count(wire.Unbridge, "second") != 1 {
		t.Error("the bridge stays")
	}
}

// Who does not agree to a bridge, though it is there, is not asked for ever.
func TestBridgeThatIsNotWanted(t *testing.T) {
	b := placed(t)
	b.crash(next)
	b.answer(second)
	for range 100 {
		b.pass(6 * time.Second)
		if b.cases["second"] != nil {
			b.answer(second)
		}
	}
	if n := b.count(wire.Bridge, "second"); n != bridgeTries {
		t.Errorf("asked %d times", n)
	}
}

func TestLeaves(t *testing.T) {
	b := placed(t)
	b.Leave(wire.LeaveStopped, b.now)
	id := b.sent[0].ID
	b.Leave(wire.LeaveStopped, b.now)
	b.hear(next, wire.Message{Type: wire.LeaveAck, ID: id + 1})
	if b.Left() || len(b.leaving.open[testRing]) != 2 {
		t.Fatalf("%+v", b.leaving)
	}
	b.hear(next, wire.Message{Type: wire.LeaveAck, ID: id})
	b.hear(previous, wire.Message{Type: wire.LeaveAck, ID: id})
	b.Receive(model.ManagerRing("me"), model.RingMember{Host: model.ManagerHost}, wire.Message{Type: wire.LeaveAck, ID: id}, b.now)
	if !b.Left() {
		t.Error("not left")
	}
	b.pass(time.Minute)
	if len(b.beats) != 0 || !b.Next().IsZero() {
		t.Errorf("%d heartbeats, next tick %v", len(b.beats), b.Next())
	}
}

func TestLeaveThatNobodyTakesEnds(t *testing.T) {
	b := placed(t)
	b.Leave(wire.LeaveShutdown, b.now)
	b.pass(leaveTries * leavePause)
	if !b.Left() || b.count(wire.Leave, "next") != leaveTries {
		t.Errorf("left: %v, told %d times", b.Left(), b.count(wire.Leave, "next"))
	}
}

func TestNeighbourLeaves(t *testing.T) {
	b := placed(t)
	leave := wire.Message{Type: wire.Leave, ID: 3, Subject: next, Reason: wire.LeaveShutdown}
	b.hear(next, leave)
	b.hear(next, leave) // its acknowledgement was lost
	b.quiet(next)
	b.pass(4 * time.Second)
	b.reported(model.VerdictShutdown)
	if b.count(wire.LeaveAck, "next") != 2 {
		t.Error("not acknowledged")
	}
	b.hear(third, wire.Message{Type: wire.Question, ID: 8, Subject: next})
	if last := b.sent[len(b.sent)-1]; last.Sight != model.SightLeft {
		t.Errorf("%+v", last)
	}
	later := next
	later.Incarnation++
	b.hear(later, wire.Message{Type: wire.Leave, ID: 4, Subject: later})
	b.reported(model.VerdictShutdown, model.VerdictCorrected, model.VerdictStopped)
}

// The way to all others mends while a case is open: that they answer is no sign that the
// suspect's link is down, since the probes had gone before.
func TestMendedWhileACaseIsOpen(t *testing.T) {
	b := placed(t)
	b.fakeWorld.doubts = []string{"link-down"}
	b.quiet(next)
	b.pass(5 * time.Second) // the doubt is waited for
	b.fakeWorld.doubts = nil
	b.pass(1200 * time.Millisecond)
	b.opine(relay, next, model.SightAgent)
	b.opine(second, next, model.SightAgent)
	b.pass(time.Second)
	b.reported()
	b.answer(next)
	b.reported()
}

// Others hear a neighbor. That its link is down is said after a second look: nothing may have
// come in for a moment, which is over.
func TestOthersHearIt(t *testing.T) {
	for name, mended := range map[string]bool{"still not": false, "again": true} {
		t.Run(name, func(t *testing.T) {
			b := placed(t)
			b.quiet(next)
			for range 2 {
				b.pass(300 * time.Millisecond)
				b.opine(relay, next, model.SightAgent)
				b.reported()
				b.pass(1700 * time.Millisecond)
				if mended {
					b.answer(next)
					break
				}
			}
			said := slices.ContainsFunc(b.reports, func(v model.Verdict) bool { return v.Subject == next && v.Kind == model.VerdictLink })
			if said == mended {
				t.Errorf("reported %v", b.reports)
			}
		})
	}
}

// A bridge whose other end has let go, and word of that was lost, is let go here too: it
// is no link that is down.
func TestHalfABridge(t *testing.T) {
	for _, verdict := range []bool{false, true} {
		b := placed(t)
		b.quiet(previous)
		b.hear(third, wire.Message{Type: wire.Bridge, ID: 1, Subject: previous})
		b.quiet(third)
		b.pass(300 * time.Millisecond)
		if verdict {
			b.opine(relay, third, model.SightAgent)
			b.pass(2 * time.Second)
		}
		for i := 0; b.watches[testRing]["third"]; i++ {
			if i == 1000 {
				t.Fatal("the half bridge stays")
			}
			if b.cases["third"] != nil {
				b.answer(third)
			} else {
				b.quiet(third)
				b.pass(100 * time.Millisecond)
			}
		}
		links := 0
		for _, v := range b.reports {
			switch {
			case v.Subject != third:
			case v.Kind == model.VerdictLink:
				links++
			case v.Kind == model.VerdictCorrected:
				links--
			}
		}
		if links != 0 || b.standing["third"] != nil {
			t.Errorf("told before: %v; reported %v", verdict, b.reports)
		}
	}
}

// Nobody was heard, and the way mends before that is certain: the others may have taken
// this host for dead, and it tells.
func TestCutOffForAMoment(t *testing.T) {
	b := placed(t)
	b.quiet(next)
	b.quiet(previous)
	b.pass(4 * time.Second)
	b.answer(next)
	b.reported(model.VerdictLink)
	if v := b.reports[0]; v.Subject != self() || v.Evidence.Clue != "reunited" {
		t.Errorf("%+v", v)
	}
}
