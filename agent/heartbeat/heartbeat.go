package heartbeat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"cassini/agent/heartbeat/alarm"
	"cassini/agent/heartbeat/member"
	"cassini/agent/heartbeat/watch"
	"cassini/model"
	"cassini/model/wire"
	"cassini/transport"
)

// Manager is who gives this host its places. Implementations are safe for concurrent use.
type Manager interface {
	// Join tells it that this host is there. Errors pass, unless they wrap model.ErrJoinRefused.
	Join(ctx context.Context, j model.Join) (*model.Joined, error)
}

// ErrAnew ends Run when the record of earlier lives was lost, and the manager knows a
// later one: New begins a life that the others take.
var ErrAnew = errors.New("the manager knows a later life of this host")

// Kinds of watch.
const (
	WatchAuto   = "auto" // the kernel's, where it can be had
	WatchKernel = "kernel"
	WatchUser   = "user"
)

// Config is what New needs.
type Config struct {
	Host    string
	DataDir string
	// Doubted says that this may be another machine than the one that the state is of: it has no
	// place on rings before the manager gives it one.
	Doubted bool
	Listen  netip.AddrPort // where heartbeats are heard
	// Addr is the address at which others reach this host. It is asked when the host
	// joins, and again when Moved is called.
	Addr    func() (netip.Addr, error)
	Watch   string // kind of watch; "" is WatchAuto
	Manager Manager
	// Report brings a verdict document to the manager, whatever comes between.
	Report func(docs ...model.Document)
	// Zone is the switch or subnet that this host stands in, and its chassis. It is
	// asked when the host joins, and again when Moved is called.
	Zone func(addr netip.Addr) (zone, chassis string)
	// Reflect has the kernel answer for the agent where it may not get to it.
	Reflect bool
	// GoingDown says, when the agent is told to end, whether the machine does too.
	GoingDown func() bool
	// Restored, if set, is called when the manager seems to have been put back to a backup. It
	// must not block.
	Restored func()
	Logger   *slog.Logger
}

// Heartbeat is this host in its rings. Run is called once; the other methods may be
// called at any time.
type Heartbeat struct {
	cfg      Config
	keeper   *keeper
	endpoint *transport.Endpoint
	mirror   *reflector
	watch    watch.Watch
	why      error // why it is not the kernel's
	nonces   *transport.Nonces

	alarm  *alarm.Alarm // for what the member does next
	inputs chan func(now time.Time)
	moved  chan struct{}
	other  atomic.Bool    // the manager is reached elsewhere, and was not asked yet
	member *member.Member // the loop's
	self   model.RingMember
	life   model.Incarnation
	doubts *doubts
	rand   *rand.Rand
	anew   bool

	mu      sync.Mutex
	watched map[wire.Set]watched // what the watch knows, by its numbers
	stats   figures
}

// watched is a set of the watch.
type watched struct {
	ring model.RingID
	from string
}

// New opens the socket and the watch, and begins a life.
func New(cfg Config) (*Heartbeat, error) {
	k, err := openKeeper(cfg.DataDir, cfg.Host, cfg.Doubted)
	if errors.Is(err, errDamaged) {
		cfg.Logger.Warn("cannot go on from an earlier life", "error", err)
	} else if err != nil {
		return nil, err
	}
	if err := k.change(func(s *state) { s.Incarnation++; s.Sequence = 0 }); err != nil {
		return nil, err
	}
	h := &Heartbeat{
		cfg: cfg, keeper: k, inputs: make(chan func(time.Time), 256), moved: make(chan struct{}, 1),
		watched: make(map[wire.Set]watched), rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	}
	if err := h.openWatch(); err != nil {
		return nil, err
	}
	if cfg.Reflect {
		if h.mirror, err = openReflector(h.watch); err != nil {
			cfg.Logger.Warn("no reflector: where ICMP is filtered a hung agent looks like a dead host", "error", err)
		}
	}
	if h.alarm, err = alarm.New(); err != nil {
		return nil, errors.Join(err, h.mirror.close(), h.watch.Close())
	}
	if err := h.open(); err != nil {
		return nil, errors.Join(err, h.alarm.Close(), h.mirror.close(), h.watch.Close())
	}
	return h, nil
}

// openWatch chooses who waits for heartbeats.
func (h *Heartbeat) openWatch() error {
	if h.cfg.Watch == WatchUser {
		h.watch = watch.NewUser()
		return nil
	}
	kernel, err := watch.OpenKernel()
	switch {
	case err == nil:
		h.watch = kernel
	case h.cfg.Watch == WatchKernel:
		return fmt.Errorf("watch heartbeats in the kernel, as was asked for: %w", err)
	default:
		h.cfg.Logger.Warn("heartbeats are watched in user space: each one wakes the agent", "error", err)
		h.watch, h.why = watch.NewUser(), err
	}
	return nil
}

// open binds the socket and makes the member of this life.
func (h *Heartbeat) open() error {
	s := h.keeper.read()
	h.nonces = transport.NewNonces(s.Nonces, time.Now(), func(upTo uint64) error {
		return h.keeper.change(func(s *state) { s.Nonces = upTo })
	})
	e, err := transport.Open(transport.Config{
		Host: h.cfg.Host, Incarnation: s.Incarnation, Listen: h.cfg.Listen, Nonces: h.nonces, Take: h.watch.Take, Logger: h.cfg.Logger,
		Progressed: func(n uint64) { h.mirror.progressed(n) },
	})
	if err != nil {
		return err
	}
	if kernel, ok := h.watch.(*watch.Kernel); ok {
		if err := e.Attach(kernel.Attach); err != nil {
			return errors.Join(fmt.Errorf("watch heartbeats in the kernel: %w", err), e.Close())
		}
	}
	h.endpoint = e
	h.doubts = newDoubts(h.watch.Name() != WatchKernel)
	h.self = model.RingMember{Host: h.cfg.Host, Addr: netip.AddrPortFrom(netip.IPv4Unspecified(), e.Addr().Port()), Incarnation: s.Incarnation}
	h.life = s.Incarnation
	h.member = member.New(member.Config{Self: h.self, World: world{h}, Rand: h.rand})
	return nil
}

// ManagerBack says that the manager was away, and for how long.
func (h *Heartbeat) ManagerBack(away time.Duration) {
	select {
	case h.inputs <- func(now time.Time) { h.member.ManagerBack(away, now) }:
	default: // a report that the manager can do without
	}
}

// Run is a member until the context ends; then it takes leave.
func (h *Heartbeat) Run(ctx context.Context) error {
	defer h.watch.Close()
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var parts sync.WaitGroup
	var hearing, watching error
	h.restore()
	parts.Go(h.alarm.Run)
	parts.Go(func() { hearing = h.endpoint.Run(inner, handler{h, inner}); stop() })
	parts.Go(func() { watching = h.watch.Run(inner); stop() })
	parts.Go(func() { h.join(ctx) })
	failed := h.loop(ctx, inner)
	stop()
	closed := errors.Join(h.alarm.Close(), h.mirror.close())
	parts.Wait()
	if err := errors.Join(failed, closed, hearing, watching); err != nil {
		return fmt.Errorf("heartbeats: %w", err)
	}
	if h.anew {
		return ErrAnew
	}
	return nil
}

// restore goes on from the places of an earlier life, before the manager is reached.
func (h *Heartbeat) restore() {
	s := h.keeper.read()
	if s.Joined != nil {
		h.learn(s.Joined)
	}
	h.member.Restore(s.Assignments, time.Now())
	h.publish()
}

// learn makes the ring with the manager known.
func (h *Heartbeat) learn(j *model.Joined) {
	h.endpoint.Put(j.Ring, j.Keys)
	if err := h.watch.Put(controlSet(j.Ring, j.Keys)); err != nil {
		h.cfg.Logger.Error("hear the manager", "error", err)
	}
}

// loop owns the member.
func (h *Heartbeat) loop(ctx, inner context.Context) error {
	leave := ctx.Done()
	for {
		next := h.member.Next()
		if err := h.alarm.Set(next); err != nil {
			return err
		}
		select {
		case do := <-h.inputs:
			do(time.Now())
		case e := <-h.watch.Events():
			h.event(e, time.Now())
		case <-h.alarm.C():
			now := time.Now()
			if next.IsZero() || now.Before(next) {
				continue // it rang for a time that is no more
			}
			h.doubts.ran(next, now, h.silence())
			h.member.Tick(now)
		case <-leave:
			leave = nil
			h.member.Leave(h.reason(), time.Now())
		case <-inner.Done():
			return nil
		}
		h.publish()
		if h.anew || leave == nil && h.member.Left() {
			return nil
		}
	}
}

func (h *Heartbeat) reason() uint8 {
	if h.cfg.GoingDown != nil && h.cfg.GoingDown() {
		return wire.LeaveShutdown
	}
	return wire.LeaveStopped
}

// silence is the shortest of all rings.
func (h *Heartbeat) silence() time.Duration {
	shortest := model.StandardProfile().Silence
	for _, a := range h.member.Assignments() {
		shortest = min(shortest, a.Profile.Silence)
	}
	return shortest
}

// input runs something in the loop.
func (h *Heartbeat) input(ctx context.Context, do func(now time.Time)) {
	select {
	case h.inputs <- do:
	case <-ctx.Done():
	}
}

// event takes what the watch woke for.
func (h *Heartbeat) event(e watch.Event, now time.Time) {
	h.mu.Lock()
	w, ok := h.watched[e.Set]
	h.mu.Unlock()
	if !ok {
		return
	}
	switch e.Kind {
	case watch.Expired:
		h.member.Silent(w.ring, w.from, e.Silent, now)
	case watch.Resumed, watch.Incarnation:
		h.member.Resumed(w.ring, w.from, e.Incarnation, now)
	case watch.Late:
		h.doubts.lateUntil = now.Add(h.silence())
	}
}

// join tells the manager that this host is there, until it answers, and again when it
// has moved.
func (h *Heartbeat) join(ctx context.Context) {
	wait := time.Duration(0)
	var last model.Join
	for {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		if h.other.Swap(false) {
			last = model.Join{}
		}
		join, j, err := h.askToJoin(ctx, last)
		switch {
		case errors.Is(err, ErrAnew):
			h.input(ctx, func(time.Time) { h.anew = true })
			return
		case errors.Is(err, model.ErrJoinRefused):
			h.cfg.Logger.Error("this host is on no ring", "error", err)
			wait = time.Minute
			continue
		case err != nil:
			h.cfg.Logger.Debug("join rings", "error", err)
			wait = min(max(2*wait, time.Second), 30*time.Second)
			if busy, ok := errors.AsType[*model.BusyError](err); ok {
				wait = max(wait, busy.After)
			}
			wait += rand.N(wait) // so that not all come at once
			continue
		}
		if j != nil {
			last = join
			h.input(ctx, func(now time.Time) { h.joined(join.Addr, j, now) })
		}
		select {
		case <-h.moved:
			wait = rand.N(time.Second)
		case <-ctx.Done():
			return
		}
	}
}

// askToJoin asks unless it would say the same again.
func (h *Heartbeat) askToJoin(ctx context.Context, last model.Join) (model.Join, *model.Joined, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	addr, err := h.cfg.Addr()
	if err != nil {
		return last, nil, fmt.Errorf("find the address for heartbeats: %w", err)
	}
	join := model.Join{RingMember: model.RingMember{Host: h.cfg.Host, Incarnation: h.life}, Watch: h.watch.Name()}
	join.Addr = netip.AddrPortFrom(addr, h.endpoint.Addr().Port())
	join.Zone, join.Chassis = h.cfg.Zone(addr)
	if join == last {
		return last, nil, nil
	}
	j, err := h.cfg.Manager.Join(ctx, join)
	if err != nil {
		return join, nil, err
	}
	if j.Incarnation > h.life {
		if err := h.keeper.change(func(s *state) { s.Incarnation = max(s.Incarnation, j.Incarnation-1) }); err != nil {
			return join, nil, err
		}
		return join, nil, ErrAnew
	}
	return join, j, nil
}

// joined puts the manager's answer into force.
func (h *Heartbeat) joined(addr netip.AddrPort, j *model.Joined, now time.Time) {
	h.mu.Lock()
	h.self.Addr = addr
	h.mu.Unlock()
	h.doubts.addr = addr.Addr()
	if err := h.mirror.attach(addr, uint64(h.life)); err != nil {
		h.cfg.Logger.Warn("the kernel does not answer for the agent", "error", err)
	}
	places := j.Assignments
	j.Assignments = nil
	if err := h.keeper.change(func(s *state) { s.Joined = j }); err != nil {
		h.cfg.Logger.Error("the answer of the manager is not on disk", "error", err)
	}
	h.learn(j)
	for _, a := range places {
		epoch, _ := h.member.Assign(a, now)
		world{h}.Send(j.Ring, j.Manager, wire.Message{Type: wire.Ack, Ring: a.Ring, Epoch: epoch})
	}
}
