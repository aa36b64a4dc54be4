package heartbeat

import (
	"errors"
	"sync"
	"testing"
	"time"

	"cassini/bpf"
	"cassini/model"
	"cassini/model/wire"
)

// flood sends heartbeats from several CPUs at once until it is stopped; pause is between
// two of one CPU.
func (p *pulse) flood(pause func()) (stop func()) {
	done := make(chan struct{})
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				mu.Lock()
				h := p.header()
				mu.Unlock()
				p.send(h)
				pause()
			}
		})
	}
	return func() { close(done); all.Wait() }
}

// drain is what is told until nothing more comes.
func (p *pulse) drain() (events []bpf.PulseEvent) {
	for {
		select {
		case e := <-p.events:
			events = append(events, e)
		case <-time.After(200 * time.Millisecond):
			return events
		}
	}
}

// Heartbeats that meet the end of their window: each expiry is told before the return
// that ends it, and each once.
func TestExpiryAndReturnTakeTurns(t *testing.T) {
	p := newPulse(t, time.Millisecond)
	stop := p.flood(func() { time.Sleep(900 * time.Microsecond) })
	silent, turns := false, 0
	judge := func(e bpf.PulseEvent) {
		switch {
		case e.Kind == bpf.PulseIncarnation:
			return
		case (e.Kind == bpf.PulseExpired) == silent:
			t.Fatalf("after %d turns: %+v, and silent is %v already", turns, e, silent)
		case e.Silent < 0 || e.Silent > time.Minute:
			t.Fatalf("silent for %v", e.Silent)
		}
		silent = !silent
		turns++
	}
	defer func() { stop() }()
	for end := time.After(3 * time.Second); end != nil; {
		select {
		case e := <-p.events:
			judge(e)
		case <-end:
			end = nil
		}
	}
	stop()
	stop = func() {}
	for !silent {
		judge(p.wait())
	}
	for _, e := range p.drain() {
		judge(e)
	}
	if !silent || turns < 10 {
		t.Errorf("after %d turns: silent is %v", turns, silent)
	}
	t.Logf("%d turns", turns)
}

// A neighbour that is heard while its watch begins did not return.
func TestBeginIsNoReturn(t *testing.T) {
	p := newPulse(t, time.Minute)
	stop := p.flood(func() {})
	defer func() { stop() }()
	for range 300 {
		if err := p.kernel.Forget(uint32(p.set)); err != nil {
			t.Fatal(err)
		}
		p.put(time.Minute, 1)
		if err := p.kernel.Arm(uint32(p.set)); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	stop = func() {}
	events := p.drain()
	for _, e := range events {
		if e.Kind != bpf.PulseIncarnation || e.Incarnation != 7 {
			t.Fatalf("%+v", e)
		}
	}
}

// An expiry that finds no room is told later, and is not taken for this machine's own
// standstill, which would give the neighbour another window.
func TestUntold(t *testing.T) {
	p := newUnread(t, time.Minute)
	for deadline := time.Now().Add(patience); p.counters().RingFull == 0 && time.Now().Before(deadline); {
		h := p.header()
		h.Incarnation = model.Incarnation(h.Nonce) // each a life of its own, to be told
		p.send(h)
	}
	const grace = time.Second // a machine that stands still for as long is late rightly
	put := bpf.HeartbeatSet{
		Keys: []bpf.HeartbeatKey{{ID: 1, K0: p.key.K0, K1: p.key.K1}}, Interval: 100 * time.Millisecond,
		Silence: 300 * time.Millisecond, Grace: grace,
	}
	if err := errors.Join(p.kernel.Put(uint32(p.set), put), p.kernel.Arm(uint32(p.set))); err != nil {
		t.Fatal(err)
	}
	const retry = 100 * time.Millisecond // of the kernel's side
	tried := p.counters().RingFull + uint64(grace/retry) + 3
	for deadline := time.Now().Add(patience); p.counters().RingFull < tried && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	var e bpf.PulseEvent
	for deadline := time.Now().Add(patience); e.Kind != bpf.PulseExpired && time.Now().Before(deadline); {
		if err := p.kernel.Read(&e); err != nil {
			t.Fatal(err)
		}
	}
	state, err := p.kernel.Pulse(uint32(p.set))
	if err != nil || e.Kind != bpf.PulseExpired || state.Late != 0 || state.Expiries != 1 {
		t.Errorf("%+v, %+v, %v", e, state, err)
	}
}

// A timer that runs when it was to run is not late, although a shorter silence is asked
// for by then.
func TestShorterSilenceIsNotLate(t *testing.T) {
	p := newPulse(t, time.Second)
	set := bpf.HeartbeatSet{Interval: time.Millisecond, Silence: 10 * time.Millisecond, Grace: 900 * time.Millisecond}
	if err := p.kernel.Put(uint32(p.set), set); err != nil {
		t.Fatal(err)
	}
	p.expect(bpf.PulseExpired)
}

// Whoever recorded a control datagram cannot keep new ones out with it.
func TestControlRecorded(t *testing.T) {
	p := newPulse(t, 0)
	ring := wire.RingTagKey(model.Secret{1}, testRing)
	set := wire.RingSet(testRing)
	if err := p.kernel.Put(uint32(set), bpf.HeartbeatSet{Keys: []bpf.HeartbeatKey{{ID: 1, K0: ring.K0, K1: ring.K1}}}); err != nil {
		t.Fatal(err)
	}
	control := func(nonce uint64) []byte {
		return append(wire.AppendHeader(nil, wire.Header{Type: wire.Probe, Key: 1, Set: set, Nonce: nonce}, ring), 1)
	}
	const replays = 20000
	recorded := control(1)
	for i := range replays {
		recorded[wire.HeaderSize] = byte(i) // nobody checks it here
		p.sendRaw(recorded)
	}
	before := p.after(replays)
	p.sendRaw(control(2))
	if c := p.after(replays + 1); c.Control != before.Control+1 || before.Limited == 0 {
		t.Errorf("before %+v, after %+v", before, c)
	}
}

// Times that the kernel would take for centuries are refused.
func TestNegativeTimes(t *testing.T) {
	p := newPulse(t, 0)
	for _, set := range []bpf.HeartbeatSet{{Interval: -1}, {Silence: -1}, {Grace: -1}, {Keys: make([]bpf.HeartbeatKey, 4)}} {
		if err := p.kernel.Put(9, set); !errors.Is(err, bpf.ErrBadSet) {
			t.Errorf("%+v: %v", set, err)
		}
	}
}
