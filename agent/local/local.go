package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"cassini/agent/host"
	"cassini/agent/netns"
	"cassini/agent/pace"
	"cassini/agent/tell"
	"cassini/bpf"
	"cassini/model"
)

// Kernel is the kernel side: *bpf.Unix.
type Kernel interface {
	Read(*bpf.UnixEvent) error
	Pending() int
	Adopt(ctx context.Context, fn func(*bpf.UnixSocket)) error
	Sockets(ctx context.Context, fn func(*bpf.UnixSocket)) error
	Clients(ctx context.Context, fn func(*bpf.UnixClient)) error
	StillServes(*bpf.UnixSocket) (bool, error)
	Where(*bpf.UnixSocket) (string, error)
	Serve(bpf.UnixName, *bpf.UnixSocket) error
	Edges(func(*bpf.UnixKey, *bpf.UnixEdge)) error
	Edge(bpf.UnixKey) (edge bpf.UnixEdge, ok bool, err error)
	Evict([]bpf.UnixKey, func(bpf.UnixKey, *bpf.UnixEdge)) error
	Counters() (bpf.UnixCounters, error)
	BytesSkipped() (uint64, error)
	Maps() []bpf.MapUse
	Limits() bpf.UnixLimits
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

// Local keeps the tables of Unix-domain sockets. All methods are safe for concurrent use;
// Run is called once.
type Local struct {
	cfg   Config
	netns netns.Names

	read atomic.Uint64 // events taken from the ring buffer

	mu        sync.Mutex
	handled   uint64     // events handled, of those read
	progress  *sync.Cond // on mu: handled has grown
	places    *places
	sockets   *sockets
	targets   targets
	edges     *edges
	published bool
	closed    bool
	walks     pace.Walks
	late      pace.Late // runs settle when a walk may be made again
	events    map[string]uint64
	bad       uint64
	ringFull  uint64 // drops that a read of the map has made good
	resyncs   uint64
}

// New makes a Local that does nothing yet.
func New(cfg Config) *Local {
	c := &Local{
		cfg: cfg, places: newPlaces(), sockets: newSockets(), targets: make(targets), edges: newEdges(), events: make(map[string]uint64),
	}
	c.progress = sync.NewCond(&c.mu)
	return c
}

// Bootstrap finds what existed before the kernel programs were attached. Call it before
// Publish and Run.
func (c *Local) Bootstrap(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	clock, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	if err := c.walk(ctx, c.cfg.Kernel.Adopt, clock); err != nil {
		return err
	}
	return c.readAll(ctx, clock)
}

// Run reads events until the context ends. Then it reads the counters once more, emits
// what moved, and closes the kernel side.
func (c *Local) Run(ctx context.Context) error {
	return bpf.Listen(ctx, c.readEvents, c.lastWord, c.Close)
}

func (c *Local) readEvents(ctx context.Context) error {
	err := bpf.EachEvent(ctx, func(event *bpf.UnixEvent) error {
		err := c.cfg.Kernel.Read(event)
		c.read.Add(1)
		return err
	}, c.skip, func(event *bpf.UnixEvent) error { return c.handle(ctx, event) })
	if err != nil {
		return fmt.Errorf("capture Unix-domain sockets: %w", err)
	}
	return nil
}

// skip counts an event that could not be decoded.
func (c *Local) skip() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bad++
	c.eventHandled()
}

func (c *Local) lastWord() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	clock, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	return c.readAll(context.Background(), clock)
}

// Close detaches from the kernel.
func (c *Local) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	c.progress.Broadcast()
	c.late.Stop()
	return c.cfg.Kernel.Close()
}

func (c *Local) handle(ctx context.Context, event *bpf.UnixEvent) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil // it came while the kernel side was let go
	}
	defer c.eventHandled()
	clock, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	switch event.Kind {
	case bpf.UnixEventEdge:
		c.events["unix_edge"]++
		err = c.dialled(event.Key, event.PID, event.Owner, event.Image)
	case bpf.UnixEventUnsure:
		c.events["unix_unsure"]++
		err = c.dialled(event.Key, event.PID, bpf.Owner{}, bpf.Image{})
	case bpf.UnixEventFull:
		c.events["unix_full"]++
	case bpf.UnixEventListen:
		c.events["unix_listen"]++
		err = c.walkIfDue(ctx, clock)
	}
	if err != nil || c.cfg.Kernel.Pending() > 0 {
		return err
	}
	if err := c.makeGood(ctx, clock); err != nil {
		return err
	}
	return errors.Join(c.settle(ctx, clock), c.makeRoom(ctx, clock))
}

func (c *Local) eventHandled() {
	c.handled++
	c.progress.Broadcast()
}

// awaitEvents waits until the events that have happened by now are handled: they know of
// the process what may not be found any more. Called with mu held.
func (c *Local) awaitEvents(ctx context.Context) error {
	wake := context.AfterFunc(ctx, c.progress.Broadcast)
	defer wake()
	for target := c.read.Load() + uint64(c.cfg.Kernel.Pending()); c.handled < target && !c.closed; c.progress.Wait() {
		if ctx.Err() != nil {
			return fmt.Errorf("wait for events to be handled: %w", context.Cause(ctx))
		}
	}
	return nil
}

// dialled takes the first attempt of an edge, or one that nobody is sure about.
func (c *Local) dialled(key bpf.UnixKey, pid int, owner bpf.Owner, image bpf.Image) error {
	read, ok, err := c.cfg.Kernel.Edge(key)
	if err != nil || !ok {
		return err
	}
	t := c.edgeOf(key, &read, image).target
	t.moved = true
	if image.Cwd != "" {
		t.cwd = image.Cwd
	}
	if t.client = pid; t.cwd == "" && !path.IsAbs(t.text) {
		t.cwd = cwd(pid)
	}
	return nil
}

// edgeOf finds or begins an edge.
func (c *Local) edgeOf(key bpf.UnixKey, read *bpf.UnixEdge, image bpf.Image) *edge {
	e := c.edges.byKernel[key]
	if e == nil {
		t := c.targets.of(key, read)
		e = &edge{key: key, target: t, process: c.cfg.Processes.Resolve(bpf.Owner(read.Owner), image)}
		t.edges[e] = struct{}{}
		c.edges.byKernel[key] = e
	}
	e.read = *read
	return e
}

// settle finds out about attempts that nobody is sure about.
func (c *Local) settle(ctx context.Context, clock bpf.Clock) error {
	var open []*target
	for _, t := range c.targets {
		if !t.unsure() && !t.fresh() && !t.moved {
			continue
		}
		// A walk since the latest attempt is as good as another one.
		if c.resolve(t) || t.place.missing() || c.walks.Last.MonoNs > t.lastNs() {
			c.settled(t, clock)
		} else {
			open = append(open, t)
		}
	}
	if open == nil {
		return nil
	}
	if !c.walks.Due(clock.MonoNs) {
		c.later(ctx, clock)
		return nil
	}
	if err := c.walk(ctx, c.cfg.Kernel.Sockets, clock); err != nil {
		return err
	}
	for _, t := range open {
		c.resolve(t)
		c.settled(t, clock)
	}
	return nil
}

// later settles when a walk may be made again.
func (c *Local) later(ctx context.Context, clock bpf.Clock) {
	c.late.Begin(time.Duration(c.walks.After-clock.MonoNs), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		clock, err := bpf.ReadClock()
		if err == nil && !c.closed && ctx.Err() == nil {
			err = c.settle(ctx, clock)
		}
		if err != nil {
			c.cfg.Logger.Error("find out who serves a Unix-domain socket", "error", err)
		}
	})
}

// settled tells the kernel side and the documents what is known of a target now.
func (c *Local) settled(t *target, clock bpf.Clock) {
	for e := range t.edges {
		if read, ok, err := c.cfg.Kernel.Edge(e.key); err == nil && ok {
			e.read = read
		}
	}
	t.settle()
	t.moved = false
	for e := range t.edges {
		c.describe(e, clock)
		c.emitDependency(e.of, clock)
	}
}

// resolve finds the socket that answers to a target and tells the kernel side. It reports
// whether one does.
func (c *Local) resolve(t *target) bool {
	found := c.look(t)
	if found != nil && found.Type != t.kind {
		found = nil // the kernel lets nobody connect to a socket of another type
	} else if found != nil {
		alive, err := c.cfg.Kernel.StillServes(&found.UnixSocket)
		if err != nil || !alive {
			found = nil
		}
	}
	if found == t.serving && (found != nil) == t.told {
		return found != nil
	}
	var err error
	if found == nil {
		err = c.cfg.Kernel.Serve(t.name, nil)
	} else {
		err = c.cfg.Kernel.Serve(t.name, &found.UnixSocket)
	}
	if err != nil {
		c.cfg.Logger.Debug("tell who serves a Unix-domain socket", "error", err) // it will be asked again
	}
	t.serving, t.told = found, found != nil && err == nil
	return found != nil
}

func (c *Local) look(t *target) *socket {
	if t.isAbstract() {
		t.place = place{path: t.text}
		return c.sockets.byAbstract[abstract{t.name.Space, t.kind, t.text}]
	}
	if t.cwd == "" && !path.IsAbs(t.text) {
		t.cwd = cwd(t.client)
	}
	t.place = c.places.find(spoken{pid: t.client, mntns: t.name.Space, cwd: t.cwd, text: t.text})
	if found := c.sockets.at(t.place); found != nil || !t.adopted() {
		return found
	}
	return c.sockets.bound(t)
}

// describe brings an edge under the dependency that its target makes of it.
func (c *Local) describe(e *edge, clock bpf.Clock) {
	t := e.target
	if e.of != nil && t.serving == nil {
		e.of.seen(e, clock)
		return // what once answered keeps its name
	}
	d := model.Dependency{
		Direction: model.Out, Proto: model.ProtoUnix, Process: e.process, CountingSince: clock.Wall.UTC(),
	}
	d.UnixName, d.NetnsName = t.unixName()
	if t.isAbstract() {
		d.Netns = t.name.Space
		d.NetnsName = c.netns.Name(t.name.Space)
	} else if t.text != d.Path {
		d.Dialled = t.text
	}
	if left := c.edges.put(e, d); left != nil && left.sends > 0 {
		c.emit(model.PackageDependencies, left.Key(), nil, false, clock)
	}
	e.of.seen(e, clock)
}

func (c *Local) emitDependency(dep *dependency, clock bpf.Clock) {
	if body, progress, moved := dep.body(); moved {
		c.emit(model.PackageDependencies, body.Key(), body, progress, clock)
	}
}

func (c *Local) emit(pkg, key string, body any, progress bool, clock bpf.Clock) {
	if !c.published {
		return // Publish sends everything as it then stands
	}
	send := func(docs ...model.Document) {
		for i := range docs {
			docs[i].Progress = progress
		}
		c.cfg.Emit(docs...)
	}
	tell.Document(send, c.cfg.Logger, model.Name{Host: c.cfg.Host, Package: pkg, Key: key}, clock.Wall, body)
}
