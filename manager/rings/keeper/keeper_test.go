package keeper

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"cassini/manager/rings"
	"cassini/model"
	"cassini/model/wire"
)

// hold keeps the file from being written until the answer is called.
func hold(t *testing.T, k *Keeper) (release func()) {
	t.Helper()
	held, let, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- k.disk.Update(func(*bolt.Tx) error {
			close(held)
			<-let
			return nil
		})
	}()
	<-held
	return func() {
		close(let)
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

const aWhile = 300 * time.Millisecond

func TestJoinIsAnsweredOnceItIsDurable(t *testing.T) {
	l := live(t, t.TempDir())
	first, second := newAgent(t, "h1", "z1", 1), newAgent(t, "h2", "z1", 1)
	first.joins(l.Keeper)
	l.eventually("the place is acknowledged", settled)

	release := hold(t, l.Keeper)
	answers := make(chan *model.Joined, 1)
	go func() {
		joined, _ := l.Join(context.WithoutCancel(t.Context()), second.join)
		answers <- joined
	}()
	select {
	case <-answers:
		t.Error("answered before it was on disk")
	case <-time.After(aWhile):
	}
	if told := first.places(); len(told) > 0 {
		t.Errorf("told before it was on disk: %+v", told[0])
	}
	release()
	joined := <-answers
	if joined == nil || len(joined.Assignments) != 1 || joined.Assignments[0].Next.Host != "h1" {
		t.Fatalf("answered %+v", joined)
	}
	second.learn(joined)
	await(t, "the neighbor is told", func() bool {
		told := first.places()
		return len(told) > 0 && told[len(told)-1].Next.Host == "h2"
	})
	l.eventually("all places are acknowledged", settled)
}

func TestJoinErrors(t *testing.T) {
	l := live(t, t.TempDir())
	if _, err := l.Join(t.Context(), model.Join{}); !errors.Is(err, rings.ErrInvalid) {
		t.Errorf("an empty join: %v", err)
	}
	release := hold(t, l.Keeper)
	ctx, cancel := context.WithTimeout(t.Context(), aWhile)
	defer cancel()
	join := model.Join{RingMember: model.RingMember{Host: "h1", Addr: netip.MustParseAddrPort("127.0.0.1:9"), Incarnation: 1}}
	if _, err := l.Join(ctx, join); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nobody waits any more: %v", err)
	}
	if _, err := l.View(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nobody waits for a view any more: %v", err)
	}
	release()
	if h := l.view().host("h1"); h.State != "up" {
		t.Errorf("what nobody waits for is kept nevertheless, got %+v", h)
	}
}

func TestInstructionsAreRepeatedUntilAcknowledged(t *testing.T) {
	l := live(t, t.TempDir())
	deaf := newAgent(t, "h1", "z1", 1)
	deaf.joins(l.Keeper)
	l.eventually("the place is acknowledged", settled)
	deaf.shut(true)
	joined := newAgent(t, "h2", "z1", 1).joins(l.Keeper)
	await(t, "it is told three times", func() bool { return len(deaf.places()) >= 3 })
	for _, place := range deaf.places() {
		if place.Epoch != joined.Assignments[0].Epoch || place.Next.Host != "h2" {
			t.Errorf("told %+v", place)
		}
	}
	if v := l.view(); v.Pending != 1 || v.Rings[0].State != model.RingMending || !slices.Equal(v.Rings[0].Unacknowledged, []string{"h1"}) {
		t.Errorf("before it says so: %d pending, %+v", v.Pending, v.Rings)
	}
	deaf.shut(false)
	l.eventually("the repeated place is acknowledged", settled)
	told := len(deaf.places())
	time.Sleep(4 * time.Second) // longer than the next pause
	if again := len(deaf.places()); again != told {
		t.Errorf("told %d times more", again-told)
	}
	if state := l.view().Rings[0].State; state != model.RingWhole {
		t.Errorf("the ring is %s", state)
	}
}

func TestRestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := live(t, dir)
	agents := make(map[string]*agent)
	for n := range 6 {
		a := newAgent(t, fmt.Sprintf("h%d", n), fmt.Sprintf("z%d", n%2), 1)
		a.joins(l.Keeper)
		agents[a.join.Host] = a
	}
	agents["h1"].shut(true) // before the manager looks
	l.Take([]model.Document{crashed("h3", 1, agents["h1"].join.RingMember)})
	before := l.eventually("h1 is dead, and the others know", func(v View) bool { return v.host("h1").State == string(rings.Crashed) && settled(v) })
	port, manager := l.endpoint.Addr(), agents["h0"].manager
	l.end()
	for _, a := range agents {
		a.mu.Lock()
		a.told = nil
		a.mu.Unlock()
	}

	ready := make(chan struct{})
	again := live(t, dir, func(c *Config) { c.Listen, c.Ready = port, ready })
	after := again.view()
	for range 50 { // rounds in which it could tell them
		after = again.view()
	}
	places := 0
	for _, h := range before.Hosts {
		places += len(h.Rings)
	}
	if sent := after.Stats.Instructions; sent != 0 || after.Pending != places {
		t.Errorf("%d instructions were sent before it was ready, and %d of %d places wait", sent, after.Pending, places)
	}
	close(ready)
	if !maps.Equal(after.epochs(), before.epochs()) {
		t.Errorf("epochs %v became %v", before.epochs(), after.epochs())
	}
	for i, h := range before.Hosts {
		if got := after.Hosts[i]; !got.Since.Equal(h.Since) || got.State != h.State || got.Addr != h.Addr || !slices.Equal(got.Rings, h.Rings) || !slices.Equal(got.WatchedBy, h.WatchedBy) {
			t.Errorf("%+v became %+v", h, got)
		}
	}
	if again.self.Incarnation <= manager.Incarnation {
		t.Errorf("incarnation %d after %d", again.self.Incarnation, manager.Incarnation)
	}
	for name, a := range agents {
		rings := after.host(name).Rings
		await(t, name+" is told its places again", func() bool { return len(a.places()) >= len(rings) })
		for _, place := range a.places() {
			if !slices.Contains(rings, place.Ring) || place.Epoch != before.epochs()[place.Ring] {
				t.Errorf("%s is told %+v", name, place)
			}
		}
	}
	again.eventually("all of them acknowledge", settled)
	for name, joined := range map[string]*model.Joined{"h0": agents["h0"].joins(again.Keeper), "h2": agents["h2"].joins(again.Keeper)} {
		for _, place := range joined.Assignments {
			if !place.Gone && place.Epoch < before.epochs()[place.Ring] {
				t.Errorf("%s is told epoch %d of %s, and was told %d", name, place.Epoch, place.Ring, before.epochs()[place.Ring])
			}
		}
	}
	again.end()
	consistent(t, onDisk(t, dir))
}

func TestClosed(t *testing.T) {
	l := live(t, t.TempDir())
	if v := l.view(); len(v.Hosts) != 0 || v.Rings == nil {
		t.Errorf("of nothing: %+v", v)
	}
	l.end()
	ctx := t.Context()
	_, viewed := l.View(ctx)
	_, joined := l.Join(ctx, model.Join{})
	for what, err := range map[string]error{"view": viewed, "join": joined, "rotate": l.Rotate(ctx)} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s after the end: %v", what, err)
		}
	}
	l.Take([]model.Document{crashed("a", 1, model.RingMember{Host: "b"})}) // does not wait for anybody
}

func TestRotateIsDurable(t *testing.T) {
	dir := t.TempDir()
	l := live(t, dir)
	a := newAgent(t, "h1", "z1", 1)
	a.joins(l.Keeper)
	release := hold(t, l.Keeper)
	done := make(chan error, 1)
	go func() { done <- l.Rotate(context.WithoutCancel(t.Context())) }()
	select {
	case err := <-done:
		t.Errorf("answered before it was on disk: %v", err)
	case <-time.After(aWhile):
	}
	release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	await(t, "the host is told of the next key", func() bool {
		told := a.places()
		return len(told) > 0 && told[len(told)-1].Keys.Current == 2
	})
	l.end()
	if all := onDisk(t, dir).rings; len(all) != 1 || all[0].Generation != 2 {
		t.Errorf("on disk is %+v", all)
	}
}

func TestTakeReadsVerdictsAlone(t *testing.T) {
	l := live(t, t.TempDir())
	a := newAgent(t, "h1", "", 1)
	a.joins(l.Keeper)
	newAgent(t, "h2", "", 1).joins(l.Keeper)
	good := crashed("h2", 1, a.join.RingMember)
	gone, other, garbage := good, good, good
	gone.Body, other.Package, garbage.Body = nil, "os", []byte(`{"id":7}`)
	l.Take([]model.Document{gone, other, garbage})
	if h := l.view().host("h1"); h.State != "up" {
		t.Errorf("it is %s", h.State)
	}
	l.Take([]model.Document{garbage, good})
	if h := l.view().host("h1"); h.State != string(rings.Crashed) {
		t.Errorf("it is %s", h.State)
	}
}

// TestRingThatEndsAndBeginsInOneRound: its new keys are those that count.
func TestRingThatEndsAndBeginsInOneRound(t *testing.T) {
	l := live(t, t.TempDir())
	other, first := newAgent(t, "h1", "z1", 1), newAgent(t, "h2", "z2", 1)
	other.joins(l.Keeper)
	first.joins(l.Keeper)
	l.eventually("all places are acknowledged", settled)
	second := newAgent(t, "h2", "z2", 2)

	release := hold(t, l.Keeper)
	go func() { _ = l.Rotate(context.WithoutCancel(t.Context())) }() // holds up the loop
	time.Sleep(aWhile)
	l.Take([]model.Document{crashed("h1", 1, first.join.RingMember)})
	answers := make(chan *model.Joined, 1)
	go func() {
		joined, _ := l.Join(context.WithoutCancel(t.Context()), second.join)
		answers <- joined
	}()
	await(t, "both wait", func() bool { return len(l.inputs) >= 2 })
	release()
	joined := <-answers
	if joined == nil || len(joined.Assignments) == 0 {
		t.Fatalf("answered %+v", joined)
	}
	second.learn(joined)
	err := second.Send("z2", second.manager, wire.Message{Type: wire.Question, ID: 5, Subject: other.join.RingMember})
	if err != nil {
		t.Fatal(err)
	}
	await(t, "a question in the ring is answered", func() bool {
		second.mu.Lock()
		defer second.mu.Unlock()
		return slices.ContainsFunc(second.heard, func(m wire.Message) bool { return m.Type == wire.Answer && m.ID == 5 })
	})
}
