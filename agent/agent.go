// Package agent is what runs on every server. This file wires it: the kernel's
// records go through capture and the outbox to the manager.
//
//	bpf -> capture -> outbox -> model.Sink
//	host ------------^
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
	"cassini/agent/host"
	"cassini/agent/outbox"
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
	Logger  *slog.Logger
}

// Agent is one server's agent. Run is called once; the other methods may be
// called at any time.
type Agent struct {
	cfg   Config
	sink  model.Sink
	ready chan struct{}

	mu      sync.Mutex // guards what Run makes
	capture *capture.Capture
	outbox  *outbox.Outbox
	hooks   []model.Hook
	asked   bool // the manager has told what it remembers
}

// New makes an agent that does nothing yet and will bring its documents to sink.
func New(cfg Config, sink model.Sink) *Agent {
	return &Agent{cfg: cfg, sink: sink, ready: make(chan struct{})}
}

// Ready is closed when what existed at start has been found and published.
func (a *Agent) Ready() <-chan struct{} { return a.ready }

// Run attaches to the kernel and works until the context ends.
func (a *Agent) Run(ctx context.Context) error {
	kernel, err := bpf.OpenTCP(a.cfg.Limits)
	if err != nil {
		return err
	}
	box, err := outbox.New(outbox.Config{
		Sink:      a.sink,
		Path:      filepath.Join(a.cfg.DataDir, "outbox.db"),
		Logger:    a.cfg.Logger,
		Connected: a.onConnected,
	})
	if err != nil {
		return errors.Join(err, kernel.Close())
	}
	capt := capture.New(capture.Config{Host: a.cfg.Host, Kernel: kernel, Emit: box.Put, Logger: a.cfg.Logger})
	a.mu.Lock()
	a.capture, a.outbox, a.hooks = capt, box, hooksInUse(nil, bpf.ProbeCgroup2())
	a.mu.Unlock()
	return a.work(ctx, capt, box)
}

// work runs the two loops; when one ends, so does the other, and the outbox last.
func (a *Agent) work(ctx context.Context, capt *capture.Capture, box *outbox.Outbox) error {
	boxCtx, stopBox := context.WithCancel(context.WithoutCancel(ctx))
	capCtx, stopCapture := context.WithCancel(ctx)
	defer stopBox()
	defer stopCapture()
	var wg sync.WaitGroup
	var boxErr, capErr error
	wg.Go(func() {
		boxErr = box.Run(boxCtx)
		stopCapture()
	})
	if capErr = a.start(capCtx, capt, box); capErr == nil {
		close(a.ready)
		a.cfg.Logger.Info("hearing from the kernel", "host", a.cfg.Host)
		capErr = capt.Run(capCtx)
	} else {
		stopCapture()
		capErr = errors.Join(capErr, capt.Close())
	}
	a.lastWord(ctx, box)
	stopBox()
	wg.Wait()
	return errors.Join(capErr, boxErr)
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
func (a *Agent) start(ctx context.Context, capt *capture.Capture, box *outbox.Outbox) error {
	if err := capt.Bootstrap(ctx); err != nil {
		return err
	}
	if err := a.publishHost(box); err != nil {
		return err
	}
	return a.publish(ctx, capt)
}

func (a *Agent) publish(ctx context.Context, capt *capture.Capture) error {
	asking, cancel := context.WithTimeout(ctx, latestTimeout)
	defer cancel()
	remembered, err := a.sink.Latest(asking, a.cfg.Host)
	if err != nil {
		a.cfg.Logger.Warn("cannot ask the manager what it remembers; asking again when it is reached", "error", err)
	}
	a.mu.Lock()
	a.asked = err == nil
	a.mu.Unlock()
	return capt.Publish(remembered)
}

// onConnected asks what the manager remembers, if it could not be asked before.
func (a *Agent) onConnected(ctx context.Context) {
	a.mu.Lock()
	asked, capt := a.asked, a.capture
	a.mu.Unlock()
	if asked || capt == nil {
		return
	}
	select {
	case <-a.ready:
	default:
		return // start is about to ask
	}
	if err := a.publish(ctx, capt); err != nil {
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
	capt, box := a.parts()
	if capt == nil {
		return errors.New("refresh counters: the agent has not started")
	}
	if err := capt.Refresh(ctx); err != nil {
		return fmt.Errorf("refresh counters: %w", err)
	}
	return box.Flush(ctx)
}

func (a *Agent) parts() (*capture.Capture, *outbox.Outbox) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.capture, a.outbox
}

// CaptureStats reads the figures of the capture; nil before it runs.
func (a *Agent) CaptureStats() *model.CaptureStats {
	capt, _ := a.parts()
	if capt == nil {
		return nil
	}
	stats, err := capt.Stats()
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
	_, box := a.parts()
	if box == nil {
		return nil
	}
	stats := box.Stats()
	return &stats
}
