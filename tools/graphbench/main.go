// Command graphbench measures the manager's graph on a synthetic estate, beside recursive
// queries of SQLite and of a plain PostgreSQL on the same nodes and edges. All answer the
// same questions by turns in one run, and answers that differ end it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"cassini/tools/bench"
)

// config is what the command line says.
type config struct {
	Hosts   []int
	Samples int           // of each question, at most
	Least   int           // of each question, however long they take
	Budget  time.Duration // for each question, beyond the least samples
	// Patience is how long a peer may take for one answer; it is not asked such again after that.
	Patience time.Duration
	Updates  time.Duration // for which updates are measured
	Seed     uint64
	Dir      string   // for SQLite's file, which is removed in the end
	Peers    []string // that are compared, of allPeers
	// Total is for how long each size is measured, Cassini by itself first; 0 is without end.
	Total time.Duration
	// Memory is how many bytes the process may take from the system until no more is put
	// into the graph; 0 is without bound.
	Memory uint64
	Log    func(format string, args ...any)
}

func main() { bench.Main("graphbench", run) }

// run measures at each size and writes a table for each.
func run(ctx context.Context, args []string, out io.Writer) error {
	cfg, err := parse(args)
	if err != nil {
		return err
	}
	for _, hosts := range cfg.Hosts {
		if cfg.Total == 0 {
			if err := one(ctx, cfg, hosts, out); err != nil {
				return err
			}
			continue
		}
		if err := within(ctx, cfg, hosts, out); err != nil {
			return err
		}
	}
	return nil
}

// within measures Cassini by itself, and then beside its peers as far as time is left.
func within(ctx context.Context, cfg config, hosts int, out io.Writer) error {
	bounded, cancel := context.WithTimeout(ctx, cfg.Total)
	defer cancel()
	alone := cfg
	alone.Peers = nil
	if err := one(bounded, alone, hosts, out); err != nil {
		return err
	}
	if len(cfg.Peers) == 0 || bounded.Err() != nil {
		return ctx.Err()
	}
	return one(bounded, cfg, hosts, out)
}

// one measures and writes a table, also of what was reached until time or memory was up.
func one(ctx context.Context, cfg config, hosts int, out io.Writer) error {
	r, err := measure(ctx, cfg, hosts)
	if err != nil && r != nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errMemory)) {
		r.Unfinished, err = err.Error(), nil
	}
	if err != nil {
		return fmt.Errorf("measure %d hosts: %w", hosts, err)
	}
	r.markdown(out)
	return nil
}

func parse(args []string) (cfg config, err error) {
	flags := flag.NewFlagSet("graphbench", flag.ContinueOnError)
	hosts := flags.String("hosts", "1000,10000", "sizes of the estate, with commas")
	quick := flags.Bool("quick", false, "a smoke run: 200 hosts and few samples")
	flags.IntVar(&cfg.Samples, "samples", 300, "random starts for each question")
	flags.IntVar(&cfg.Least, "least", 3, "starts for each question however long they take")
	flags.DurationVar(&cfg.Budget, "budget", 20*time.Second, "no further starts for a question after so long")
	flags.DurationVar(&cfg.Patience, "patience", time.Minute, "how long is waited for an answer of a peer; it is not asked for such again")
	peers := flags.String("peers", strings.Join(allPeers, ","), "what to compare with, with commas: SQLite in memory and in a file, PostgreSQL")
	flags.DurationVar(&cfg.Updates, "updates", 5*time.Second, "how long updates are measured, each kind")
	flags.Uint64Var(&cfg.Seed, "seed", 1, "of the estate and the starts")
	flags.StringVar(&cfg.Dir, "dir", "", "where SQLite's file is while it runs (default: the system's place for such)")
	flags.DurationVar(&cfg.Total, "total", 0, "measure each size for so long at most, Cassini alone first, and tell what was reached")
	memory := flags.Float64("memory", 0, "stop putting into the graph when so many GiB are taken from the system")
	if err := flags.Parse(args); err != nil {
		return cfg, err
	}
	if *quick {
		*hosts, cfg.Samples, cfg.Least, cfg.Budget, cfg.Updates = "200", 3, 1, 100*time.Millisecond, 20*time.Millisecond
	}
	cfg.Log = bench.Progress()
	cfg.Memory = uint64(*memory * (1 << 30))
	if cfg.Least < 1 || cfg.Samples < cfg.Least {
		return cfg, fmt.Errorf("read -least %d and -samples %d: at least one, and no more than all", cfg.Least, cfg.Samples)
	}
	if cfg.Peers, err = bench.Choice("peers", *peers, allPeers); err != nil {
		return cfg, err
	}
	cfg.Hosts, err = bench.Counts("hosts", *hosts, minHosts)
	return cfg, err
}

var allPeers = []string{"memory", "file", "postgres"}

// minHosts gives every tier a few.
const minHosts = 100
