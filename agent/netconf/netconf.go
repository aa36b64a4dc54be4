package netconf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"cassini/agent/netns"
	"cassini/agent/pace"
	"cassini/agent/tell"
	"cassini/model"
)

// Config holds what New needs; all fields are required but the functions from Links on.
type Config struct {
	Host string // the name that documents bear
	// Emit takes documents in the order in which they must arrive. It must not
	// block.
	Emit   func(...model.Document)
	Logger *slog.Logger
	// Links is told of every interface as it stands or went, in the order of the
	// changes within a namespace. It must not block.
	Links func(ns netns.Namespace, i model.Interface)
	// Met is told of other machines whenever the kernel's neighbour table tells of
	// them, also of those that are known. It must not block.
	Met func(model.Seen)
	// Learned is told which hardware addresses bridges learned behind which port, also
	// what is known. It must not block.
	Learned func(model.Forwarding)
	// ReceiveBuffer holds what the kernel tells while we work, in bytes for each
	// namespace; 0 is 4 MiB, of which only what is used takes memory.
	ReceiveBuffer int
}

// NetConf keeps the interfaces of all network namespaces. Run is called once;
// the other methods are safe for concurrent use.
type NetConf struct {
	cfg    Config
	counts counts
	look   chan struct{} // namespaces may have come or gone
	ready  chan struct{}

	mu        sync.Mutex
	published bool
	there     map[string]model.Interface // by document key
	routes    routing
	spaces    map[uint32]*running
}

// running is a namespace that is listened to; end stops that. Our sockets alone would keep
// it for ever: what else keeps it is its name, or a process that is watched.
type running struct {
	ns    netns.Namespace
	loose bool // that process has ended
	watch func(pid int)
	end   context.CancelFunc
}

// keptBy takes the name or the process that keeps the namespace now.
func (r *running) keptBy(ns netns.Namespace) {
	if !r.loose && (ns.PID == 0) == (r.ns.PID == 0) {
		return // as before
	}
	r.ns, r.loose = ns, false
	if ns.PID != 0 {
		r.watch(ns.PID)
	}
}

// New makes a NetConf that does nothing yet.
func New(cfg Config) *NetConf {
	if cfg.Links == nil {
		cfg.Links = func(netns.Namespace, model.Interface) {}
	}
	if cfg.Met == nil {
		cfg.Met = func(model.Seen) {}
	}
	if cfg.Learned == nil {
		cfg.Learned = func(model.Forwarding) {}
	}
	cfg.ReceiveBuffer = cmp.Or(cfg.ReceiveBuffer, 4<<20)
	return &NetConf{
		cfg:    cfg,
		look:   make(chan struct{}, 1),
		ready:  make(chan struct{}),
		there:  make(map[string]model.Interface),
		routes: make(routing),
		spaces: make(map[uint32]*running),
	}
}

// settle is how long namespaces get to be whole after something told of them: their
// files are made first and filled then.
const settle = 100 * time.Millisecond

// Run listens until the context ends. It returns an error when this host's own
// namespace cannot be listened to.
func (n *NetConf) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop(nil)
	if watch, err := watchNames(); err != nil {
		n.cfg.Logger.Warn("named network namespaces are found only when links move", "error", err)
	} else {
		wg.Go(func() { watch.run(ctx, n.Look) })
	}
	for first := true; ; first = false {
		if err := n.lookAround(ctx, &wg, stop); err != nil {
			return err
		}
		if first {
			close(n.ready)
		}
		select {
		case <-ctx.Done():
			if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
				return cause
			}
			return nil
		case <-n.look:
		}
		pace.Until(ctx, time.Now().Add(settle))
	}
}

// Ready is closed when what there was at the start is known.
func (n *NetConf) Ready() <-chan struct{} { return n.ready }

// Look says that a network namespace may have come or gone.
func (n *NetConf) Look() {
	select {
	case n.look <- struct{}{}:
	default: // it will be looked
	}
}

// lookAround makes the namespaces that are listened to those that there are.
func (n *NetConf) lookAround(ctx context.Context, wg *sync.WaitGroup, fail context.CancelCauseFunc) error {
	list, err := netns.List()
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	there := make(map[uint32]bool)
	for i, ns := range list {
		there[ns.Inode] = true
		if r := n.spaces[ns.Inode]; r != nil {
			r.keptBy(ns)
			continue
		}
		switch err := n.listen(ctx, wg, ns, fail); {
		case err == nil:
		case errors.Is(err, os.ErrNotExist):
			if ns.PID != 0 {
				n.Look() // the process ended; another may be there
			}
		case i == 0:
			return err // our own
		default:
			n.cfg.Logger.Warn("a network namespace is not listened to", "error", err)
		}
	}
	for inode, space := range n.spaces {
		if !there[inode] {
			space.end()
			delete(n.spaces, inode)
		}
	}
	return nil
}

// listen starts to listen in a namespace. Called with mu held.
func (n *NetConf) listen(ctx context.Context, wg *sync.WaitGroup, ns netns.Namespace, fail context.CancelCauseFunc) error {
	s, err := openSpace(ns, n.cfg, &n.counts)
	if err != nil {
		return err
	}
	if err := s.readAll(ctx); err != nil {
		s.close()
		return err
	}
	list, changes := s.moved(true)
	n.tellAll(ns, list, changes)
	ctx, end := context.WithCancel(ctx)
	r := &running{ns: ns, end: end}
	r.watch = func(pid int) {
		wg.Go(func() {
			if awaitExit(ctx, pid) {
				n.ended(r, pid)
			}
		})
	}
	n.spaces[ns.Inode] = r
	if ns.PID != 0 {
		r.watch(ns.PID)
	}
	wg.Go(func() {
		defer end()
		err := s.run(ctx, func(list []model.Interface, changes []change) { n.tell(ns, list, changes) })
		s.close()
		if err == nil {
			n.leave(ns)
			return
		}
		err = fmt.Errorf("in network namespace %s: %w", ns.Path, err)
		if ns.Name == "" {
			fail(err)
			return
		}
		n.cfg.Logger.Error("a network namespace is not listened to any more", "error", err)
		n.mu.Lock()
		if n.spaces[ns.Inode] == r {
			delete(n.spaces, ns.Inode) // the next look finds it
		}
		n.mu.Unlock()
		n.leave(ns)
	})
	return nil
}

// ended looks what keeps a namespace after a process that did.
func (n *NetConf) ended(r *running, pid int) {
	n.mu.Lock()
	if r.ns.PID == pid {
		r.loose = true
	}
	n.mu.Unlock()
	n.Look()
}

// leave tells that the interfaces of a namespace are not seen any more, unless it
// is listened to again.
func (n *NetConf) leave(ns netns.Namespace) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.spaces[ns.Inode] != nil || ns.Name == "" {
		return
	}
	now := time.Now()
	for key, i := range n.there {
		if i.Netns == ns.Name {
			delete(n.there, key)
			i = gone(i, now)
			n.cfg.Links(ns, i)
			n.emit(i, now)
		}
	}
	n.routes.leave(ns.Name, func(c change) { n.emitBody(c.pkg, c.key, nil, now) })
}

// tell takes what moved in a namespace.
func (n *NetConf) tell(ns netns.Namespace, list []model.Interface, changes []change) {
	if len(list)+len(changes) == 0 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tellAll(ns, list, changes)
}

// tellAll is tell with mu held.
func (n *NetConf) tellAll(ns netns.Namespace, list []model.Interface, changes []change) {
	now := time.Now()
	for _, i := range list {
		key := i.Key()
		if i.State == model.InterfaceGone {
			delete(n.there, key)
			n.Look() // its other end, or it, may be in a namespace of its own
		} else {
			if _, known := n.there[key]; !known {
				n.Look()
			}
			n.there[key] = i
		}
		n.cfg.Links(ns, i)
		n.emit(i, now)
	}
	n.routes.take(ns.Name, changes, func(c change) { n.emitBody(c.pkg, c.key, c.body, now) })
}

func (n *NetConf) emit(i model.Interface, now time.Time) {
	n.emitBody(model.PackageNetConfig, i.Key(), i, now)
}

func (n *NetConf) emitBody(pkg, key string, body any, now time.Time) {
	if !n.published {
		return // Publish sends everything as it then stands
	}
	tell.Document(n.cfg.Emit, n.cfg.Logger, model.Name{Host: n.cfg.Host, Package: pkg, Key: key}, now, body)
}

// Publish emits what differs from what the manager remembers, and from then on what
// moves.
func (n *NetConf) Publish(remembered []model.Document) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.published = true
	now := time.Now()
	known := make(map[string]string)
	for _, doc := range remembered {
		var i model.Interface
		if doc.Package != model.PackageNetConfig || doc.Decode(&i) != nil {
			continue
		}
		known[doc.Key] = string(doc.Body)
		if _, there := n.there[doc.Key]; !there && i.State == model.InterfacePresent {
			n.emit(gone(i, now), now)
		}
	}
	n.routes.recall(remembered, func(c change) { n.emitBody(c.pkg, c.key, c.body, now) })
	for key, i := range n.there {
		name := model.Name{Host: n.cfg.Host, Package: model.PackageNetConfig, Key: key}
		if doc, err := model.NewDocument(name, now, i); err == nil && string(doc.Body) == known[key] {
			continue
		}
		n.emit(i, now)
	}
}

// Interfaces are those that there are, sorted by key.
func (n *NetConf) Interfaces() []model.Interface {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := slices.Collect(maps.Values(n.there))
	slices.SortFunc(list, func(a, b model.Interface) int { return strings.Compare(a.Key(), b.Key()) })
	return list
}

// Stats reads the figures.
func (n *NetConf) Stats() model.NetStats {
	n.mu.Lock()
	defer n.mu.Unlock()
	return model.NetStats{
		Namespaces: len(n.spaces), Interfaces: len(n.there), Routes: len(n.routes), UnkeptRoutes: n.counts.unkept.Load(),
		Messages: n.counts.messages.Load(), Malformed: n.counts.malformed.Load(), Resyncs: n.counts.resyncs.Load(),
	}
}
