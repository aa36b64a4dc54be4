package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"cassini/cmd/cassini/internal/config"
	"cassini/cmd/cassini/internal/flight"
	"cassini/cmd/cassini/internal/notify"
	"cassini/manager"
	"cassini/model"
)

// liveKeys are the settings that count without a restart. Files of certificates are read
// again even if their names stay.
func liveKeys() []string {
	return []string{"log-level", "memory-limit", "retention-age", "retention-size", "tls-cert", "tls-key", "tls-client-ca", "tls-client-id", "tls-client-role", "tls-client-crl", "users-file"}
}

// live reads the configuration again while a server runs: on SIGHUP, and when the API is
// asked to. It is safe for concurrent use.
type live struct {
	s     *server
	log   *slog.Logger
	level *slog.LevelVar
	// flight is nil where nothing is recorded; slow is when a request is odd.
	flight *flight.Recorder
	slow   time.Duration

	mu   sync.Mutex // one at a time; over what follows
	part part
	ok   bool
	last time.Time
}

// part is the server, as far as its operation is concerned.
type part struct {
	// ready says why it cannot do its work yet, or nil.
	ready func() error
	// alive fails, or does not return, when it hangs.
	alive func(context.Context) error
	// apply takes new settings. On an error it has changed nothing.
	apply func(next *server) error
	// told hears of what was read again since a signal asked for it. It may be nil.
	told func(model.Reloaded, error)
}

var errNotStarted = errors.New("the server has not started")

func newLive(s *server, cfg serveConfig, level *slog.LevelVar) *live {
	limitMemory(s.memory, s.sys.getenv)
	return &live{s: s, log: cfg.Logger, level: level, flight: s.newRecorder(cfg), slow: s.slow, ok: true, last: s.sys.now(), part: part{
		ready: func() error { return errNotStarted },
		alive: func(context.Context) error { return nil },
		apply: func(*server) error { return errNotStarted },
	}}
}

// on makes the server known.
func (l *live) on(p part) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.part = p
}

func (l *live) known() part {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.part
}

// reconfigure is what a manager does with them.
func reconfigure(m *manager.Manager) func(*server) error {
	return func(next *server) error {
		return m.Reconfigure(manager.Live{Retention: next.retention, Files: next.tls.Files})
	}
}

// start listens for SIGHUP, and tells systemd how the server is, until it is stopped.
func (l *live) start(ctx context.Context, status string) (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(ctx)
	var listening sync.WaitGroup
	listening.Go(func() {
		for {
			select {
			case <-signals:
				done, err := l.Reload() // it is logged
				if told := l.known().told; told != nil {
					told(done, err)
				}
			case <-ctx.Done():
				return
			}
		}
	})
	listening.Go(func() {
		notify.Run(ctx, notify.Config{
			Ready:  func() error { return l.known().ready() },
			Alive:  l.alive,
			Status: status, Logger: l.log,
		})
	})
	if l.flight != nil {
		listening.Go(func() {
			if err := l.flight.Run(ctx); err != nil {
				l.log.Warn("nothing is recorded", "error", err)
			}
		})
	}
	return func() {
		signal.Stop(signals)
		cancel()
		listening.Wait()
	}
}

// alive asks the server whether it is, and keeps what it did when it hangs.
func (l *live) alive(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			l.flight.Odd("hangs")
		}
	})
	defer stop()
	return l.known().alive(ctx)
}

// served hears how long answers took.
func (l *live) served(route string, took time.Duration) {
	if took < l.slow {
		return
	}
	l.log.Warn("a request took long", "route", route, "took", took)
	l.flight.Odd("slow " + route)
}

// Reload reads the configuration again. On an error all stays as it was.
func (l *live) Reload() (model.Reloaded, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.part.ready() == nil {
		defer notify.Reloading()()
	}
	done, err := l.reload()
	l.ok = err == nil
	if err != nil {
		l.log.Error("the configuration cannot be read again; the one before stays", "error", err)
		return done, err
	}
	l.last = l.s.sys.now()
	l.log.Info("configuration read again", "applied", done.Applied, "after_restart", done.Restart)
	return done, nil
}

func (l *live) reload() (done model.Reloaded, err error) {
	next, err := settled(l.s.sys, l.s.sys.args)
	if err != nil {
		return done, err
	}
	if next.tls.On != l.s.tls.On {
		next.tls.Files = l.s.tls.Files // whether TLS is served at all is settled at the start
	}
	if err := l.part.apply(next); err != nil {
		return done, err
	}
	l.level.Set(logLevel(next.logLevel.value))
	limitMemory(next.memory, l.s.sys.getenv)
	done = model.Reloaded{Applied: []string{}, Restart: []string{}}
	for _, key := range config.Changed(l.s.cmd.Flags(), next.cmd.Flags()) {
		if !slices.Contains(liveKeys(), key) || (strings.HasPrefix(key, "tls-") || key == "users-file") && next.tls.On != l.s.tls.On {
			done.Restart = append(done.Restart, key)
			continue
		}
		done.Applied = append(done.Applied, key)
		if err := l.s.cmd.Flags().Set(key, config.Text(next.cmd.Flags().Lookup(key))); err != nil {
			return done, fmt.Errorf("remember %s: %w", key, err) // not reached: it was read just now
		}
	}
	return done, nil
}

// Stats are figures for metrics.
func (l *live) Stats() model.ProcessStats {
	l.mu.Lock()
	defer l.mu.Unlock()
	return model.ProcessStats{MemoryLimit: memoryLimit(), ReloadOK: l.ok, ReloadedAt: l.last, Flight: l.flight.Stats()}
}
