package transport

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"cassini/model"
	"cassini/model/wire"
	"cassini/transport/admit"
)

// Config is what Open needs.
type Config struct {
	Host        string // who sends
	Incarnation model.Incarnation
	Listen      netip.AddrPort
	Nonces      *Nonces
	// Take, if set, sees every datagram first and says whether it is a control datagram:
	// the watch of heartbeats. Without it heartbeats are refused.
	Take func([]byte) bool
	// Progressed, if set, is told the progress of each heartbeat.
	Progressed func(uint64)
	Logger     *slog.Logger
}

// Endpoint is a UDP socket with the keys of rings. Its methods may be called
// concurrently with Run and with each other.
type Endpoint struct {
	cfg      Config
	udp      *net.UDPConn
	sender   *sender
	pinger   *pinger // nil when it is not permitted
	progress atomic.Uint64

	mu       sync.Mutex
	rings    ringSets
	seals    seals
	beats    map[beatKey]beating
	counters map[string]uint64
	sent     uint64
	failed   uint64
	admit    *admit.Gate
	asked    [maxAsks]question // the latest
	asks     int

	pending chan struct{} // a sender was told of an ICMP error: Run looks
}

type beatKey struct {
	ring model.RingID
	to   string
}

// Open binds the socket.
func Open(cfg Config) (*Endpoint, error) {
	network := "udp"
	if cfg.Listen.Addr().Is4() {
		network = "udp4"
	}
	udp, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(cfg.Listen))
	if err != nil {
		return nil, fmt.Errorf("listen for heartbeats on %s (UDP): %w", cfg.Listen, err)
	}
	e := &Endpoint{
		cfg: cfg, udp: udp, rings: make(ringSets), seals: make(seals), beats: make(map[beatKey]beating), counters: make(map[string]uint64),
		admit: admit.New(freshRate, maxSeen), pending: make(chan struct{}, 1),
	}
	if e.sender, err = newSender(udp); err == nil {
		err = e.sender.control(wantErrors)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("ask for errors of the heartbeat socket: %w", err), udp.Close())
	}
	if e.pinger, err = openPinger(); err != nil {
		cfg.Logger.Warn("cannot send ICMP echo requests: a hung agent will look like a dead host", "error", err)
	}
	return e, nil
}

// Attach puts a filter before the socket.
func (e *Endpoint) Attach(attach func(socket int) error) error { return e.sender.control(attach) }

// Addr is where the socket is bound.
func (e *Endpoint) Addr() netip.AddrPort {
	addr := e.udp.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
}

// Put makes a ring's keys known, or changes them.
func (e *Endpoint) Put(ring model.RingID, keys model.KeySet) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rings.put(newRingKeys(ring, keys))
}

// Forget ends a ring.
func (e *Endpoint) Forget(ring model.RingID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rings.drop(ring)
	maps.DeleteFunc(e.beats, func(k beatKey, _ beating) bool { return k.ring == ring })
}

// PutBeat makes the keys of heartbeats to a member known, or changes them.
func (e *Endpoint) PutBeat(ring model.RingID, to string, keys model.KeySet) error {
	b, err := newBeating(ring, keys, e.cfg.Host, to)
	if err != nil {
		return fmt.Errorf("heartbeats to %s: %w", to, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.beats[beatKey{ring, to}] = b
	return nil
}

// ForgetBeat ends heartbeats to a member.
func (e *Endpoint) ForgetBeat(ring model.RingID, to string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.beats, beatKey{ring, to})
}

// Beat sends one heartbeat to a member whose keys are known.
func (e *Endpoint) Beat(ring model.RingID, to model.RingMember, flags wire.Flags) error {
	e.mu.Lock()
	b, ok := e.beats[beatKey{ring, to.Host}]
	e.mu.Unlock()
	if !ok {
		return fmt.Errorf("send heartbeat to %s in %s: %w", to.Host, ring, wire.ErrKey)
	}
	nonce, err := e.cfg.Nonces.Take()
	if err != nil {
		return err
	}
	var buf [wire.HeaderSize]byte
	h := wire.Header{
		Type: wire.Heartbeat, Key: b.id, Flags: flags, Set: b.set, Nonce: nonce, Incarnation: e.cfg.Incarnation, Progress: e.progress.Add(1),
	}
	if e.cfg.Progressed != nil {
		e.cfg.Progressed(h.Progress)
	}
	return e.write(wire.AppendHeader(buf[:0], h, b.tag), to)
}

// Send seals a message and sends it. Errors wrap wire.ErrKey for a ring whose keys are
// not known.
func (e *Endpoint) Send(ring model.RingID, to model.RingMember, m wire.Message) error {
	nonce, err := e.cfg.Nonces.Take()
	if err != nil {
		return err
	}
	b, err := e.sealed(ring, to, m, nonce)
	if err != nil {
		return fmt.Errorf("send %s to %s: %w", m.Type, to.Host, err)
	}
	return e.write(b, to)
}

func (e *Endpoint) sealed(ring model.RingID, to model.RingMember, m wire.Message, nonce uint64) ([]byte, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	k := e.rings.of(ring)
	if k == nil {
		return nil, fmt.Errorf("%s: %w", ring, wire.ErrKey)
	}
	aead, err := e.seals.seal(sealing{k, k.keys.Current, e.cfg.Host, to.Host})
	if err != nil {
		return nil, err
	}
	h := wire.Header{Key: k.keys.Current, Set: k.set, Nonce: nonce, Incarnation: e.cfg.Incarnation, Progress: e.progress.Load()}
	tag, _ := k.tag(h.Key) // there is a seal by that key
	return wire.Seal(h, tag, e.cfg.Host, aead, m)
}

func (e *Endpoint) write(b []byte, to model.RingMember) error {
	err := e.sender.send(b, to.Addr)
	for tries := 0; err != nil && isPending(err) && tries < maxPending; tries++ { // an earlier datagram's; this one was not sent
		e.look()
		err = e.sender.send(b, to.Addr)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sent++
	if err != nil {
		e.failed++
		return fmt.Errorf("send to %s at %s: %w", to.Host, to.Addr, err)
	}
	return nil
}

// Ping asks a member's kernel: by an ICMP echo request, if that is permitted, whose answer
// is Echoed, and by a question to its reflector, if the ring's keys are known, whose answer
// is Reflected.
func (e *Endpoint) Ping(ring model.RingID, to model.RingMember) {
	e.ask(ring, to)
	if e.pinger != nil {
		e.pinger.ping(to.Addr.Addr())
	}
}

// Run hears until the context ends, and closes the socket.
func (e *Endpoint) Run(ctx context.Context, h Handler) error {
	var both sync.WaitGroup
	inner, end := context.WithCancel(ctx)
	defer end()
	stop := context.AfterFunc(inner, func() { _ = e.Close() })
	defer stop()
	var calls sync.Mutex // several goroutines, one handler
	both.Go(func() { e.lookAgain(inner, h, &calls) })
	if e.pinger != nil {
		both.Go(func() {
			e.pinger.run(func(addr netip.Addr) {
				calls.Lock()
				defer calls.Unlock()
				h.Echoed(addr)
			})
		})
	}
	err := e.hear(h, &calls)
	end()
	_ = e.Close() // ends the pinger too
	both.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (e *Endpoint) hear(h Handler, calls *sync.Mutex) error {
	buf := make([]byte, 2*wire.MaxDatagram)
	for {
		n, from, err := e.udp.ReadFromUDPAddrPort(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil && isPending(err):
			e.tellRefusals(h, calls)
			continue
		case err != nil:
			return fmt.Errorf("hear datagrams: %w", err)
		}
		if e.cfg.Take != nil && !e.cfg.Take(buf[:n]) {
			continue // a heartbeat, or refused and counted by the watch
		}
		if r, ok := e.reflection(buf[:n], from); ok {
			calls.Lock()
			h.Reflected(r)
			calls.Unlock()
			continue
		}
		ring, sender, m, err := e.open(buf[:n])
		if err != nil {
			continue // counted
		}
		sender.Addr = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		calls.Lock()
		h.Receive(ring, sender, m)
		calls.Unlock()
	}
}

// open proves who sent a control datagram, and that it has not come before.
func (e *Endpoint) open(b []byte) (ring model.RingID, from model.RingMember, m wire.Message, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer func() { e.counters[outcome(err)]++ }()
	if len(b) > wire.MaxDatagram {
		return "", from, m, wire.ErrMalformed
	}
	h, err := wire.ParseHeader(b)
	if err != nil {
		return "", from, m, err
	}
	if h.Type == wire.Heartbeat {
		return "", from, m, errUnknownSet
	}
	k, err := e.rings.tagged(b, h)
	if err != nil {
		return "", from, m, err
	}
	if h.Type == wire.Ask {
		return "", from, m, errFiltered // no reflector is here
	}
	if h.Type == wire.Reflected {
		return "", from, m, wire.ErrReplayed // it was not asked for, or came twice
	}
	sender, err := wire.Sender(b)
	if err != nil {
		return "", from, m, err
	}
	if k.came(sender, h) {
		return "", from, m, wire.ErrReplayed // it costs nothing more
	}
	if e.cfg.Take == nil && !e.admit.Pass(b, time.Now()) {
		return "", from, m, errLimited
	}
	if m, err = e.seals.open(k, b, h, sender, e.cfg.Host); err != nil {
		return "", from, m, err
	}
	if !k.fresh(sender, h) {
		return "", from, m, wire.ErrReplayed
	}
	return k.ring, model.RingMember{Host: sender, Incarnation: h.Incarnation}, m, nil
}

// Stats are an endpoint's totals.
type Stats struct {
	Sent, Failed uint64            // datagrams
	Received     map[string]uint64 // control datagrams, by what became of them
	Pinging      bool              // ICMP echo requests can be sent
}

// Stats copies the totals.
func (e *Endpoint) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return Stats{Sent: e.sent, Failed: e.failed, Received: maps.Clone(e.counters), Pinging: e.pinger != nil}
}

// Close ends Run.
func (e *Endpoint) Close() error {
	err := e.udp.Close()
	if e.pinger != nil {
		err = errors.Join(err, e.pinger.close())
	}
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
