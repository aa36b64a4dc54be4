package member

import (
	"slices"
	"testing"
	"time"

	"cassini/model"
	"cassini/model/wire"
)

// words are what the member said of itself to the manager, with no datagram to rely on.
func (b *bench) words() (list []model.Verdict) {
	for _, s := range b.sent {
		if s.Type == wire.Report && s.to == model.ManagerHost && s.ring == model.ManagerRing(self().Host) {
			list = append(list, *s.Verdict)
		}
	}
	return list
}

// deafen lets the watch of both neighbors run out again and again.
func (b *bench) deafen(rounds int, hears func()) {
	for range rounds {
		b.quiet(next)
		b.quiet(previous)
		b.pass(3 * time.Second)
		hears()
		b.pass(7 * time.Second)
	}
}

// One that hears nobody tells the manager so, again and again, ever more seldom, and says
// nothing of others; also if their kernels answer pings.
func TestDeafSaysSo(t *testing.T) {
	for name, hears := range map[string]func(*bench){
		"nothing": func(*bench) {},
		"pings": func(b *bench) {
			b.Echoed(next.Addr.Addr(), b.now)
			b.Echoed(previous.Addr.Addr(), b.now)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := placed(t)
			b.deafen(1, func() { hears(b) })
			first := b.words()
			if len(first) != 1 || first[0].Kind != model.VerdictDeaf || first[0].Subject != self() || first[0].Evidence.Silent < 10*time.Second {
				t.Fatalf("said %+v", first)
			}
			b.deafen(59, func() { hears(b) })
			all := b.words()
			if n := len(all); n < 10 || n > 14 {
				t.Errorf("said %d times in ten minutes", n)
			}
			for _, v := range all {
				if v.ID != first[0].ID {
					t.Errorf("said %+v and %+v", first[0].ID, v.ID)
				}
			}
			b.reported()
			if got := b.Stats().Verdicts[model.VerdictDeaf]; got != 1 {
				t.Errorf("counted %d times", got)
			}
			b.Resumed(testRing, "next", 5, b.now)
			b.reported(model.VerdictLink)
			b.deafen(1, func() { hears(b) })
			if again := b.words(); len(again) != len(all)+1 || again[len(all)].ID == first[0].ID {
				t.Errorf("deaf again it said %d times", len(again)-len(all))
			}
		})
	}
}

// Who hears the manager is not deaf, whatever it thinks of its neighbors.
func TestWhoHearsTheManagerIsNotDeaf(t *testing.T) {
	b := placed(t)
	b.quiet(next)
	b.quiet(previous)
	for range 20 {
		b.pass(500 * time.Millisecond)
		b.Receive(model.ManagerRing(self().Host), model.RingMember{Host: model.ManagerHost}, wire.Message{Type: wire.Probe, ID: 1}, b.now)
	}
	if words := b.words(); len(words) != 0 {
		t.Errorf("said %+v", words)
	}
}

// One that hears again says nothing of others by what it did not see while it was deaf, and
// what it sees from then on as ever.
func TestHearsAgain(t *testing.T) {
	for name, hear := range map[string]func(*bench){
		"a neighbor": func(b *bench) { b.Resumed(testRing, "next", 5, b.now) },
		"the manager": func(b *bench) {
			b.Receive(model.ManagerRing(self().Host), model.RingMember{Host: model.ManagerHost}, wire.Message{Type: wire.Probe, ID: 1}, b.now)
			b.answer(next)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := placed(t)
			b.deafen(3, func() {})
			b.quiet(next)
			b.quiet(previous)
			b.pass(place(7).Profile.Window - 50*time.Millisecond)
			hear(b)
			b.pass(2 * time.Second)
			b.reported(model.VerdictLink) // its own
			b.quiet(next)
			b.pass(100 * time.Millisecond)
			b.answer(next)
			b.pass(5 * time.Second)
			if !slices.ContainsFunc(b.reports[1:], func(v model.Verdict) bool { return v.Subject == previous }) {
				t.Errorf("reported %+v", b.reports)
			}
		})
	}
}

// One that was deaf for so short a time that it has not noted it, and hears again when its probes
// have gone: what it did not see says nothing of others either.
func TestHearsAgainUnnoted(t *testing.T) {
	for name, hear := range map[string]func(*bench){
		"another neighbor": func(b *bench) { b.Resumed(testRing, "previous", 5, b.now) },
		"the manager": func(b *bench) {
			b.Receive(model.ManagerRing(self().Host), model.RingMember{Host: model.ManagerHost}, wire.Message{Type: wire.Probe, ID: 1}, b.now)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := placed(t)
			b.quiet(next)
			b.quiet(previous)
			b.pass(1900 * time.Millisecond)
			hear(b)
			b.pass(300 * time.Millisecond)
			for _, host := range sorted(b.cases) { // those behind it are looked at too
				b.answer(b.cases[host].subject)
			}
			b.pass(5 * time.Second)
			b.reported()
		})
	}
}

// Where all neighbors answer and none is heard, they may hold this host for dead: it shows itself to
// the manager. One alone has no link to it.
func TestShowsItselfToTheManager(t *testing.T) {
	b := placed(t)
	b.quiet(next)
	b.answer(next)
	if n := b.count(wire.Probe, model.ManagerHost); n != 0 {
		t.Errorf("one is not heard: %d times", n)
	}
	b.quiet(previous)
	b.answer(previous)
	if n := b.count(wire.Probe, model.ManagerHost); n != 1 {
		t.Errorf("none is heard: %d times", n)
	}
	b.reported()
}
