package rings

import (
	"slices"
	"testing"
	"time"

	"cassini/model"
	"cassini/model/wire"
)

// word is a host's word that it is deaf, and the time in which it is asked.
func (b *bench) word(host string, change ...func(*model.Verdict)) {
	b.send(host, change...)
	b.run(3 * time.Second)
}

func (b *bench) send(host string, change ...func(*model.Verdict)) {
	h := b.r.Host(host)
	v := model.Verdict{
		ID: model.ReportID{Reporter: host, Incarnation: h.Incarnation, Sequence: 7}, Kind: model.VerdictDeaf,
		Subject: h.RingMember, Evidence: model.Evidence{Silent: 10 * time.Second},
	}
	for _, c := range change {
		c(&v)
	}
	b.r.Receive(model.ManagerRing(host), h.RingMember, wire.Message{Type: wire.Report, Verdict: &v}, b.now)
}

// says makes a host send the manager something that no other has to be heard for.
func (b *bench) says(host string) {
	b.r.Receive(model.ManagerRing(host), b.r.Host(host).RingMember, wire.Message{Type: wire.Question, ID: 1, Subject: b.r.Host("h4").RingMember}, b.now)
	b.run(3 * time.Second)
}

func TestDeaf(t *testing.T) {
	b := zoned(t)
	b.deaf["h2"] = true
	b.word("h2")
	h := b.r.Host("h2")
	if h.State != Deaf || len(h.Rings) != 0 || b.hosts["h2"].State != Deaf || !slices.Equal(b.r.WatchedBy("h2"), []string{model.ManagerHost}) {
		t.Fatalf("it is %s on %v, watched by %v", h.State, h.Rings, b.r.WatchedBy("h2"))
	}
	n := len(b.verdicts)
	if v := b.verdicts[n-1]; v.Kind != model.VerdictDeaf || v.ID.Reporter != model.ManagerHost || v.Evidence.Silent != 10*time.Second || v.Evidence.SilentObservers() != 1 {
		t.Errorf("told %+v", v)
	}
	for range 20 {
		b.word("h2")
		b.says("h2")
		b.say("h4", "h2", model.VerdictHung)
		b.say("h4", "h2", model.VerdictCrashed)
		b.say("h4", "h2", model.VerdictCorrected)
		b.run(time.Minute - 36*time.Second)
	}
	if h.State != Deaf || len(b.verdicts) != n {
		t.Errorf("it is %s, and more is told: %+v", h.State, b.verdicts[n:])
	}
	delete(b.deaf, "h2")
	for range 6 { // if nobody else says that it hears again
		b.word("h2")
		b.run(time.Minute)
	}
	if last := b.verdicts[len(b.verdicts)-1]; h.State != Up || len(h.Rings) == 0 || last.Was != model.VerdictDeaf {
		t.Errorf("it answers and is %s on %v, %+v", h.State, h.Rings, last)
	}
	b.check()
}

// What a host says itself is believed if it may be so.
func TestWhoIsNotDeaf(t *testing.T) {
	b := zoned(t)
	b.word("h2") // and answers
	if got := b.r.Host("h2").State; got != Up {
		t.Errorf("it answers, and is %s", got)
	}
	b.deaf["h2"] = true
	b.word("h2", func(v *model.Verdict) { v.ID.Reporter = "h0" })
	b.word("h2", func(v *model.Verdict) { v.ID.Incarnation++ })
	b.word("h2", func(v *model.Verdict) { v.Kind = model.VerdictCrashed })
	b.say("h0", "h2", model.VerdictDeaf)
	if got := b.r.Host("h2").State; got != Up {
		t.Errorf("others' words make it %s", got)
	}
	h2 := b.r.Host("h2").RingMember
	b.r.Receive(model.ManagerRing("h2"), h2, wire.Message{Type: wire.Leave, ID: 1, Subject: h2}, b.now)
	b.word("h2")
	if got := b.r.Host("h2").State; got != Stopped {
		t.Errorf("it left, and is %s", got)
	}
}

// One that says itself that it hears again, while it is asked whether it is deaf or dead, is neither:
// what it did not answer was asked before. It may be later.
func TestHearsBeforeItIsKnown(t *testing.T) {
	for name, ask := range map[string]func(*bench){
		"deaf": func(b *bench) { b.send("h2") },
		"dead": func(b *bench) { b.r.TakeFrom("h1", b.verdict("h1", "h2", model.VerdictCrashed), b.now) },
	} {
		t.Run(name, func(t *testing.T) {
			b := zoned(t)
			b.deaf["h2"] = true
			ask(b)
			b.run(500 * time.Millisecond)
			b.say("h2", "h2", model.VerdictLink)
			if got := b.r.Host("h2").State; got != Up {
				t.Errorf("it is %s", got)
			}
			b.word("h2")
			if got := b.r.Host("h2").State; got != Deaf {
				t.Errorf("deaf again it is %s", got)
			}
		})
	}
}

// A deaf host is watched by its word, also by a later life of the manager.
func TestDeafFallsSilent(t *testing.T) {
	b := zoned(t)
	b.deaf["h2"] = true
	b.word("h2")
	b.run(wordless - 10*time.Second)
	b.restart()
	b.run(wordless - 10*time.Second)
	if h := b.r.Host("h2"); h.State != Deaf {
		t.Fatalf("it is %s", h.State)
	}
	b.run(20 * time.Second)
	if h := b.r.Host("h2"); h.State != Unobservable || len(h.Rings) == 0 {
		t.Errorf("it is %s on %v", h.State, h.Rings)
	}
	b.check()
	b.say("h0", "h2", model.VerdictCrashed)
	if h := b.r.Host("h2"); h.State != Crashed {
		t.Errorf("it is %s", h.State)
	}
}

// What a host that is held for dead says makes it no living one, as long as it answers
// nothing; that it is deaf does.
func TestWordsOfTheDead(t *testing.T) {
	b := zoned(t)
	b.deaf["h2"] = true
	v := b.say("h0", "h2", model.VerdictCrashed)
	b.says("h2")
	if h := b.r.Host("h2"); h.State != Crashed {
		t.Fatalf("it is %s", h.State)
	}
	b.word("h2")
	if h := b.r.Host("h2"); h.State != Deaf || !b.corrected(v) {
		t.Errorf("it is %s, corrected: %v", h.State, b.corrected(v))
	}
	b.say("h0", "h4", model.VerdictCrashed)
	delete(b.deaf, "h4")
	b.says("h4")
	if h := b.r.Host("h4"); h.State != Up {
		t.Errorf("one that answers is %s", h.State)
	}
}

// A deaf host can take its leave, and begin anew.
func TestDeafLeaves(t *testing.T) {
	b := zoned(t)
	b.deaf["h2"] = true
	b.word("h2")
	h2 := b.r.Host("h2").RingMember
	b.r.Receive(model.ManagerRing("h2"), h2, wire.Message{Type: wire.Leave, ID: 1, Subject: h2}, b.now)
	if got := b.r.Host("h2").State; got != Stopped {
		t.Errorf("it left, and is %s", got)
	}
	again := b.host(2, 0)
	again.Incarnation = 2
	b.join(again)
	b.run(time.Minute)
	if got := b.r.Host("h2").State; got != Up {
		t.Errorf("it begins anew, and is %s", got)
	}
	b.check()
}
