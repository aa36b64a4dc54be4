package rings

import (
	"fmt"
	"testing"
	"time"

	"cassini/model"
)

// TestReminder restarts a manager of many rings: each is told in its turn, nothing waits for
// one of its members before, and until then nobody takes it for told.
func TestReminder(t *testing.T) {
	b := newBench(t, 4)
	for n := range 300 {
		b.join(b.host(n, n/50))
	}
	b.run(time.Minute)
	places := len(b.places)
	b.restart()
	sent := b.sent
	if len(b.r.pending) != 0 || b.r.Pending() != places {
		t.Fatalf("%d places wait, %d are to be acknowledged of %d", len(b.r.pending), b.r.Pending(), places)
	}
	for _, h := range b.r.Health() {
		if h.State != model.RingMending || len(h.Unacknowledged) != len(h.Members) {
			t.Errorf("%s is %s with %d members that have not acknowledged, of %d", h.ID, h.State, len(h.Unacknowledged), len(h.Members))
		}
	}
	b.run(restoreSpread / 2)
	if n := b.r.Pending(); n == 0 || n == places || b.sent-sent != places-n {
		t.Errorf("halfway %d places are not acknowledged, %d were told", n, b.sent-sent)
	}
	b.run(restoreSpread)
	if n := b.r.Pending(); n != 0 || b.sent-sent != places || b.r.reminder.rings != nil {
		t.Errorf("%d places are not acknowledged, %d of %d were told", n, b.sent-sent, places)
	}
	for _, h := range b.r.Health() {
		if h.State != model.RingWhole {
			t.Errorf("%s is %s", h.ID, h.State)
		}
	}
	b.check()
}

// TestReminderOfWhatHasChanged lets hosts come and go before their ring's turn.
func TestReminderOfWhatHasChanged(t *testing.T) {
	b := newBench(t, 5)
	for n := range 40 {
		b.join(b.host(n, n/10))
	}
	b.join(b.host(40, 9))
	b.run(time.Minute)
	b.restart()
	if !b.r.Expel("h40", b.now) { // the only one of its zone
		t.Fatal("it cannot be shut out")
	}
	for n := 41; n < 60; n++ {
		b.join(b.host(n, n/10))
	}
	b.run(restoreSpread)
	if n := b.r.Pending(); n != 0 {
		t.Errorf("%d places are not acknowledged", n)
	}
	delete(b.places, place{"z9", "h40"}) // nobody tells it anything
	delete(b.places, place{"top/1", "h40"})
	b.check()
}

// TestJoinWhileReminded lets hosts join while more have to be told their places than may wait
// for those that join, and tells some of them at a time.
func TestJoinWhileReminded(t *testing.T) {
	b := newBench(t, 6)
	var hosts []*Host
	var all []*Ring
	for n := range maxPending/MaxRing + 2 {
		g := &Ring{ID: model.RingID(fmt.Sprintf("z%d", n)), Zone: fmt.Sprintf("z%d", n), Epoch: 1, Generation: 1, Profile: model.StandardProfile()}
		for i := range MaxRing {
			j := b.host(n*MaxRing+i, n)
			hosts = append(hosts, &Host{RingMember: j.RingMember, State: Up, Rings: []model.RingID{g.ID}})
			g.Order = append(g.Order, j.Host)
		}
		all = append(all, g)
	}
	b.r.Restore(hosts, all, b.now)
	b.r.Remind(b.now)
	if n := b.r.Pending(); n <= maxPending {
		t.Fatalf("only %d places are to be told", n)
	}
	if _, err := b.r.Join(b.host(len(hosts), 0), b.now); err != nil {
		t.Error(err)
	}
	// A manager that could not do anything for long does not hold all that is due at once.
	b.r.Tick(b.now.Add(time.Hour))
	if b.sent == 0 || b.sent > atOnce || b.r.Next().After(b.now.Add(time.Hour)) {
		t.Errorf("%d places were told at once, the next are due at %v", b.sent, b.r.Next())
	}
}

// TestRotationWaitsForReminder takes no new keys into use for a ring whose members may have
// missed the last ones.
func TestRotationWaitsForReminder(t *testing.T) {
	b := newBench(t, 7)
	b.r.cfg.Rotation = time.Hour
	for n := range 20 {
		b.join(b.host(n, n/10))
	}
	b.run(time.Minute)
	b.restart()
	for id, g := range b.r.rings {
		generation := g.Generation
		b.r.rotateAt(g, b.now)
		b.r.rotateDue(b.now)
		if g.Generation != generation {
			t.Errorf("%s has new keys before its members were told the last", id)
		}
	}
}

// TestInstructionIsOfNow tells a host that did not answer what its place has become
// meanwhile, not what it was when it began to wait.
func TestInstructionIsOfNow(t *testing.T) {
	b := newBench(t, 8)
	for n := range 30 {
		b.join(b.host(n, 0))
	}
	b.run(time.Minute)
	order := b.r.rings["z0"].Order
	first, far := order[0], order[len(order)/2]
	b.deaf[first] = true
	b.r.instruct(b.r.rings["z0"], first, b.now)
	before := b.r.pending[place{"z0", first}].epoch
	b.r.changed(b.r.hosts[far], b.now) // too far away to tell it
	if p := b.r.pending[place{"z0", first}]; p.epoch != before {
		t.Fatalf("it was told anew, of epoch %d", p.epoch)
	}
	delete(b.deaf, first)
	b.run(time.Minute)
	if a := b.places[place{"z0", first}]; a.Epoch != b.r.rings["z0"].Epoch || b.r.Pending() != 0 {
		t.Errorf("it has epoch %d of %d, and %d places are not acknowledged", a.Epoch, b.r.rings["z0"].Epoch, b.r.Pending())
	}
}
