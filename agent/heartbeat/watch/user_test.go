package watch

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"cassini/model"
	"cassini/model/wire"
	"cassini/transport/admit"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const ring = model.RingID("r")

var key = wire.LinkTagKey(model.Secret{1}, ring, "a", "b")

// bench is a user watch with one neighbour, inside a bubble of its own time.
type bench struct {
	*User
	t     *testing.T
	nonce uint64
}

func watched1(t *testing.T, try func(*bench)) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{User: NewUser(), t: t, nonce: 1000}
		b.put(7, 1)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.Run(ctx) }()
		try(b)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func (b *bench) put(id wire.Set, keys ...uint8) {
	set := Set{ID: id, Interval: time.Second, Silence: 3 * time.Second}
	for _, n := range keys {
		set.Keys = append(set.Keys, Key{ID: n, Tag: key})
	}
	if err := b.Put(set); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) beat(edit ...func(*wire.Header)) {
	b.nonce++
	h := wire.Header{Type: wire.Heartbeat, Key: 1, Set: 7, Nonce: b.nonce, Incarnation: 4, Progress: b.nonce}
	for _, fn := range edit {
		fn(&h)
	}
	if b.Take(wire.AppendHeader(nil, h, key)) {
		b.t.Error("a heartbeat was taken for a control datagram")
	}
}

// told is what was told since.
func (b *bench) told() (kinds []Kind) {
	synctest.Wait()
	for {
		select {
		case e := <-b.Events():
			kinds = append(kinds, e.Kind)
		default:
			return kinds
		}
	}
}

func (b *bench) expect(want ...Kind) {
	b.t.Helper()
	if got := b.told(); fmt.Sprint(got) != fmt.Sprint(want) {
		b.t.Errorf("told %v, want %v", got, want)
	}
}

func TestSilenceAndReturn(t *testing.T) {
	watched1(t, func(b *bench) {
		b.beat()
		b.expect(Incarnation)
		for range 100 {
			time.Sleep(time.Second)
			b.beat()
		}
		b.expect()
		time.Sleep(3*time.Second - 1)
		b.expect()
		time.Sleep(2 * time.Nanosecond)
		b.expect(Expired)
		time.Sleep(time.Hour)
		b.expect()
		b.beat()
		b.expect(Resumed)
		time.Sleep(4 * time.Second)
		b.expect(Expired)
		if err := b.Arm(7); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Second)
		b.expect(Expired)
		if err := b.Arm(7); err != nil {
			t.Fatal(err)
		}
		b.beat()
		b.expect(Resumed)
		s, err := b.Stats(7)
		if err != nil || s.Heartbeats != 103 || s.Expiries != 3 || s.Progress != 1103 || s.Silent != 0 || s.Spacing[10] != 100 {
			t.Errorf("%+v, %v", s, err)
		}
	})
}

func TestNeverHeard(t *testing.T) {
	watched1(t, func(b *bench) {
		time.Sleep(3*time.Second + 1)
		b.expect(Expired)
		if err := b.Remove(7); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		b.expect()
		if _, err := b.Stats(7); !errors.Is(err, ErrUnknown) {
			t.Errorf("error is %v", err)
		}
	})
}

// A process that did not run for a while gives a new window instead of an alarm.
func TestOwnLatenessIsNoAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{User: NewUser(), t: t}
		b.put(7, 1)
		b.beat()
		b.told()
		time.Sleep(10 * time.Second) // Run did not run: the process was stopped
		b.expire(time.Now())
		b.expect(Late)
		b.beat() // had waited in the socket
		for range 5 {
			time.Sleep(time.Second)
			b.beat()
			b.expire(time.Now())
		}
		b.expect()
		time.Sleep(3 * time.Second)
		b.expire(time.Now())
		b.expect(Expired)
	})
}

func TestRefused(t *testing.T) {
	watched1(t, func(b *bench) {
		if err := b.Put(Set{ID: 9, Keys: []Key{{ID: 1, Tag: key}}}); err != nil {
			t.Fatal(err)
		}
		b.beat()
		b.beat(func(h *wire.Header) { h.Nonce-- })                                          // replayed
		b.beat(func(h *wire.Header) { h.Incarnation = 3 })                                  // old
		b.beat(func(h *wire.Header) { h.Key = 2 })                                          // unknown key
		b.beat(func(h *wire.Header) { h.Set = 8 })                                          // unknown set
		b.beat(func(h *wire.Header) { h.Set = 9 })                                          // a ring's set
		b.Take(wire.AppendHeader(nil, wire.Header{Type: wire.Probe, Set: 9}, key))          // malformed: no body
		b.Take(wire.AppendHeader(nil, wire.Header{Type: wire.Heartbeat, Set: 7}, key)[:20]) // truncated
		forged := wire.AppendHeader(nil, wire.Header{Type: wire.Heartbeat, Key: 1, Set: 7, Nonce: 9999}, wire.TagKey{})
		b.Take(forged)
		control := append(wire.AppendHeader(nil, wire.Header{Type: wire.Probe, Key: 1, Set: 9}, key), 1)
		for i := range admit.Again + 6 {
			if got, want := b.Take(control), i <= admit.Again; got != want {
				t.Fatalf("control datagram %d: %v", i, got)
			}
		}
		want := map[string]uint64{
			Heartbeat: 1, Replayed: 1, OldIncarnation: 1, UnknownKey: 1, UnknownSet: 2, Malformed: 1, Truncated: 1, Forged: 1,
			Control: 1 + admit.Again, Limited: 5,
		}
		if got, _ := b.Counters(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestThreeKeys(t *testing.T) {
	watched1(t, func(b *bench) {
		b.put(7, 3, 4, 5)
		for id := range uint8(8) {
			b.beat(func(h *wire.Header) { h.Key = id })
		}
		if c, _ := b.Counters(); c[Heartbeat] != 3 || c[UnknownKey] != 5 {
			t.Errorf("%v", c)
		}
	})
}

func TestBounds(t *testing.T) {
	u := NewUser()
	for id := range wire.Set(MaxSets) {
		if err := u.Put(Set{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	if err := u.Put(Set{ID: MaxSets}); !errors.Is(err, ErrFull) {
		t.Errorf("error is %v", err)
	}
	if err := u.Arm(MaxSets); !errors.Is(err, ErrUnknown) {
		t.Errorf("error is %v", err)
	}
}

// Events that nobody reads are not lost: they are told later.
func TestUntold(t *testing.T) {
	watched1(t, func(b *bench) {
		for range maxEvents {
			b.events <- Event{}
		}
		time.Sleep(3*time.Second + 1)
		synctest.Wait()
		if n := len(b.told()); n != maxEvents {
			t.Fatalf("%d events", n)
		}
		time.Sleep(retry)
		b.expect(Expired)
		if c, _ := b.Counters(); c[Untold] == 0 {
			t.Errorf("%v", c)
		}
	})
}

// A new silence holds also for the window that has begun, if it is longer; with none
// nothing is told.
func TestSilenceChanges(t *testing.T) {
	watched1(t, func(b *bench) {
		set := Set{ID: 7, Interval: time.Second, Silence: 5 * time.Second, Keys: []Key{{ID: 1, Tag: key}}}
		if err := b.Put(set); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5*time.Second - 1)
		b.expect()
		time.Sleep(2 * time.Nanosecond)
		b.expect(Expired)
		b.beat()
		b.expect(Incarnation, Resumed)
		set.Silence = 0
		if err := b.Put(set); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		b.expect()
	})
}

// What an event says of the silence before it, and what Stats says of the one that lasts.
func TestSilent(t *testing.T) {
	watched1(t, func(b *bench) {
		if s, err := b.Stats(7); err != nil || s.Silent != 0 {
			t.Errorf("never heard: %+v, %v", s, err)
		}
		b.beat()
		if e := <-b.Events(); e.Kind != Incarnation || e.Silent != 0 {
			t.Errorf("%+v", e)
		}
		time.Sleep(2 * time.Second)
		if s, _ := b.Stats(7); s.Silent != 2*time.Second {
			t.Errorf("%+v", s)
		}
		if e := <-b.Events(); e.Kind != Expired || e.Silent != 3*time.Second {
			t.Errorf("%+v", e)
		}
		if err := b.Arm(7); err != nil { // the window begins anew, the silence goes on
			t.Fatal(err)
		}
		if e := <-b.Events(); e.Kind != Expired || e.Silent != 6*time.Second {
			t.Errorf("%+v", e)
		}
		time.Sleep(time.Second)
		b.beat(func(h *wire.Header) { h.Incarnation = 9 })
		for _, want := range []Kind{Incarnation, Resumed} {
			if e := <-b.Events(); e.Kind != want || e.Silent != 7*time.Second || e.Incarnation != 9 {
				t.Errorf("%+v", e)
			}
		}
	})
}
