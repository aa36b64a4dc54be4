// Package agent is what runs on every server. This file wires it: the kernel's
// records go through capture and the outbox to the manager.
//
//	bpf -> capture -> outbox -> model.Sink
//	host ------------^
//	heartbeat (rings) ^
package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"cassini/agent/capture"
	"cassini/agent/containers"
	"cassini/agent/frames"
	"cassini/agent/frames/overhear"
	"cassini/agent/host"
	"cassini/agent/local"
	"cassini/agent/modules"
	"cassini/agent/names"
	"cassini/agent/netconf"
	"cassini/agent/netns"
	"cassini/agent/outbox"
	"cassini/agent/strangers"
	"cassini/agent/taps"
	"cassini/agent/translate"
	"cassini/agent/trim"
	"cassini/bpf"
	"cassini/model"
)

// latestTimeout bounds the question at start what the manager remembers.
const latestTimeout = 2 * time.Second

// Config holds what New needs.
type Config struct {
	Host    string // the name that documents bear
	CopyOf  string // the host of whose data directory this one's is a copy; "" for most
	DataDir string // exists and is writable
	// Doubted says that this may be another machine than the one that has the name and the data
	// directory: it takes no places on rings before the manager has said so.
	Doubted bool
	Version string
	Limits  bpf.Limits
	Rings   Rings
	// WithoutUnix leaves Unix-domain sockets alone; UnixBytes counts what they move.
	WithoutUnix, UnixBytes bool
	// LivenessOnly discovers nothing: the host is on rings, and that is all.
	LivenessOnly bool
	// Thrifty collects garbage as an agent should, where nothing else is in this process.
	Thrifty bool
	Logger  *slog.Logger
}

// Agent is one server's agent. Run is called once; the other methods may be
// called at any time.
type Agent struct {
	cfg   Config
	sink  model.Sink
	ready chan struct{}

	trimmer *trim.Trimmer

	mu    sync.Mutex // guards what Run makes
	parts *parts
	hooks []model.Hook
	asked bool // the manager has told what it remembers
}

// parts are what listens, and what brings it to the manager.
type parts struct {
	capture    *capture.Capture
	local      *local.Local // nil when Unix-domain sockets are not captured
	taps       *taps.Taps   // nil when packet and raw sockets are not captured
	containers *containers.Containers
	netconf    *netconf.NetConf
	frames     *frames.Frames
	overhear   *overhear.Overhear
	strangers  *strangers.Strangers
	names      *names.Names
	translate  *translate.Translate
	outbox     *outbox.Outbox
	rings      membership
}

// New makes an agent that does nothing yet and will bring its documents to sink.
func New(cfg Config, sink model.Sink) *Agent {
	busy, rest := func() {}, trim.Now
	if cfg.Thrifty {
		busy, rest = trim.Busy, trim.Rest
	}
	return &Agent{cfg: cfg, sink: sink, ready: make(chan struct{}), trimmer: trim.New(busy, rest)}
}

// Ready is closed when what existed at start has been found and published.
func (a *Agent) Ready() <-chan struct{} { return a.ready }

func (a *Agent) openOutbox() (*outbox.Outbox, error) {
	return outbox.New(outbox.Config{
		Sink:      a.sink,
		Host:      a.cfg.Host,
		Path:      filepath.Join(a.cfg.DataDir, "outbox.db"),
		Logger:    a.cfg.Logger,
		Connected: a.onConnected,
		Emptied:   a.trimmer.Done,
		PutBack:   a.ManagerMoved, // which may know a later life of this host
	})
}

// Run attaches to the kernel and works until the context ends.
func (a *Agent) Run(ctx context.Context) error {
	defer a.trimmer.Stop()
	if a.cfg.Thrifty {
		trim.Busy()
	}
	if a.cfg.LivenessOnly {
		return a.runLiveness(ctx)
	}
	limits := a.cfg.Limits
	limits.Types = bpf.NewTypes()
	unix, tapping, accepting := opening(limits.Types, a.openUnix), opening(limits.Types, bpf.OpenTaps), opening(limits.Types, bpf.OpenAccepts)
	kernel, err := bpf.OpenTCP(limits)
	limits.Types = nil // they are large
	if err != nil {
		return errors.Join(err, (<-unix).close(), (<-tapping).close(), (<-accepting).close())
	}
	if err := kernel.UDP(); err != nil {
		a.cfg.Logger.Warn("UDP services and clients are not captured", "error", err)
	} else if err := kernel.UDPBytes(); err != nil && limits.UDPBytes {
		a.cfg.Logger.Warn("bytes of UDP are not counted", "error", err)
	}
	box, err := a.openOutbox()
	if err != nil {
		return errors.Join(err, kernel.Close(), (<-unix).close(), (<-tapping).close(), (<-accepting).close())
	}
	p := &parts{outbox: box}
	emit := func(docs ...model.Document) {
		box.Put(docs...)
		p.rings.moved(docs)
	}
	p.names = names.New(names.Config{Host: a.cfg.Host, Open: openAnswers, Emit: box.Put, Logger: a.cfg.Logger})
	p.translate = translate.New(translate.Config{Host: a.cfg.Host, Open: openConntrack, Emit: box.Put, Logger: a.cfg.Logger})
	accepts := <-accepting
	p.capture = capture.New(capture.Config{Host: a.cfg.Host, Kernel: kernel, Accepts: acceptsOf(accepts), Logger: a.cfg.Logger, Pace: box.Room, Emit: func(docs ...model.Document) {
		box.Put(docs...)
		p.names.Captured(docs...)
	}})
	p.containers = containers.New(containers.Config{
		Host: a.cfg.Host, Sources: containers.Local(), Alive: p.capture.Processes().Lives, Emit: box.Put, Logger: a.cfg.Logger,
	})
	p.capture.Processes().Contained(p.containers.Seen)
	noUnix, tapped := a.openLocal(p, <-unix), a.openTaps(p, <-tapping)
	p.frames = frames.New(frames.Config{Host: a.cfg.Host, Open: openFrames, Emit: emit, Logger: a.cfg.Logger})
	p.strangers = strangers.New(strangers.Config{Host: a.cfg.Host, Emit: box.Put, Logger: a.cfg.Logger})
	p.overhear = overhear.New(overhear.Config{Open: openAnnouncements, Strangers: p.strangers, Logger: a.cfg.Logger})
	p.netconf = netconf.New(netconf.Config{Host: a.cfg.Host, Emit: emit, Logger: a.cfg.Logger, Links: p.link, Met: p.strangers.Meet, Learned: p.strangers.Learn})
	entering := netns.ProbeEnter()
	if entering != nil {
		a.cfg.Logger.Warn("other network namespaces than this one are not looked into", "error", entering)
	}
	a.mu.Lock()
	a.parts, a.hooks = p, hooksInUse(probe(kernel, noUnix, tapped, accepts.err, entering))
	a.mu.Unlock()
	return a.whileSending(ctx, box, func(ctx context.Context) error { return a.listen(ctx, p) })
}

// link tells those who listen on links of one.
func (p *parts) link(ns netns.Namespace, i model.Interface) {
	p.frames.Link(ns, i)
	p.overhear.Link(ns, i)
	p.strangers.Link(i)
	p.names.Link(ns, i)
	p.translate.Link(ns, i)
	if p.taps != nil {
		p.taps.Link(ns, i)
	}
}

// listen runs the parts until the context or one of them ends.
func (a *Agent) listen(ctx context.Context, p *parts) error {
	working := together(ctx)
	working.run(p.netconf.Run, p.frames.Run, p.overhear.Run, p.containers.Run, p.names.Run, p.translate.Run)
	waiter, err := a.start(working, p)
	if waiter != nil {
		working.beside(func(ctx context.Context) { a.awaitSCTP(ctx, p, waiter) })
	}
	if err != nil {
		working.stop()
		if errors.Is(err, context.Canceled) {
			err = nil // that was asked for, or another part has failed and says why
		}
		return errors.Join(err, working.wait(), p.closeKernel())
	}
	close(a.ready)
	trim.Now() // loading took the kernel's types apart: more than all that follows
	a.cfg.Logger.Info("hearing from the kernel", "host", a.cfg.Host)
	working.run(func(ctx context.Context) error { return p.rings.run(ctx, a, p) })
	return working.wait()
}

// closeKernel lets go of the kernel sides, those whose loops have not begun as well.
func (p *parts) closeKernel() error {
	err := p.capture.Close()
	if p.local != nil {
		err = errors.Join(err, p.local.Close())
	}
	if p.taps != nil {
		err = errors.Join(err, p.taps.Close())
	}
	return err
}

// lastWord gives the documents on their way a moment to arrive.
func (a *Agent) lastWord(ctx context.Context, box *outbox.Outbox) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), latestTimeout)
	defer cancel()
	if err := box.Flush(ctx); err != nil {
		a.cfg.Logger.Warn("documents stay in the outbox until the next start", "error", err)
	}
}

// start finds what is there and publishes what the manager does not know yet. It returns
// what waits for SCTP to be loaded, if anything does: the caller's, with an error too.
// Events are read as soon as it is known what was there: ring buffers are small, and what
// an event that finds no room would have told of a process is lost when that ends.
func (a *Agent) start(working *loops, p *parts) (*modules.Waiter, error) {
	if err := p.capture.Bootstrap(working.ctx); err != nil {
		return nil, err
	}
	working.run(p.capture.Run)
	return a.captureSCTP(working.ctx, p), a.startOthers(working, p)
}

// startOthers is what start does when the capture knows what was there.
func (a *Agent) startOthers(working *loops, p *parts) error {
	ctx := working.ctx
	if p.local != nil {
		if err := p.local.Bootstrap(ctx); err != nil {
			return err
		}
		working.run(p.local.Run)
	}
	select {
	case <-p.netconf.Ready():
	case <-ctx.Done():
		return nil // the error is netconf's own
	}
	if p.taps != nil { // it knows the names of interfaces by now
		if err := p.taps.Bootstrap(ctx); err != nil {
			return err
		}
		working.run(p.taps.Run)
	}
	if err := a.publishHost(p.outbox); err != nil {
		return err
	}
	return a.publish(ctx, p)
}

func (a *Agent) publish(ctx context.Context, p *parts) error {
	asking, cancel := context.WithTimeout(ctx, latestTimeout)
	defer cancel()
	remembered, err := a.sink.Latest(asking, a.cfg.Host)
	if err != nil {
		a.cfg.Logger.Warn("cannot ask the manager what it remembers; asking again when it is reached", "error", err)
	}
	a.mu.Lock()
	a.asked = err == nil
	a.mu.Unlock()
	if err == nil {
		remembered = p.outbox.Learn(remembered)
	}
	p.netconf.Publish(remembered)
	p.frames.Publish(remembered)
	p.strangers.Publish(remembered)
	p.containers.Publish(remembered)
	p.names.Publish(remembered)
	p.translate.Publish()
	if p.local != nil {
		if err := p.local.Publish(remembered); err != nil {
			return err
		}
	}
	if p.taps != nil {
		if err := p.taps.Publish(remembered); err != nil {
			return err
		}
	}
	return p.capture.Publish(remembered)
}

// onConnected asks what the manager remembers, if it could not be asked before.
func (a *Agent) onConnected(ctx context.Context, away time.Duration) {
	a.mu.Lock()
	asked, p := a.asked, a.parts
	a.mu.Unlock()
	if p != nil {
		p.rings.managerBack(away)
	}
	if asked || p == nil || p.capture == nil {
		return
	}
	select {
	case <-a.ready:
	default:
		return // start is about to ask
	}
	if err := a.publish(ctx, p); err != nil {
		a.cfg.Logger.Error("compare with what the manager remembers", "error", err)
	}
}

// publishHost tells who this machine is.
func (a *Agent) publishHost(box *outbox.Outbox) error {
	now := time.Now()
	identity, err := host.ReadIdentity(a.cfg.Version, now)
	if err != nil {
		a.cfg.Logger.Warn("identity is incomplete", "error", err)
	}
	identity.CopyOf = a.cfg.CopyOf
	os, err := host.ReadOS()
	if err != nil {
		a.cfg.Logger.Warn("operating system is not fully known", "error", err)
	}
	for pkg, body := range map[string]any{model.PackageIdentity: identity, model.PackageOS: os} {
		doc, err := model.NewDocument(model.Name{Host: a.cfg.Host, Package: pkg}, now, body)
		if err != nil {
			return err
		}
		box.Put(doc)
	}
	return nil
}

// Refresh reads the kernel's counters and returns when what moved is durable at
// the manager.
func (a *Agent) Refresh(ctx context.Context) error {
	p := a.running()
	if p == nil {
		return errors.New("refresh counters: the agent has not started")
	}
	if p.capture == nil {
		return p.outbox.Flush(ctx)
	}
	if err := p.capture.Refresh(ctx); err != nil {
		return fmt.Errorf("refresh counters: %w", err)
	}
	if p.local != nil {
		if err := p.local.Refresh(ctx); err != nil {
			return fmt.Errorf("refresh counters of Unix-domain sockets: %w", err)
		}
	}
	if p.taps != nil {
		if err := p.taps.Refresh(ctx); err != nil {
			return fmt.Errorf("refresh packet and raw sockets: %w", err)
		}
	}
	p.translate.Refresh()
	return p.outbox.Flush(ctx)
}

// running are the agent's parts; nil before it runs.
func (a *Agent) running() *parts {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.parts
}
