package capture

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"cassini/agent/host"
	"cassini/agent/netns"
	"cassini/bpf"
	"cassini/model"
)

// Kernel is the kernel side: *bpf.TCP.
type Kernel interface {
	Read(*bpf.Event) error
	Pending() int
	Bootstrap(ctx context.Context, eachNetns func(func() error) error) error
	OpenSCTP(ctx context.Context) error
	Listeners(func(cookie uint64, l *bpf.Listener)) error
	Edges(func(place uint32, edge *bpf.Edge)) error
	OpenTraffic(ctx context.Context, fn func(*bpf.Traffic)) error
	ProbeTraffic() error
	SCTPTraffic() error
	Holders(ctx context.Context, cookies []uint64, eachNetns func(func() error) error) error
	Edge(bpf.EdgeKey) (edge bpf.Edge, ok bool, err error)
	Health(place uint32) (bpf.Health, error)
	Evict(keys []bpf.EdgeKey, fn func(key bpf.EdgeKey, last *bpf.Edge, health *bpf.Health)) error
	Counters() (bpf.Counters, error)
	Maps() []bpf.MapUse
	Limits() bpf.Limits
	Close() error
}

// Config holds what New needs; all fields are required.
type Config struct {
	Host   string // the name that documents bear
	Kernel Kernel
	// Accepts is nil where the kernel does not tell who accepts.
	Accepts Accepts
	// Emit takes documents in the order in which they must arrive. It must not
	// block.
	Emit func(...model.Document)
	// Pace, if set, waits until more documents find room. It is called without any lock,
	// while many are made.
	Pace   func(context.Context) error
	Logger *slog.Logger
}

// Capture keeps the tables of listeners and dependencies. All methods are safe
// for concurrent use; Run is called once.
type Capture struct {
	cfg       Config
	processes *host.Processes
	netns     netns.Names
	sources   netns.Sources

	read atomic.Uint64 // events taken from the ring buffer

	mu        sync.Mutex
	handled   uint64     // events handled, of those read
	progress  *sync.Cond // on mu: handled has grown
	listeners *listeners
	edges     *edges
	handovers handovers
	users     users
	fresh     fresh
	lives     *lives
	gone      func(cgroup uint64) bool
	published bool
	events    map[string]uint64
	bad       uint64 // events that could not be decoded
	resyncs   uint64
	evictions uint64
	evicted   uint64 // evicted although busy
	traffic   trafficReads
	roomAfter uint64 // CLOCK_MONOTONIC, when it is worth trying to evict again
	ringFull  uint64 // drops that a resync has made good
	workers   int    // processes that accepted connections, when they were last read
	// noSCTPAccepts is why the kernel does not tell who accepts SCTP's associations, or nil.
	noSCTPAccepts error
	closed        bool
}

// New makes a Capture that does nothing yet.
func New(cfg Config) *Capture {
	c := &Capture{
		cfg:       cfg,
		processes: host.NewProcesses(),
		listeners: newListeners(),
		edges:     newEdges(),
		lives:     newLives(),
		events:    make(map[string]uint64),

		noSCTPAccepts: bpf.ErrNoSCTP,
	}
	c.gone = c.processes.CgroupGone
	c.progress = sync.NewCond(&c.mu)
	return c
}

// OpenSCTP begins with SCTP, once the kernel has it, and finds what existed before: call it
// after Bootstrap, and again when it was not loaded (bpf.ErrNoSCTP).
func (c *Capture) OpenSCTP(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return ErrClosed
	}
	if err := c.cfg.Kernel.OpenSCTP(ctx); err != nil {
		return err
	}
	c.noSCTPAccepts = c.openSCTPAccepts()
	return c.resync()
}

// SCTP tells why the kernel does not tell what SCTP's associations move, and who accepts them; nil where
// it does.
func (c *Capture) SCTP() (traffic, accepts error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cfg.Kernel.SCTPTraffic(), c.noSCTPAccepts
}

// Run reads events until the context ends. Then it reads the counters once more, emits
// what moved, and closes the kernel side.
func (c *Capture) Run(ctx context.Context) error {
	return bpf.Listen(ctx, c.readEvents, c.lastWord, c.Close)
}

func (c *Capture) readEvents(ctx context.Context) error {
	err := bpf.EachEvent(ctx, func(event *bpf.Event) error {
		err := c.cfg.Kernel.Read(event)
		c.read.Add(1)
		return err
	}, c.skip, c.handle)
	if err != nil {
		return fmt.Errorf("capture sockets: %w", err)
	}
	return nil
}

// lastWord tells what nobody has asked for: the next run counts anew.
func (c *Capture) lastWord() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	clock, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	c.traffic.after = 0
	return c.readAll(context.Background(), clock)
}

// Close detaches from the kernel. Whoever waits for fresh counters waits no longer.
func (c *Capture) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	c.handovers.late.Stop()
	c.users.late.Stop()
	c.fresh.late.Stop()
	c.progress.Broadcast()
	var err error
	if c.cfg.Accepts != nil {
		err = c.cfg.Accepts.Close()
		c.cfg.Accepts = nil
	}
	return errors.Join(err, c.cfg.Kernel.Close())
}

// ErrClosed says that the capture has ended.
var ErrClosed = errors.New("the capture has ended")

// Hold runs fn while no event is handled: they wait in the ring buffer.
func (c *Capture) Hold(fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fn()
}

// skip counts an event that could not be decoded.
func (c *Capture) skip() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bad++
	c.eventHandled()
}

func (c *Capture) eventHandled() {
	c.handled++
	c.progress.Broadcast()
}

func (c *Capture) handle(event *bpf.Event) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil // it came while the kernel side was let go
	}
	defer c.eventHandled()
	if err := c.dispatch(event); err != nil {
		return err
	}
	if c.cfg.Kernel.Pending() > 0 {
		return nil
	}
	return c.makeGood()
}

// awaitEvents waits until the events that have happened by now are handled: they
// know more of an edge than its place in the map. Called with mu held.
func (c *Capture) awaitEvents(ctx context.Context) error {
	if c.closed {
		return ErrClosed
	}
	wake := context.AfterFunc(ctx, c.progress.Broadcast)
	defer wake()
	for target := c.read.Load() + uint64(c.cfg.Kernel.Pending()); c.handled < target; c.progress.Wait() {
		if c.closed {
			return ErrClosed
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait for events to be handled: %w", context.Cause(ctx))
		}
	}
	return nil
}

func (c *Capture) dispatch(event *bpf.Event) error {
	clock, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	switch event.Kind {
	case bpf.EventListen:
		c.events["listen"]++
		c.listenerStarted(event.Cookie, &event.Listener, event.Image, clock)
	case bpf.EventUnlisten:
		c.events["unlisten"]++
		c.listenerEnded(event.Cookie, clock)
	case bpf.EventEdge:
		c.events["edge"]++
		if err := c.edgeStarted(event, clock); err != nil {
			return err
		}
		return c.makeRoom(clock)
	case bpf.EventFailed:
		c.events["failed"]++
		return c.edgeFailed(event.Key, clock)
	case bpf.EventHeard:
		c.events["heard"]++
		return c.edgeMoved(event.Key, clock)
	case bpf.EventMany:
		c.events["many"]++
		return c.readEdges(clock)
	case bpf.EventFull:
		c.events["full"]++
		return c.makeRoom(clock)
	}
	return nil
}

func (c *Capture) listenerStarted(cookie uint64, l *bpf.Listener, image bpf.Image, clock bpf.Clock) {
	switch {
	case c.listeners.known(cookie):
	case tooFresh(l, clock):
		c.hold(cookie, image)
	default:
		c.tellListener(cookie, l, image, clock)
	}
}

func (c *Capture) tellListener(cookie uint64, l *bpf.Listener, image bpf.Image, clock bpf.Clock) {
	if body, changed := c.listeners.started(cookie, l.StartedNs, c.describeListener(l, image, clock)); changed {
		c.emit(model.PackageListeners, body.Key(), body, false, clock)
	}
	if l.StartedNs != 0 {
		c.began(c.listeners.byCookie[cookie], l.Owner)
	}
}

func (c *Capture) listenerEnded(cookie uint64, clock bpf.Clock) {
	delete(c.fresh.images, cookie)
	entry := c.listeners.byCookie[cookie]
	if entry != nil {
		c.tellSuccessors(entry, clock)
	}
	if body, changed := c.listeners.ended(cookie, clock.Wall); changed {
		c.emit(model.PackageListeners, body.Key(), body, false, clock)
		if body.Sockets > 0 { // it may have been that of the process that is named
			entry.proven = false
			c.look(entry)
		}
	}
}

// edgeStarted handles the first connection of an edge: the counters come from
// the map, where they may have moved on since.
func (c *Capture) edgeStarted(event *bpf.Event, clock bpf.Clock) error {
	read, ok, err := c.cfg.Kernel.Edge(event.Key)
	if err != nil || !ok {
		return err
	}
	e := c.edges.byKernel.get(event.Key)
	var begun *program
	if e == nil {
		e, begun = c.addEdge(&event.Key, event.Owner, event.Image, clock)
	}
	if c.edges.update(e, &read, clock) {
		c.emitNews(e.of, clock)
	}
	c.connected(e.of)
	return c.livesBegin(begun, clock)
}

// addEdge takes an edge that was not known. It returns the program that begins a life by
// it, or nil.
func (c *Capture) addEdge(key *bpf.EdgeKey, owner bpf.Owner, image bpf.Image, clock bpf.Clock) (*edge, *program) {
	describe := c.describeEdge(key, owner, image, clock)
	e := c.edges.add(*key, describe)
	return e, c.joined(e, describe.Process, owner, clock)
}

// edgeMoved reads one edge anew.
func (c *Capture) edgeMoved(key bpf.EdgeKey, clock bpf.Clock) error {
	read, ok, err := c.cfg.Kernel.Edge(key)
	if err != nil || !ok {
		return err
	}
	if e := c.edges.byKernel.get(key); e != nil && c.edges.update(e, &read, clock) {
		c.emitNews(e.of, clock)
	}
	return nil
}

// edgeFailed reads one edge anew of which a connection failed. Of a dependency that fails time and
// again somebody wants to hear that it does: once a minute, however many lives of a program it has.
func (c *Capture) edgeFailed(key bpf.EdgeKey, clock bpf.Clock) error {
	err := c.edgeMoved(key, clock)
	e := c.edges.byKernel.get(key)
	if err != nil || e == nil {
		return err
	}
	minute := uint16(clock.MonoNs / uint64(time.Minute))
	if _, waits := c.edges.unsent[e.of]; waits && e.of.failedIn != minute {
		c.emitDependency(e.of, clock)
	}
	e.of.failedIn = minute
	return nil
}

// emitNews tells of a dependency, unless all that is new of one that is known are counters:
// then it waits until somebody asks. So many lives of one program are no more documents
// than one is.
func (c *Capture) emitNews(dep *dependency, clock bpf.Clock) {
	if dep.news() {
		c.emitDependency(dep, clock)
		return
	}
	c.edges.unsent[dep] = struct{}{}
}

func (c *Capture) emitDependency(dep *dependency, clock bpf.Clock) {
	delete(c.edges.unsent, dep)
	if body, progress, moved := dep.body(); moved {
		c.emit(model.PackageDependencies, body.Key(), body, progress, clock)
	}
}

func (c *Capture) emit(pkg, key string, body any, progress bool, clock bpf.Clock) {
	if !c.published {
		return // Publish sends everything as it then stands
	}
	doc, err := model.NewDocument(model.Name{Host: c.cfg.Host, Package: pkg, Key: key}, clock.Wall, body)
	if err != nil {
		c.cfg.Logger.Error("encode what was captured", "error", err)
		return
	}
	doc.Progress = progress
	c.cfg.Emit(doc)
}
