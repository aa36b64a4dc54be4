package transport

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"cassini/model"
	"cassini/model/wire"
)

// mirror is a socket in a member's place that gets what is sent to it.
type mirror struct {
	*net.UDPConn
	t    *testing.T
	addr netip.AddrPort
}

func newMirror(t *testing.T) *mirror {
	t.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &mirror{c, t, c.LocalAddr().(*net.UDPAddr).AddrPort()}
}

// asked is the next question.
func (m *mirror) asked() (h wire.Header, from netip.AddrPort) {
	m.t.Helper()
	b := make([]byte, 2000)
	for {
		_ = m.SetReadDeadline(time.Now().Add(patience))
		n, from, err := m.ReadFromUDPAddrPort(b)
		if err != nil {
			m.t.Fatal(err)
		}
		if h, err := wire.ParseHeader(b[:n]); err == nil && h.Type == wire.Ask {
			return h, from
		}
	}
}

func (m *mirror) send(h wire.Header, key wire.TagKey, to netip.AddrPort) {
	m.t.Helper()
	if _, err := m.WriteToUDPAddrPort(wire.AppendHeader(nil, h, key), to); err != nil {
		m.t.Fatal(err)
	}
}

// mirrored is the next reflection; the ping's echo may come at any time.
func (e *end) mirrored() got {
	e.t.Helper()
	for {
		if g := e.next(); !g.echoed.IsValid() {
			return g
		}
	}
}

// With a ping goes a question to the reflector. Its answer counts once, from who was asked,
// with the ring's key.
func TestReflection(t *testing.T) {
	a := open(t, "a", "127.0.0.1:0", 3)
	a.Put(testRing, keys(2, 1, 2, 3))
	m, other := newMirror(t), newMirror(t)
	key := wire.RingTagKey(model.Secret{2, 1, 2, 3}, testRing)
	ping := func() (wire.Header, netip.AddrPort) {
		a.Ping(testRing, model.RingMember{Host: "b", Addr: m.addr})
		return m.asked()
	}
	ask, from := ping()
	if ask.Set != wire.RingSet(testRing) || ask.Key != 2 || ask.Incarnation != 3 {
		t.Errorf("asked %+v", ask)
	}
	answer := wire.Header{Type: wire.Reflected, Key: ask.Key, Set: ask.Set, Nonce: ask.Nonce, Incarnation: 7, Progress: 42}
	wrong := answer
	wrong.Nonce++
	m.send(wrong, key, from)                                         // nobody asked that
	other.send(answer, key, from)                                    // not who was asked
	m.send(answer, wire.RingTagKey(model.Secret{9}, testRing), from) // without the key
	m.send(ask, key, from)                                           // a question, to which a kernel would have answered
	m.send(answer, key, from)                                        // the answer
	m.send(answer, key, from)                                        // again
	if g := a.mirrored(); g.mirror != (Reflection{From: m.addr, Incarnation: 7, Progress: 42}) {
		t.Errorf("told %+v", g)
	}
	ask, from = ping()
	answer.Nonce, answer.Progress = ask.Nonce, 43
	m.send(answer, key, from)
	if g := a.mirrored(); g.mirror.Progress != 43 {
		t.Errorf("told %+v", g)
	}
	got := a.Stats().Received
	for outcome, want := range map[string]uint64{Taken: 2, Replayed: 3, Forged: 1, Filtered: 1} {
		if got[outcome] != want {
			t.Errorf("%s: %d, want %d of %v", outcome, got[outcome], want, got)
		}
	}
}

// Only the latest questions are remembered.
func TestAsksAreBounded(t *testing.T) {
	a := open(t, "a", "127.0.0.1:0", 3)
	a.Put(testRing, keys(2, 1, 2, 3))
	m := newMirror(t)
	to := model.RingMember{Host: "b", Addr: m.addr}
	a.ask(testRing, to)
	first, from := m.asked()
	for range maxAsks {
		a.ask(testRing, to)
		m.asked()
	}
	key := wire.RingTagKey(model.Secret{2, 1, 2, 3}, testRing)
	answer := wire.Header{Type: wire.Reflected, Key: first.Key, Set: first.Set, Nonce: first.Nonce}
	m.send(answer, key, from)
	a.ask(testRing, to)
	last, _ := m.asked()
	answer.Nonce, answer.Progress = last.Nonce, 1
	m.send(answer, key, from)
	if g := a.mirrored(); g.mirror.Progress != 1 {
		t.Errorf("told %+v", g)
	}
}
