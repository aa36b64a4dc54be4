package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"cassini/manager"
	"cassini/manager/rings"
	"cassini/model"
	"cassini/tools/figures"
	"cassini/tools/graphbench/estate"
)

// scaled is what was measured of an estate that joined and told what it is.
type scaled struct {
	Wanted, Hosts, Documents int // hosts that were to come, and that came
	Took                     time.Duration
	CPU, Ours                time.Duration // of the process; of making the documents of one host
	Acks                     int64         // of places on rings
	Most, Then               memory        // while they came; after a collection
	Log, Rings               int64         // bytes on disk
	Restart                  time.Duration
	Again                    memory
	Stopped                  error // why not all came
}

// scales lets estates of all sizes join a manager in this process, by its own code: each
// host joins the rings and acknowledges its places over UDP, and brings its documents to
// model.Sink. There is no HTTP, no TLS and no JSON around the documents.
func scales(ctx context.Context, cfg config, out io.Writer) error {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(cfg.Memory / 16 * 15)) // as --memory-limit does
	fmt.Fprintln(out, "\n| hosts in rings | documents | durable, in graph and in rings after | hosts a second | CPU a host; of it making documents | memory, a host: most; after a collection | pages of files | disk, a host: log; rings | restart until ready; memory |\n|---|---|---|---|---|---|---|---|---|")
	var all []scaled
	for _, hosts := range cfg.Hosts {
		s, err := scale(ctx, cfg, hosts)
		if err != nil {
			return fmt.Errorf("of %d hosts: %w", hosts, err)
		}
		s.write(out)
		all = append(all, s)
		cfg.Log("%s hosts joined rings and acknowledged %s places", figures.Count(float64(s.Hosts)), figures.Count(float64(s.Acks)))
		if s.Stopped != nil {
			cfg.Log("%d of %d hosts came: %v", s.Hosts, s.Wanted, s.Stopped)
		}
	}
	plot(out, all)
	return nil
}

// life is a manager in this process.
type life struct {
	*manager.Manager
	stop func() error
}

// making is what it takes of CPU to make the documents of one host, of which some are made
// with nothing beside it.
func making(hosts int, seed uint64) (time.Duration, error) {
	hosts = min(hosts, 1000)
	begin := ownCPU()
	for _, err := range (estate.Estate{Hosts: hosts, Seed: seed}).Arrivals() {
		if err != nil {
			return 0, err
		}
	}
	return (ownCPU() - begin) / time.Duration(hosts), nil
}

// live starts a manager and waits until it answers.
func live(ctx context.Context, dir string, hosts int) (*life, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	m := manager.New(manager.Config{
		DataDir: dir, Host: "manager", Version: "bench", Start: time.Now(), Logger: slog.New(slog.DiscardHandler),
		Retention: manager.Retention{MaxAge: manager.DefaultRetention().MaxAge, MaxSize: 1 << 40},
		Limits:    manager.Limits{Hosts: 2 * hosts, Dependencies: 40 * hosts},
		Rings:     manager.RingConfig{Listen: netip.MustParseAddrPort("127.0.0.1:0"), KeyLife: rings.DefaultRotation},
	})
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- m.Run(running, l) }()
	a := &life{m, sync.OnceValue(func() error { cancel(); return <-ended })}
	for m.Ready() != nil {
		select {
		case err := <-ended:
			cancel()
			return nil, fmt.Errorf("start a manager: %w", errors.Join(errEnded, err))
		case <-ctx.Done():
			return nil, errors.Join(context.Cause(ctx), a.stop())
		case <-time.After(time.Millisecond):
		}
	}
	return a, nil
}

// errBudget says that a run took longer than it may.
var errBudget = errors.New("the time is up")

func scale(ctx context.Context, cfg config, hosts int) (s scaled, err error) {
	dir, err := os.MkdirTemp(cfg.Dir, "scale")
	if err != nil {
		return s, fmt.Errorf("make a place for data: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s.Wanted = hosts
	if s.Ours, err = making(hosts, cfg.Seed); err != nil {
		return s, err
	}
	debug.FreeOSMemory() // what an earlier size has left
	m, err := live(ctx, dir, hosts)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, m.stop()) }()
	err = profiled(cfg.Profile, fmt.Sprintf("arrive-%d", hosts), func() error {
		err := s.arrive(ctx, cfg, m)
		runtime.GC()
		return err
	})
	if err != nil {
		return s, err
	}
	if s.Then, err = ownMemory(); err != nil {
		return s, err
	}
	if err := m.stop(); err != nil {
		return s, err
	}
	if s.Log, s.Rings, err = files(dir); err != nil {
		return s, err
	}
	m.Manager = nil
	debug.FreeOSMemory()
	if errors.Is(s.Stopped, errMemory) {
		return s, nil
	}
	return s, profiled(cfg.Profile, fmt.Sprintf("restart-%d", hosts), func() error { return s.restart(ctx, cfg, dir) })
}

// restart starts a manager once more on what the first has left.
func (s *scaled) restart(ctx context.Context, cfg config, dir string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.Budget, errBudget)
	defer cancel()
	begin := time.Now()
	m, err := live(ctx, dir, s.Wanted)
	if errors.Is(err, errBudget) {
		s.Stopped = errors.Join(s.Stopped, fmt.Errorf("no restart within %s", figures.Short(cfg.Budget)))
		return nil
	}
	if err != nil {
		return err
	}
	s.Restart = time.Since(begin)
	s.Again, err = ownMemory()
	return errors.Join(err, m.stop())
}

// arrive lets all hosts come, until they have, or until time or memory are used up.
func (s *scaled) arrive(ctx context.Context, cfg config, m *life) (err error) {
	players, err := newMembers()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, players.close()) }()
	begin, before := time.Now(), ownCPU()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	timer := time.AfterFunc(cfg.Budget, func() { end(errBudget) })
	defer timer.Stop()
	var watch sync.WaitGroup
	watch.Go(func() { s.Most = watchMemory(ctx, cfg.Memory, end) })
	work := s.workers(ctx, cfg.Seed, m, players, end)
	made := s.hand(ctx, cfg, work.arrivals, begin)
	work.done.Wait()
	m.GraphStats() // a question: the graph joins all that it was told
	s.Took, s.CPU = time.Since(begin), ownCPU()-before
	s.Hosts, s.Documents, s.Acks = int(work.hosts.Load()), int(work.documents.Load()), players.acks.Load()
	s.Stopped = context.Cause(ctx)
	end(nil)
	watch.Wait()
	if s.Stopped != nil && !errors.Is(s.Stopped, errBudget) && !errors.Is(s.Stopped, errMemory) {
		return s.Stopped
	}
	return made
}

// atOnce is how many hosts join or deliver at the same time, as many as a manager lets by HTTP.
const atOnce = 128

// workers bring what arrives to the manager.
type workers struct {
	arrivals         chan estate.Arrival
	done             sync.WaitGroup
	hosts, documents atomic.Int64
}

func (s *scaled) workers(ctx context.Context, seed uint64, m *life, players *members, end context.CancelCauseFunc) *workers {
	w := &workers{arrivals: make(chan estate.Arrival, atOnce)}
	all := estate.Estate{Hosts: s.Wanted, Seed: seed}
	for range atOnce {
		w.done.Go(func() {
			for a := range w.arrivals {
				if err := w.bring(ctx, m, players, all, a); err != nil && ctx.Err() == nil {
					end(err)
				}
			}
		})
	}
	return w
}

// bring lets a host join, if it is there for the first time, and takes its documents.
func (w *workers) bring(ctx context.Context, m *life, players *members, all estate.Estate, a estate.Arrival) error {
	for a.First {
		err := players.join(ctx, m, all.Host(a.Host), estate.Zone(a.Host), 1)
		if err == nil {
			break
		}
		if !errors.Is(err, rings.ErrBusy) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
	if _, err := m.Deliver(ctx, model.Batch{Host: a.Documents[0].Host, Documents: a.Documents}); err != nil {
		return fmt.Errorf("deliver: %w", err)
	}
	if a.First {
		w.hosts.Add(1)
	}
	w.documents.Add(int64(len(a.Documents)))
	return nil
}

// hand makes the documents of all hosts and hands them to the workers.
func (s *scaled) hand(ctx context.Context, cfg config, to chan<- estate.Arrival, begin time.Time) (err error) {
	defer close(to)
	told := begin
	for a, err := range (estate.Estate{Hosts: s.Wanted, Seed: cfg.Seed}).Arrivals() {
		if err != nil {
			return err
		}
		select {
		case to <- a:
		case <-ctx.Done():
			return nil
		}
		if now := time.Now(); a.First && now.Sub(told) > 10*time.Second {
			told = now
			cfg.Log("%s: host %d of %d", figures.Short(now.Sub(begin)), s.Wanted-a.Host, s.Wanted)
		}
	}
	return nil
}
