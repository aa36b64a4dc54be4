package transport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"cassini/model"
	"cassini/model/wire"

	"go.uber.org/goleak"
)

// TestMain fails the suite for goroutines and file descriptors that stay.
func TestMain(m *testing.M) {
	if _, err := net.LookupPort("udp", "1984"); err != nil { // the poller opens its descriptors
		panic(err)
	}
	if c, err := net.ListenPacket("udp4", "127.0.0.1:0"); err == nil {
		_ = c.Close()
	}
	before := openFiles()
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if now := openFiles(); now > before && code == 0 {
		fmt.Fprintf(os.Stderr, "%d files are open, %d were before\n", now, before)
		code = 1
	}
	os.Exit(code)
}

func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		panic(err)
	}
	return len(entries) - 1 // but the one that reads them
}

const (
	testRing = model.RingID("zone-1")
	patience = 10 * time.Second
)

func keys(current uint8, ids ...uint8) model.KeySet {
	set := model.KeySet{Current: current}
	for _, id := range ids {
		set.Keys = append(set.Keys, model.RingKey{ID: id, Secret: model.Secret{id, 1, 2, 3}})
	}
	return set
}

// got is what an endpoint's handler was told.
type got struct {
	ring    model.RingID
	from    model.RingMember
	m       wire.Message
	refused netip.AddrPort
	echoed  netip.Addr
	mirror  Reflection
}

type handler struct{ told chan got }

func (h handler) Receive(ring model.RingID, from model.RingMember, m wire.Message) {
	h.told <- got{ring: ring, from: from, m: m}
}
func (h handler) Refused(addr netip.AddrPort) { h.told <- got{refused: addr} }
func (h handler) Echoed(addr netip.Addr)      { h.told <- got{echoed: addr} }
func (h handler) Reflected(r Reflection)      { h.told <- got{mirror: r} }

// end is an endpoint that runs.
type end struct {
	*Endpoint
	handler
	t *testing.T
}

func open(t *testing.T, host, at string, life model.Incarnation, edit ...func(*Config)) *end {
	t.Helper()
	nonces := NewNonces(uint64(life)<<30, time.Unix(0, 0), func(uint64) error { return nil })
	cfg := Config{Host: host, Incarnation: life, Listen: netip.MustParseAddrPort(at), Nonces: nonces, Logger: slog.New(slog.DiscardHandler)}
	for _, do := range edit {
		do(&cfg)
	}
	e, err := Open(cfg)
	if err != nil {
		if at[0] == '[' && !hasIPv6() {
			t.Skipf("NOT TRIED: there is no IPv6 here: %v", err)
		}
		t.Fatal(err)
	}
	r := &end{Endpoint: e, handler: handler{make(chan got, 100_000)}, t: t}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx, r.handler) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("%s: %v", host, err)
		}
	})
	r.Put(testRing, keys(2, 1, 2, 3))
	return r
}

func hasIPv6() bool {
	c, err := net.ListenPacket("udp6", "[::1]:0")
	return err == nil && c.Close() == nil
}

func (e *end) member() model.RingMember {
	return model.RingMember{Host: e.cfg.Host, Incarnation: e.cfg.Incarnation, Addr: e.Addr()}
}

func (e *end) send(to *end, m wire.Message) {
	e.t.Helper()
	if err := e.Send(testRing, to.member(), m); err != nil {
		e.t.Fatal(err)
	}
}

// next is what is told next.
func (e *end) next() got {
	e.t.Helper()
	select {
	case g := <-e.told:
		return g
	case <-time.After(patience):
		e.t.Fatalf("nothing was told; %v", e.Stats())
		return got{}
	}
}

// expect waits for totals, after which nothing else may have been told.
func (e *end) expect(outcome string, n uint64) {
	e.t.Helper()
	for deadline := time.Now().Add(patience); e.Stats().Received[outcome] < n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			e.t.Fatalf("want %d %s, got %v", n, outcome, e.Stats().Received)
		}
	}
	if got := e.Stats().Received[outcome]; got != n {
		e.t.Errorf("want %d %s, got %d", n, outcome, got)
	}
	select {
	case g := <-e.told:
		e.t.Errorf("told %+v", g)
	default:
	}
}

// inject sends raw bytes to an endpoint.
func (e *end) inject(datagrams ...[]byte) {
	e.t.Helper()
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(e.Addr()))
	if err != nil {
		e.t.Fatal(err)
	}
	defer c.Close()
	for _, b := range datagrams {
		if _, err := c.Write(b); err != nil && !errors.Is(err, net.ErrClosed) {
			e.t.Fatal(err)
		}
	}
}

// sealed is a datagram to b as a would send it, and as others would like to.
func sealed(key uint8, from, to string, life model.Incarnation, nonce uint64, m wire.Message) []byte {
	secret := model.Secret{key, 1, 2, 3}
	h := wire.Header{Key: key, Set: wire.RingSet(testRing), Nonce: nonce, Incarnation: life}
	b, err := wire.Seal(h, wire.RingTagKey(secret, testRing), from, wire.SealKey(secret, testRing, from, to), m)
	if err != nil {
		panic(err)
	}
	return b
}

// word is a message that nothing else goes with.
func word(id uint64) wire.Message { return wire.Message{Type: wire.ProbeAnswer, ID: id} }
