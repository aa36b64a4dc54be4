package heartbeat

import (
	"errors"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"cassini/bpf"
	"cassini/model"
	"cassini/model/wire"
)

const testRing = model.RingID("subnet:127.0.0.0/8")

// pulse is a watched neighbour of the test, and what can be sent as that neighbour.
type pulse struct {
	t      testing.TB
	kernel *bpf.Heartbeats
	socket *net.UDPConn // hears; the filter is on it
	sender *net.UDPConn
	set    wire.Set
	key    wire.TagKey
	nonce  uint64
	events chan bpf.PulseEvent
}

// newPulse attaches the filter to a socket of loopback and watches one neighbour.
func newPulse(t testing.TB, silence time.Duration) *pulse {
	t.Helper()
	p := newUnread(t, silence)
	go p.read()
	t.Cleanup(func() {
		_ = p.kernel.Close()
		for range p.events { // until read has ended
		}
	})
	return p
}

// newUnread is one whose events wait in the kernel.
func newUnread(t testing.TB, silence time.Duration) *pulse {
	t.Helper()
	needTimers(t)
	kernel, err := bpf.OpenHeartbeats()
	if err != nil {
		t.Fatalf("%+v", err)
	}
	p := &pulse{
		t: t, kernel: kernel, events: make(chan bpf.PulseEvent, 64), nonce: 1 << 20,
		set: wire.LinkSet(testRing, "a", "b"), key: wire.LinkTagKey(model.Secret{1}, testRing, "a", "b"),
	}
	p.socket, p.sender = pair(t)
	raw, err := p.socket.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) { err = kernel.Attach(int(fd)) }); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	p.put(silence, 1)
	if err := kernel.Arm(uint32(p.set)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kernel.Close() })
	return p
}

// pair is a socket of loopback and one that sends to it.
func pair(t testing.TB) (hears, sends *net.UDPConn) {
	t.Helper()
	hears, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	sends, err = net.DialUDP("udp", nil, hears.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = hears.Close(), sends.Close() })
	return hears, sends
}

func (p *pulse) put(silence time.Duration, ids ...uint8) {
	p.t.Helper()
	set := bpf.HeartbeatSet{Interval: 100 * time.Millisecond, Silence: silence, Grace: time.Minute}
	for _, id := range ids {
		set.Keys = append(set.Keys, bpf.HeartbeatKey{ID: id, K0: p.key.K0, K1: p.key.K1})
	}
	if err := p.kernel.Put(uint32(p.set), set); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pulse) read() {
	defer close(p.events)
	for {
		var e bpf.PulseEvent
		if err := p.kernel.Read(&e); err != nil {
			if !errors.Is(err, os.ErrClosed) {
				p.t.Errorf("read: %v", err)
			}
			return
		}
		p.events <- e
	}
}

// header is that of the neighbour's next heartbeat.
func (p *pulse) header() wire.Header {
	p.nonce++
	return wire.Header{Type: wire.Heartbeat, Key: 1, Set: p.set, Nonce: p.nonce, Incarnation: 7, Progress: p.nonce}
}

func (p *pulse) send(h wire.Header) { p.sendRaw(wire.AppendHeader(nil, h, p.key)) }

func (p *pulse) sendRaw(b []byte) {
	p.t.Helper()
	if _, err := p.sender.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pulse) counters() bpf.HeartbeatCounters {
	p.t.Helper()
	c, err := p.kernel.Counters()
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

// after is what was counted once n datagrams came: a kernel under pressure handles those of
// loopback after the call that sent them.
func (p *pulse) after(n uint64) bpf.HeartbeatCounters {
	p.t.Helper()
	for end := time.Now().Add(patience); ; runtime.Gosched() {
		c := p.counters()
		came := c.Truncated + c.Malformed + c.UnknownSet + c.UnknownKey + c.Forged + c.NotWatched + c.Limited +
			c.Control + c.OldIncarnation + c.Replayed + c.Heartbeats
		if came >= n || time.Now().After(end) {
			return c
		}
	}
}

// wait is the next event.
func (p *pulse) wait() bpf.PulseEvent {
	p.t.Helper()
	select {
	case e := <-p.events:
		return e
	case <-time.After(patience):
		p.t.Fatal("no event came")
		return bpf.PulseEvent{}
	}
}

func (p *pulse) expect(kind bpf.PulseEventKind) bpf.PulseEvent {
	p.t.Helper()
	e := p.wait()
	if e.Kind != kind || e.Set != uint32(p.set) {
		p.t.Fatalf("event is %+v, want kind %d", e, kind)
	}
	return e
}

// silent says that no datagram reached user space.
func (p *pulse) silent() {
	p.t.Helper()
	_ = p.socket.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if n, err := p.socket.Read(make([]byte, 2000)); err == nil {
		p.t.Errorf("%d bytes woke user space", n)
	}
}

// lapse has the neighbour's window begin anew and run out. No other is short: whoever stands still for as
// long as a window is silent rightly.
func (p *pulse) lapse() bpf.PulseEvent {
	p.t.Helper()
	p.put(lapseAfter, 1)
	if err := p.kernel.Arm(uint32(p.set)); err != nil {
		p.t.Fatal(err)
	}
	e := p.expect(bpf.PulseExpired)
	p.put(time.Minute, 1)
	return e
}

const lapseAfter = 300 * time.Millisecond

// The kernel tells a life, silence and the return, and wakes nobody between.
func TestPulse(t *testing.T) {
	p := newPulse(t, time.Minute)
	p.send(p.header())
	if e := p.expect(bpf.PulseIncarnation); e.Incarnation != 7 {
		t.Errorf("incarnation is %d", e.Incarnation)
	}
	for range 10 {
		p.send(p.header())
	}
	p.after(11)
	if e := p.lapse(); e.Silent < lapseAfter {
		t.Errorf("expired after %v", e.Silent)
	}
	p.send(p.header())
	p.expect(bpf.PulseResumed)
	h := p.header()
	h.Incarnation = 8
	p.send(h)
	if e := p.expect(bpf.PulseIncarnation); e.Incarnation != 8 {
		t.Errorf("incarnation is %d", e.Incarnation)
	}
	p.send(p.header()) // of the life before
	p.lapse()
	if c := p.after(14); c.Heartbeats != 13 || c.OldIncarnation != 1 {
		t.Errorf("%+v", c)
	}
	state, err := p.kernel.Pulse(uint32(p.set))
	if err != nil || state.Heartbeats != 13 || state.Expiries != 2 || state.Incarnation != 8 {
		t.Errorf("%+v, %v", state, err)
	}
	if sum := sumOf(state.Spacing[:]); sum != 12 || sumOf(state.Lateness[:]) != sum {
		t.Errorf("spacing %v, lateness %v", state.Spacing, state.Lateness)
	}
	p.silent()
}

func sumOf(buckets []uint32) (sum uint32) {
	for _, n := range buckets {
		sum += n
	}
	return sum
}

// A neighbour that was never heard is told, too; a new window is given when asked for.
func TestNeverHeard(t *testing.T) {
	p := newPulse(t, 100*time.Millisecond)
	if e := p.expect(bpf.PulseExpired); e.Silent != 0 {
		t.Errorf("it was heard %v ago", e.Silent)
	}
	if err := p.kernel.Arm(uint32(p.set)); err != nil {
		t.Fatal(err)
	}
	p.expect(bpf.PulseExpired)
	p.put(0, 1) // never
	if err := p.kernel.Arm(uint32(p.set)); err != nil {
		t.Fatal(err)
	}
	p.send(p.header())
	p.expect(bpf.PulseIncarnation)
	p.expect(bpf.PulseResumed) // although its window was begun anew
	time.Sleep(200 * time.Millisecond)
	if len(p.events) > 0 {
		t.Errorf("%+v came without a deadline", <-p.events)
	}
	if err := p.kernel.Forget(uint32(p.set)); err != nil {
		t.Fatal(err)
	}
	p.send(p.header())
	if c := p.after(2); c.UnknownSet != 1 {
		t.Errorf("%+v", c)
	}
}

// Every datagram that is no good is dropped and counted by its reason.
func TestRefusedInKernel(t *testing.T) {
	p := newPulse(t, 0)
	good := wire.AppendHeader(nil, p.header(), p.key)
	edit := func(i int, v byte) []byte { b := append([]byte{}, good...); b[i] ^= v; return b }
	ring := wire.RingTagKey(model.Secret{1}, testRing)
	rings := uint32(wire.RingSet(testRing))
	if err := p.kernel.Put(rings, bpf.HeartbeatSet{Keys: []bpf.HeartbeatKey{{ID: 1, K0: ring.K0, K1: ring.K1}}}); err != nil {
		t.Fatal(err)
	}
	probe, err := wire.Seal(wire.Header{Key: 1, Set: wire.Set(rings), Nonce: 5}, ring, "a", wire.SealKey(model.Secret{1}, testRing, "a", "b"), wire.Message{Type: wire.Probe})
	if err != nil {
		t.Fatal(err)
	}
	forged := append([]byte{}, probe...)
	forged[10]++
	asControl := append(append([]byte{}, good...), 1)
	asControl[1] = byte(wire.Probe)
	for _, b := range [][]byte{
		nil, good[:39], good[:1], // truncated
		edit(0, 1), edit(1, 0x40), edit(15, 1), append(append([]byte{}, good...), 0), make([]byte, 100), make([]byte, 1400), // malformed
		edit(4, 1), asControl, wire.AppendHeader(nil, wire.Header{Type: wire.Heartbeat, Key: 1, Set: wire.Set(rings)}, ring), // unknown set
		edit(2, 9),                                               // unknown key
		edit(3, 1), edit(8, 1), edit(16, 1), edit(39, 1), forged, // forged
		good, good, // one of them is replayed
		probe,
	} {
		p.sendRaw(b)
	}
	got := p.after(21)
	want := bpf.HeartbeatCounters{Truncated: 3, Malformed: 6, UnknownSet: 3, UnknownKey: 1, Forged: 5, Heartbeats: 1, Replayed: 1, Control: 1}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	_ = p.socket.SetReadDeadline(time.Now().Add(patience))
	if n, err := p.socket.Read(make([]byte, 2000)); err != nil || n != len(probe) {
		t.Errorf("%d bytes of the probe's %d passed: %v", n, len(probe), err)
	}
	p.silent()
}

// The kernel's replay window and Go's give the same answer to each datagram. Each is waited
// for: a sender that changes CPUs overtakes itself, and windows go by the order of arrival.
func TestWindowsAgree(t *testing.T) {
	p := newPulse(t, 0)
	var window wire.Window
	random := newRandom(t)
	want := bpf.HeartbeatCounters{}
	for i := range 5000 {
		h := p.header()
		h.Nonce = p.nonce + random.Uint64N(300)
		if window.Take(h.Nonce) {
			want.Heartbeats++
		} else {
			want.Replayed++
		}
		p.send(h)
		if c := p.after(uint64(i) + 1); c != want {
			t.Fatalf("datagram %d, nonce %d: %+v, want %+v", i, h.Nonce, c, want)
		}
		if random.IntN(4) > 0 {
			p.nonce--
		}
	}
}

// Three keys are accepted at a time, and others are not.
func TestKeyRotation(t *testing.T) {
	p := newPulse(t, 0)
	p.put(0, 3, 4, 5)
	for id := range uint8(8) {
		h := p.header()
		h.Key = id
		p.send(h)
	}
	if c := p.after(8); c.Heartbeats != 3 || c.UnknownKey != 5 {
		t.Errorf("%+v", c)
	}
}

// Floods of control datagrams are held back, and heartbeats are not.
func TestControlIsLimited(t *testing.T) {
	p := newPulse(t, 0)
	ring := wire.RingTagKey(model.Secret{1}, testRing)
	set := wire.RingSet(testRing)
	if err := p.kernel.Put(uint32(set), bpf.HeartbeatSet{Keys: []bpf.HeartbeatKey{{ID: 1, K0: ring.K0, K1: ring.K1}}}); err != nil {
		t.Fatal(err)
	}
	flood := append(wire.AppendHeader(nil, wire.Header{Type: wire.Probe, Key: 1, Set: set}, ring), 1)
	sent := uint64(0)
	for deadline := time.Now().Add(patience); p.counters().Limited == 0 && time.Now().Before(deadline); {
		for range 1000 {
			p.sendRaw(flood)
			sent++
		}
	}
	p.send(p.header())
	if c := p.after(sent + 1); c.Limited == 0 || c.Limited+c.Control != sent || c.Heartbeats != 1 {
		t.Errorf("of %d: %+v", sent, c)
	}
}

// What finds no room is told.
func TestSetsHaveABound(t *testing.T) {
	needTimers(t)
	kernel, err := bpf.OpenHeartbeats()
	if err != nil {
		t.Fatalf("%+v", err)
	}
	defer func() { _ = kernel.Close() }()
	for id := range uint32(bpf.MaxHeartbeatSets) {
		if err := kernel.Put(id, bpf.HeartbeatSet{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := kernel.Put(bpf.MaxHeartbeatSets, bpf.HeartbeatSet{}); !isFull(err) {
		t.Errorf("error is %v", err)
	}
}
