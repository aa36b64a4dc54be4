// Package taps turns what the kernel says of packet sockets and raw IP sockets into
// documents: which programs hear what is meant for others, or for no port.
//
// Where the kernel allows trampolines it tells of each socket as it is opened, bound and
// closed. Else it tells of raw sockets as they are opened; packet sockets are learnt when
// an interface becomes promiscuous and, like the end of both, when somebody asks (Refresh).
// No timer runs here but the one that looks again, a second after something was opened.
//
// table.go is the table, free of I/O; taps.go feeds it from the kernel, look.go by looking
// at all open files.
package taps

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"cassini/agent/host"
	"cassini/agent/netns"
	"cassini/agent/pace"
	"cassini/agent/tell"
	"cassini/bpf"
	"cassini/model"
)

// Kernel is the kernel side: *bpf.Taps.
type Kernel interface {
	Read(*bpf.TapEvent) error
	Pending() int
	Sockets(ctx context.Context, fn func(*bpf.TapSocket)) error
	RingFull() (uint64, error)
	Maps() []bpf.MapUse
	Close() error
}

// Config holds what New needs; all fields are required.
type Config struct {
	Host      string // the name that documents bear
	Kernel    Kernel
	Processes *host.Processes
	// Emit takes documents in the order in which they must arrive. It must not block.
	Emit   func(...model.Document)
	Logger *slog.Logger
}

// Taps keeps the table of packet and raw sockets. All methods are safe for concurrent use;
// Run is called once.
type Taps struct {
	cfg   Config
	netns netns.Names

	links links
	late  pace.Late // runs look
	held  pace.Late // runs flush

	mu        sync.Mutex
	table     *table
	published bool
	closed    bool
	walks     pace.Walks
	events    map[string]uint64
	bad       uint64
	ringFull  uint64 // drops that a look has made good
	resyncs   uint64
	throttle  *throttle
	self      int // this process
}

// New makes a Taps that does nothing yet.
func New(cfg Config) *Taps {
	return &Taps{cfg: cfg, table: newTable(), events: make(map[string]uint64), links: newLinks(), throttle: newThrottle(), self: os.Getpid()}
}

// Bootstrap finds what was open before the kernel programs were attached. Call it before
// Publish and Run.
func (t *Taps) Bootstrap(ctx context.Context) error { return t.Refresh(ctx) }

// Run reads events until the context ends, and closes the kernel side.
func (t *Taps) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = t.Close() })
	err := t.readEvents(ctx)
	stop()
	return errors.Join(err, t.Close())
}

func (t *Taps) readEvents(ctx context.Context) error {
	if err := bpf.EachEvent(ctx, t.cfg.Kernel.Read, t.skip, t.handle); err != nil {
		return fmt.Errorf("hear of packet and raw sockets: %w", err)
	}
	return nil
}

// skip counts an event that could not be decoded.
func (t *Taps) skip() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bad++
}

// Close detaches from the kernel.
func (t *Taps) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	t.late.Stop()
	t.held.Stop()
	return t.cfg.Kernel.Close()
}

func (t *Taps) handle(event *bpf.TapEvent) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil // it came while the kernel side was let go
	}
	clock, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	switch event.Kind {
	case bpf.TapOpened:
		t.events["tap_opened"]++
		t.opened(event, clock)
	case bpf.TapClosed:
		t.events["tap_closed"]++
		if s := t.table.byCookie[event.Socket.Cookie]; s != nil {
			t.table.remove(s)
		}
	}
	t.emitChanged(clock)
	full, err := t.cfg.Kernel.RingFull()
	if err == nil && full != t.ringFull {
		t.ringFull = full
		t.resyncs++
		t.later(settle)
	}
	return err
}

// opened takes a socket that was opened, or bound since.
func (t *Taps) opened(event *bpf.TapEvent, clock bpf.Clock) {
	s := t.describe(&event.Socket, event.Image, clock)
	s.began, s.Since, s.SinceApprox = clock.MonoNs, clock.Wall.UTC(), false
	s.unbound = s.Hears == model.HearsNothing && s.Proto == model.ProtoPacket
	if before := t.table.byCookie[s.raw.Cookie]; before != nil && !before.SinceApprox {
		s.began, s.Since = before.began, before.Since
	}
	t.table.put(s)
	t.later(settle)
}

// describe makes of a socket what people want to read.
func (t *Taps) describe(found *bpf.TapSocket, image bpf.Image, clock bpf.Clock) *socket {
	s := &socket{raw: *found}
	s.Listener = model.Listener{
		Process: t.cfg.Processes.Resolve(bpf.Owner(found.Owner), image),
		Netns:   found.Netns, NetnsName: t.netns.Name(found.Netns),
		Since: clock.Boot(found.Owner.StartNs), SinceApprox: true,
	}
	if s.PID == t.self { // the agent's own, of all namespaces, are one
		s.NetnsName = ""
	}
	s.Proto, s.Hears = protocol(found)
	s.Number, s.Promiscuous = found.Number, found.Promiscuous != 0
	if name := t.links.name(found); name != "" {
		s.Interfaces = []string{name}
	}
	if addr := bpf.Addr(found.Addr); found.Family != bpf.FamilyPacket && !addr.IsUnspecified() {
		s.Bound = append(s.Bound, addr)
	}
	return s
}

func (t *Taps) emitChanged(clock bpf.Clock) {
	for _, e := range t.table.changed() {
		if e.Sockets == 0 {
			t.emit(endListener(e.Listener, clock.Wall), clock)
		} else {
			t.emit(e.Listener, clock)
		}
	}
}

func (t *Taps) emit(l model.Listener, clock bpf.Clock) {
	if !t.published {
		return // Publish sends everything as it then stands
	}
	if !t.throttle.pass(l, time.Now()) {
		t.flushLater(refill)
		return
	}
	t.send(l, clock)
}

func (t *Taps) send(l model.Listener, clock bpf.Clock) {
	tell.Document(t.cfg.Emit, t.cfg.Logger, model.Name{Host: t.cfg.Host, Package: model.PackageListeners, Key: l.Key()}, clock.Wall, l)
}
