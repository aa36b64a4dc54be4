package rings

import (
	"fmt"
	"testing"
	"time"

	"cassini/model"
	"cassini/model/wire"
)

func TestStaleAndTwice(t *testing.T) {
	b := newBench(t, 1)
	for n := range 6 {
		b.join(b.host(n, 0))
	}
	b.run(time.Minute)
	again := b.host(2, 0)
	again.Incarnation = 2
	b.join(again)
	b.run(time.Minute)
	stale := model.Verdict{ID: model.ReportID{Reporter: "h1", Incarnation: 1, Sequence: 1}, Kind: model.VerdictCrashed, Subject: b.host(2, 0).RingMember, Evidence: silence()}
	b.r.Take(stale, b.now)
	if h := b.r.Host("h2"); h.State != Up || b.r.Stats().Stale != 1 {
		t.Errorf("a certificate of an earlier life counts: %s, %+v", h.State, b.r.Stats())
	}
	b.deaf["h2"] = true
	stale.ID.Sequence, stale.Subject.Incarnation = 2, 2
	b.r.Take(stale, b.now)
	b.r.Take(stale, b.now)
	if got := b.r.Stats().Verdicts[model.VerdictCrashed]; got != 1 || b.r.Host("h2").State != Crashed {
		t.Errorf("%d verdicts taken, h2 is %s", got, b.r.Host("h2").State)
	}
	old := b.host(2, 0)
	if joined, err := b.r.Join(old, b.now); err != nil || joined.Incarnation != 3 || len(joined.Assignments) > 0 {
		t.Errorf("a life that is over joins: %+v, %v", joined, err)
	}
}

func TestWhoIsBelieved(t *testing.T) {
	b := newBench(t, 1)
	for n := range 6 {
		b.join(b.host(n, 0))
	}
	b.run(time.Minute)
	by := "h0"
	accuse := func(host string, e model.Evidence) State {
		b.sequence++
		b.r.Take(model.Verdict{ID: model.ReportID{Reporter: by, Incarnation: 1, Sequence: b.sequence}, Kind: model.VerdictCrashed, Subject: b.r.Host(host).RingMember, Evidence: e}, b.now)
		b.run(3 * time.Second)
		return b.r.Host(host).State
	}
	alone := silence()
	alone.Observations = alone.Observations[:1]
	if got := accuse("h1", alone); got != Unobservable {
		t.Errorf("accused by one alone it is %s", got)
	}
	wrong := silence()
	wrong.Observations[0].Score = 20
	if got := accuse("h2", wrong); got != Up {
		t.Errorf("alive, and accused by one that errs often, it is %s", got)
	}
	b.deaf["h3"] = true
	if got := accuse("h3", wrong); got != Crashed {
		t.Errorf("dead, and accused by one that errs often, it is %s", got)
	}
	by = "h5"
	b.deaf["h4"] = true
	if got := accuse("h4", silence()); got != Crashed {
		t.Errorf("accused by two it is %s", got)
	}
}

// TestMadeUpObservers: an agent that somebody got hold of names others who saw nothing of a host that
// is there. It is believed once: then the manager looks for itself, for as long as it goes on.
func TestMadeUpObservers(t *testing.T) {
	b := newBench(t, 1)
	for n := range 6 {
		b.join(b.host(n, 0))
	}
	b.run(time.Minute)
	first := b.say("h0", "h1", model.VerdictCrashed)
	if got := b.r.Host("h1").State; got != Up || !b.corrected(first) || len(b.r.Host("h1").Rings) == 0 {
		t.Fatalf("a living host is %s, and what is said of it is taken back: %v", got, b.corrected(first))
	}
	for range 3 {
		for _, host := range []string{"h1", "h2", "h3"} {
			v := b.verdict("h0", host, model.VerdictCrashed)
			b.r.TakeFrom("h0", v, b.now)
			for range 10 {
				if b.r.Host(host).State != Up {
					t.Fatalf("%s is %s, on the word of one that was wrong", host, b.r.Host(host).State)
				}
				b.run(time.Second)
			}
			if !b.corrected(v) {
				t.Errorf("what is said of %s is not taken back", host)
			}
		}
		b.run(wary - time.Minute)
	}
	b.deaf["h4"] = true
	if b.say("h0", "h4", model.VerdictCrashed); b.r.Host("h4").State != Crashed {
		t.Errorf("a dead host is %s", b.r.Host("h4").State)
	}
	if b.r.TakeFrom("h5", b.verdict("h5", "h3", model.VerdictCrashed), b.now); b.r.Host("h3").State != Crashed {
		t.Errorf("it is %s, by one that was never wrong", b.r.Host("h3").State)
	}
}

// TestMadeUpLeave: that a host took its leave says somebody else, and it is there. It would be watched
// no more, and not be heard, until it is started again.
func TestMadeUpLeave(t *testing.T) {
	b := newBench(t, 1)
	for n := range 6 {
		b.join(b.host(n, 0))
	}
	b.run(time.Minute)
	for n, kind := range []model.VerdictKind{model.VerdictStopped, model.VerdictShutdown, model.VerdictEnded} {
		reporter, host := fmt.Sprint("h", n), fmt.Sprint("h", n+1)
		v := b.say(reporter, host, kind)
		if h := b.r.Host(host); h.State != Up || len(h.Rings) == 0 || !b.corrected(v) {
			t.Errorf("%s is %s by a made-up %s, taken back: %v", host, h.State, kind, b.corrected(v))
		}
		if v = b.say(reporter, "h5", kind); b.r.Host("h5").State != Up || !b.corrected(v) {
			t.Errorf("h5 is %s by a made-up %s", b.r.Host("h5").State, kind)
		}
	}
	b.deaf["h4"] = true // which nobody but others heard go
	if b.say("h3", "h4", model.VerdictStopped); b.r.Host("h4").State != Stopped {
		t.Errorf("who left is %s", b.r.Host("h4").State)
	}
}

// TestReplayed: a report that was taken back says nothing when it is brought once more, by whoever.
func TestReplayed(t *testing.T) {
	b := newBench(t, 1)
	for n := range 4 {
		b.join(b.host(n, 0))
	}
	b.run(time.Minute)
	v := b.say("h0", "h1", model.VerdictCrashed)
	for _, by := range []string{"h0", "h2"} {
		b.r.TakeFrom(by, v, b.now)
		for range 10 {
			if b.r.Host("h1").State != Up {
				t.Fatalf("it is %s, by a report of before that %s brings", b.r.Host("h1").State, by)
			}
			b.run(time.Second)
		}
	}
}

func TestLateWordsOfOneThatLeft(t *testing.T) {
	b := newBench(t, 1)
	for n := range 4 {
		b.join(b.host(n, 0))
	}
	b.run(time.Minute)
	h2 := model.RingMember{Host: "h2", Incarnation: 1}
	b.r.Receive(model.ManagerRing("h2"), h2, wire.Message{Type: wire.Leave, ID: 1, Subject: h2}, b.now)
	b.deaf["h2"] = true
	b.r.Receive(model.ManagerRing("h2"), h2, wire.Message{Type: wire.Ack, Ring: "z0", Epoch: 1}, b.now)
	if got := b.r.Host("h2").State; got != Stopped {
		t.Errorf("a word that came late makes it %s", got)
	}
}

func TestOthersWords(t *testing.T) {
	b := newBench(t, 1)
	for n := range 5 {
		b.join(b.host(n, 0))
	}
	b.run(time.Minute)
	v := model.Verdict{ID: model.ReportID{Reporter: "h1", Incarnation: 1, Sequence: 1}, Kind: model.VerdictCrashed, Subject: b.r.Host("h2").RingMember, Evidence: silence()}
	b.r.TakeFrom("h4", v, b.now)
	b.run(3 * time.Second)
	if got := b.r.Host("h2").State; got != Up {
		t.Errorf("it is %s: h4 said so in the name of h1", got)
	}
	if last := b.verdicts[len(b.verdicts)-1]; last.Kind != model.VerdictCorrected || *last.Corrects != v.ID {
		t.Errorf("it is not corrected: %+v", last)
	}
	b.deaf["h2"] = true
	v.ID.Sequence++
	b.r.TakeFrom("h4", v, b.now)
	b.run(3 * time.Second)
	if got := b.r.Host("h2").State; got != Crashed {
		t.Errorf("dead, and told by one who kept it for h1, it is %s", got)
	}
}

// What another zone says may be of a time in which it was cut off.
func TestDeathToldElsewhere(t *testing.T) {
	b := zoned(t)
	v := b.say("h1", "h2", model.VerdictCrashed)
	if h := b.r.Host("h2"); h.State != Up || len(h.Rings) == 0 || !b.corrected(v) {
		t.Errorf("a living host is %s, and what was said of it is corrected: %v", h.State, b.corrected(v))
	}
	b.deaf["h2"] = true
	if v = b.say("h1", "h2", model.VerdictCrashed); b.r.Host("h2").State != Crashed || b.corrected(v) {
		t.Errorf("a dead host is %s", b.r.Host("h2").State)
	}
}

// One that has just come back may bring what it said of others while it was away.
func TestLateWordsOfOneThatWasAway(t *testing.T) {
	b := zoned(t)
	b.deaf["h0"] = true
	b.say("h2", "h0", model.VerdictCrashed)
	clear(b.deaf)
	b.say("h0", "h1", model.VerdictLink) // whatever it brings, it is there
	if h := b.r.Host("h0"); h.State != Up {
		t.Fatalf("it is %s, and has brought something", h.State)
	}
	if v := b.say("h0", "h2", model.VerdictCrashed); b.r.Host("h2").State != Up || !b.corrected(v) {
		t.Errorf("h2 is %s", b.r.Host("h2").State)
	}
	b.run(2 * lateWords)
	if b.r.TakeFrom("h0", b.verdict("h0", "h2", model.VerdictCrashed), b.now); b.r.Host("h2").State != Crashed {
		t.Errorf("much later it is believed at once, but h2 is %s", b.r.Host("h2").State)
	}
}

// Whoever watches a host no more takes back what it said, and nobody may say more of it:
// the manager looks.
func TestUnlinked(t *testing.T) {
	b := zoned(t)
	unlinked := func(v *model.Verdict) { v.Evidence = model.Evidence{Clue: model.ClueUnlinked} }
	for _, kind := range []model.VerdictKind{model.VerdictUnobservable, model.VerdictHung} {
		v := b.say("h0", "h2", kind)
		if got := b.r.Host("h2").State; got != stateOf(kind) {
			t.Fatalf("it is %s", got)
		}
		b.deaf["h2"] = true
		if b.say("h0", "h2", model.VerdictCorrected, unlinked); b.r.Host("h2").State != stateOf(kind) || b.corrected(v) {
			t.Errorf("silent, it is %s", b.r.Host("h2").State)
		}
		clear(b.deaf)
		if b.say("h0", "h2", model.VerdictCorrected, unlinked); b.r.Host("h2").State != Up || !b.corrected(v) {
			t.Errorf("it answers, and is %s", b.r.Host("h2").State)
		}
	}
	b.say("h0", "h2", model.VerdictLink)
	if b.say("h0", "h2", model.VerdictCorrected, unlinked); b.r.Host("h2").State != Up {
		t.Errorf("a link that is none any more leaves it %s", b.r.Host("h2").State)
	}
	b.deaf["h2"] = true
	b.say("h0", "h2", model.VerdictCrashed)
	if b.say("h4", "h2", model.VerdictCorrected, unlinked); b.r.Host("h2").State != Crashed {
		t.Errorf("dead, it is %s", b.r.Host("h2").State)
	}
}

func TestVerdictOfAnEarlierLifeIsCorrected(t *testing.T) {
	b := zoned(t)
	again := b.host(2, 0)
	again.Incarnation = 2
	b.join(again)
	v := b.say("h0", "h2", model.VerdictCrashed, func(v *model.Verdict) { v.Subject.Incarnation = 1 })
	if b.r.Host("h2").State != Up || !b.corrected(v) {
		t.Errorf("h2 is %s, corrected: %v", b.r.Host("h2").State, b.corrected(v))
	}
}
