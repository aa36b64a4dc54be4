package heartbeat

import (
	"context"
	"testing"
	"time"

	"cassini/agent/heartbeat/watch"
	"cassini/model"
	"cassini/model/wire"
)

// expectEvent is the watch's next event, but for those that tell that this machine stood still.
func expectEvent(t *testing.T, w watch.Watch, want watch.Kind) {
	t.Helper()
	for {
		select {
		case e := <-w.Events():
			if e.Kind == want {
				return
			}
			if e.Kind != watch.Late {
				t.Fatalf("event is %+v, want kind %d", e, want)
			}
		case <-time.After(patience):
			t.Fatalf("no event of kind %d came", want)
		}
	}
}

// The watch in user space, which serves where the kernel's does not, on a real socket:
// it tells a life, silence and the return.
func TestUserWatch(t *testing.T) {
	hears, sends := pair(t)
	set, key := wire.LinkSet(testRing, "a", "b"), wire.LinkTagKey(model.Secret{1}, testRing, "a", "b")
	w := watch.NewUser()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 2)
	go func() { done <- w.Run(ctx) }()
	go func() {
		defer func() { done <- nil }()
		for b := make([]byte, 2000); ; {
			n, err := hears.Read(b)
			if err != nil {
				return // the test has ended
			}
			w.Take(b[:n])
		}
	}()
	defer func() {
		stop()
		_ = hears.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		<-done
	}()
	err := w.Put(watch.Set{ID: set, Keys: []watch.Key{{ID: 1, Tag: key}}, Interval: 100 * time.Millisecond, Silence: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	send := func(nonce uint64, life model.Incarnation) {
		h := wire.Header{Type: wire.Heartbeat, Key: 1, Set: set, Nonce: nonce, Incarnation: life}
		if _, err := sends.Write(wire.AppendHeader(nil, h, key)); err != nil {
			t.Fatal(err)
		}
	}
	send(1000, 7)
	expectEvent(t, w, watch.Incarnation)
	send(1000, 7) // replayed
	expectEvent(t, w, watch.Expired)
	send(1001, 7)
	expectEvent(t, w, watch.Resumed)
	send(1002, 8)
	expectEvent(t, w, watch.Incarnation)
	c, err := w.Counters()
	if err != nil || c[watch.Heartbeat] != 3 || c[watch.Replayed] != 1 {
		t.Errorf("%v, %v", c, err)
	}
}
