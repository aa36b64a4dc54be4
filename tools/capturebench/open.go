package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"cassini/model"
	"cassini/tools/figures"
)

// What is measured beside open connections is so much that a size takes seconds and not minutes.
const (
	openRounds      = 3
	openConnections = 5_000
)

// opened lets many connections stay open: before Cassini comes, and while others are made.
func opened(ctx context.Context, cfg config, out io.Writer) error {
	fmt.Fprintln(out, "\n| connections that stay open | Cassini ready after; it tells of open connections | time of another connection with it against without: median | memory; kernel maps |\n|---|---|---|---|")
	cfg.Rounds, cfg.Connections = min(cfg.Rounds, openRounds), min(cfg.Connections, openConnections)
	for _, n := range cfg.Open {
		if err := openedAt(ctx, cfg, out, n); err != nil {
			return fmt.Errorf("%d open: %w", n, err)
		}
	}
	return nil
}

func openedAt(ctx context.Context, cfg config, out io.Writer, n int) (err error) {
	s, err := startServer(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	cfg.Log("opening %d connections", n)
	holders, ports, err := holdOpen(ctx, cfg, n)
	defer func() { err = errors.Join(err, holders()) }()
	if err != nil {
		return err
	}
	var us tracer
	for _, t := range tracers(cfg) {
		if t.name == ours {
			us = t
		}
	}
	if 2*n > tableDefault { // both ends are here
		us.command = append(us.command, "--connections", strconv.Itoa(3*n))
	}
	var ratios, starts []time.Duration
	var open int64
	var size string
	for range cfg.Rounds {
		without, _, err := load(ctx, cfg, s, "-n", strconv.Itoa(cfg.Connections))
		if err != nil {
			return err
		}
		begin := time.Now()
		r, err := us.trace(ctx, cfg)
		if err != nil {
			return err
		}
		starts = append(starts, time.Since(begin))
		with, err := s.beside(ctx, cfg)
		if err == nil {
			open, size, err = r.open(ctx, ports)
		}
		if err := errors.Join(err, r.stop()); err != nil {
			return err
		}
		ratios = append(ratios, 1000*with.Took/without.Took) // in thousandths
	}
	fmt.Fprintf(out, "| %s | %s; %s | %.3f | %s |\n", figures.Count(float64(n)), figures.Short(figures.Quantile(starts, 0.5)), figures.Count(float64(open)),
		float64(figures.Quantile(ratios, 0.5))/1000, size)
	return nil
}

const (
	// holdMost is how many connections one client holds: a process may have so many files.
	holdMost = 19_000
	// holdAddrs is how many addresses it holds them from.
	holdAddrs = 4
	// tableDefault is how many open connections Cassini knows unless told otherwise.
	tableDefault = 262_144
)

// holdOpen keeps connections open until what it returns is called, each client with a server
// of its own, of which it returns the ports.
func holdOpen(ctx context.Context, cfg config, n int) (release func() error, ports map[int]bool, err error) {
	var children []*child
	ports = make(map[int]bool)
	release = func() error {
		var errs []error
		for i := len(children) - 1; i >= 0; i-- { // clients first
			errs = append(errs, children[i].end())
		}
		return errors.Join(errs...)
	}
	for ; n > 0; n -= holdMost {
		s, err := startServer(ctx, cfg, "-hold")
		if err != nil {
			return release, ports, err
		}
		children, ports[s.port] = append(children, s.child), true
		c, err := startChild(ctx, cfg, client, "dial", "-port", strconv.Itoa(s.port), "-n", strconv.Itoa(min(n, holdMost)), "-edges", "100", "-hold", "-first", strconv.Itoa(len(children)/2*holdAddrs))
		if err != nil {
			return release, ports, err
		}
		children = append(children, c)
		var d dialed
		if err := c.line(&d); err != nil {
			return release, ports, err
		}
	}
	return release, ports, nil
}

// beside makes the edge known, and then connections.
func (s *listening) beside(ctx context.Context, cfg config) (dialed, error) {
	if _, _, err := load(ctx, cfg, s, "-n", strconv.Itoa(cfg.Connections/10)); err != nil {
		return dialed{}, err
	}
	d, _, err := load(ctx, cfg, s, "-n", strconv.Itoa(cfg.Connections))
	return d, err
}

// open sums up the clients' ends that are open to servers, and says what all takes of memory.
func (r *tracing) open(ctx context.Context, ports map[int]bool) (open int64, size string, err error) {
	list, err := dependencies(ctx)
	if err != nil {
		return 0, "", err
	}
	for _, d := range list {
		if d.Direction == model.Out && ports[int(d.Port)] {
			open += int64(d.Open)
		}
	}
	resident, maps, err := r.memory()
	return open, fmt.Sprintf("%s; %s", figures.Bytes(resident), figures.Bytes(maps)), err
}
