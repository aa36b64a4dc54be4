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
	"net/netip"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"cassini/agent/capture"
	"cassini/agent/containers"
	"cassini/agent/frames"
	"cassini/agent/frames/overhear"
	"cassini/agent/frames/socket"
	"cassini/agent/host"
	"cassini/agent/names"
	dns "cassini/agent/names/socket"
	"cassini/agent/netconf"
	"cassini/agent/netns"
	"cassini/agent/outbox"
	"cassini/agent/strangers"
	"cassini/bpf"
	"cassini/model"
)

// latestTimeout bounds the question at start what the manager remembers.
const latestTimeout = 2 * time.Second

// Config holds what New needs.
type Config struct {
	Host    string // the name that documents bear
	DataDir string // exists and is writable
	Version string
	Limits  bpf.Limits
	Rings   Rings
	// LivenessOnly discovers nothing: the host is on rings, and that is all.
	LivenessOnly bool
	Logger       *slog.Logger
}

// Agent is one server's agent. Run is called once; the other methods may be
// called at any time.
type Agent struct {
	cfg   Config
	sink  model.Sink
	ready chan struct{}

	mu    sync.Mutex // guards what Run makes
	parts *parts
	hooks []model.Hook
	asked bool // the manager has told what it remembers
}

// parts are what listens, and what brings it to the manager.
type parts struct {
	capture    *capture.Capture
	containers *containers.Containers
	netconf    *netconf.NetConf
	frames     *frames.Frames
	overhear   *overhear.Overhear
	strangers  *strangers.Strangers
	names      *names.Names
	outbox     *outbox.Outbox
	rings      membership
}

// New makes an agent that does nothing yet and will bring its documents to sink.
func New(cfg Config, sink model.Sink) *Agent {
	return &Agent{cfg: cfg, sink: sink, ready: make(chan struct{})}
}

// Ready is closed when what existed at start has been found and published.
func (a *Agent) Ready() <-chan struct{} { return a.ready }

func (a *Agent) openOutbox() (*outbox.Outbox, error) {
	return outbox.New(outbox.Config{
		Sink:      a.sink,
		Path:      filepath.Join(a.cfg.DataDir, "outbox.db"),
		Logger:    a.cfg.Logger,
		Connected: a.onConnected,
	})
}

// Run attaches to the kernel and works until the context ends.
func (a *Agent) Run(ctx context.Context) error {
	if a.cfg.LivenessOnly {
		return a.runLiveness(ctx)
	}
	kernel, err := bpf.OpenTCP(a.cfg.Limits)
	if err != nil {
		return err
	}
	if err := kernel.UDP(); err != nil {
		a.cfg.Logger.Warn("UDP services and clients are not captured", "error", err)
	}
	box, err := a.openOutbox()
	if err != nil {
		return errors.Join(err, kernel.Close())
	}
	p := &parts{outbox: box}
	emit := func(docs ...model.Document) {
		box.Put(docs...)
		p.rings.moved(docs)
	}
	p.names = names.New(names.Config{Host: a.cfg.Host, Open: openAnswers, Emit: box.Put, Logger: a.cfg.Logger})
	p.capture = capture.New(capture.Config{Host: a.cfg.Host, Kernel: kernel, Logger: a.cfg.Logger, Emit: func(docs ...model.Document) {
		box.Put(docs...)
		p.names.Captured(docs...)
	}})
	p.containers = containers.New(containers.Config{
		Host: a.cfg.Host, Sources: containers.Local(), Alive: p.capture.Processes().Lives, Emit: box.Put, Logger: a.cfg.Logger,
	})
	p.capture.Processes().Contained(p.containers.Seen)
	p.frames = frames.New(frames.Config{Host: a.cfg.Host, Open: openFrames, Emit: emit, Logger: a.cfg.Logger})
	p.strangers = strangers.New(strangers.Config{Host: a.cfg.Host, Emit: box.Put, Logger: a.cfg.Logger})
	p.overhear = overhear.New(overhear.Config{Open: openAnnouncements, Strangers: p.strangers, Logger: a.cfg.Logger})
	p.netconf = netconf.New(netconf.Config{Host: a.cfg.Host, Emit: emit, Logger: a.cfg.Logger, Links: p.link, Met: p.strangers.Meet, Learned: p.strangers.Learn})
	entering := netns.ProbeEnter()
	if entering != nil {
		a.cfg.Logger.Warn("other network namespaces than this one are not looked into", "error", entering)
	}
	a.mu.Lock()
	a.parts, a.hooks = p, hooksInUse(probe(kernel, entering))
	a.mu.Unlock()
	return a.work(ctx, p)
}

// openFrames opens sockets for discovery frames in a network namespace.
func openFrames(ns netns.Namespace) (frames.Socket, error) {
	filter, err := bpf.OpenFrames()
	if err != nil {
		return nil, err
	}
	return socket.Open(filter, ns.Do)
}

// openAnnouncements opens sockets for what machines tell everyone.
func openAnnouncements(ns netns.Namespace) (overhear.Socket, error) {
	filter, err := bpf.OpenAnnouncements()
	if err != nil {
		return nil, err
	}
	return socket.OpenAnnouncements(filter, ns.Do)
}

// openAnswers opens the socket for answers of a name server in a network namespace.
func openAnswers(ns netns.Namespace, server netip.Addr) (names.Socket, error) {
	return dns.Open(server, ns.Do)
}

// link tells those who listen on links of one.
func (p *parts) link(ns netns.Namespace, i model.Interface) {
	p.frames.Link(ns, i)
	p.overhear.Link(ns, i)
	p.strangers.Link(i)
	p.names.Link(ns, i)
}

// work runs the loops; when one ends, so do the others, and the outbox last.
func (a *Agent) work(ctx context.Context, p *parts) error {
	boxCtx, stopBox := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBox()
	listenCtx, stopListening := context.WithCancel(ctx)
	defer stopListening()
	var listening, sending sync.WaitGroup
	var boxErr, netErr, framesErr, overhearErr, containersErr, namesErr, ringsErr error
	sending.Go(func() {
		boxErr = p.outbox.Run(boxCtx)
		stopListening()
	})
	listening.Go(func() {
		netErr = p.netconf.Run(listenCtx)
		stopListening()
	})
	listening.Go(func() {
		framesErr = p.frames.Run(listenCtx)
		stopListening()
	})
	listening.Go(func() {
		overhearErr = p.overhear.Run(listenCtx)
		stopListening()
	})
	listening.Go(func() {
		containersErr = p.containers.Run(listenCtx)
		stopListening()
	})
	listening.Go(func() {
		namesErr = p.names.Run(listenCtx)
		stopListening()
	})
	captureErr := a.start(listenCtx, p)
	if captureErr == nil {
		close(a.ready)
		debug.FreeOSMemory() // loading took the kernel's types apart: more than all that follows
		a.cfg.Logger.Info("hearing from the kernel", "host", a.cfg.Host)
		listening.Go(func() {
			ringsErr = p.rings.run(listenCtx, a, p)
			stopListening()
		})
		captureErr = p.capture.Run(listenCtx)
		stopListening()
	} else {
		stopListening()
		if ctx.Err() == nil && errors.Is(captureErr, context.Canceled) {
			captureErr = nil // another part has failed, and says why
		}
		captureErr = errors.Join(captureErr, p.capture.Close())
	}
	listening.Wait()
	a.lastWord(ctx, p.outbox)
	stopBox()
	sending.Wait()
	return errors.Join(captureErr, netErr, framesErr, overhearErr, containersErr, namesErr, ringsErr, boxErr)
}

// lastWord gives the documents on their way a moment to arrive.
func (a *Agent) lastWord(ctx context.Context, box *outbox.Outbox) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), latestTimeout)
	defer cancel()
	if err := box.Flush(ctx); err != nil {
		a.cfg.Logger.Warn("documents stay in the outbox until the next start", "error", err)
	}
}

// start finds what is there and publishes what the manager does not know yet.
func (a *Agent) start(ctx context.Context, p *parts) error {
	if err := p.capture.Bootstrap(ctx); err != nil {
		return err
	}
	select {
	case <-p.netconf.Ready():
	case <-ctx.Done():
		return nil // the error is netconf's own
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
	p.netconf.Publish(remembered)
	p.frames.Publish(remembered)
	p.strangers.Publish(remembered)
	p.containers.Publish(remembered)
	p.names.Publish(remembered)
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
	return p.outbox.Flush(ctx)
}

// running are the agent's parts; nil before it runs.
func (a *Agent) running() *parts {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.parts
}

// CaptureStats reads the figures of the capture; nil before it runs.
func (a *Agent) CaptureStats() *model.CaptureStats {
	p := a.running()
	if p == nil || p.capture == nil {
		return nil
	}
	stats, err := p.capture.Stats()
	if err != nil {
		return nil // the kernel side is closed: the agent is ending
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	stats.Hooks = a.hooks
	return &stats
}

// OutboxStats reads the figures of the outbox; nil before it runs.
func (a *Agent) OutboxStats() *model.OutboxStats {
	p := a.running()
	if p == nil {
		return nil
	}
	stats := p.outbox.Stats()
	return &stats
}

// NetworkStats reads the figures of what is heard of the network; nil before it runs.
func (a *Agent) NetworkStats() *model.NetworkStats {
	p := a.running()
	if p == nil || p.netconf == nil {
		return nil
	}
	return &model.NetworkStats{
		Net: p.netconf.Stats(), Frames: p.frames.Stats(), Announced: p.overhear.Stats(), Strangers: p.strangers.Stats(),
		Interfaces: p.netconf.Interfaces(), Neighbors: p.frames.Neighbors(),
	}
}

// NameStats reads the figures of names that are found out; nil before it runs.
func (a *Agent) NameStats() *model.NameStats {
	p := a.running()
	if p == nil || p.containers == nil {
		return nil
	}
	return &model.NameStats{Containers: p.containers.Stats(), DNS: p.names.Stats()}
}
