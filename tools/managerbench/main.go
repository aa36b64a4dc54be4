// Command managerbench measures what the manager can take: a manager in a process of its
// own, with its log on disk, is brought the documents of a large estate over HTTP, is asked
// while they come, is started again, and hosts join it over TLS. Its store is measured
// beside bare bbolt, in the same run. How far one manager goes is measured in this process:
// hosts join rings and bring what they know, as many as time and memory allow.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cassini/tools/bench"
)

// config is what the command line says.
type config struct {
	Binary  string
	Dir     string // for data directories, which are removed in the end
	Hosts   []int
	Clients int // that send documents at the same time
	Parts   []string
	Seed    uint64
	Asks    int           // samples of how fast a document can be seen
	Joins   int           // hosts that join over TLS
	Writes  int           // of each kind, to the store
	Deliver time.Duration // of deliveries of each size
	Ready   time.Duration // that a manager may take until it answers
	Budget  time.Duration // for the hosts of one size to come, and for its restart
	Profile string        // where profiles of that are written, or ""
	For     time.Duration // of churn
	Sample  time.Duration // between two looks at it
	Living  int           // hosts that live at one time under churn
	Quick   bool          // a smoke run
	Memory  int64         // bytes of its own that the process may have
	Log     func(format string, args ...any)
}

func main() { bench.Main("managerbench", run) }

// parts are what is measured, in this order.
func parts() []bench.Part[config] {
	return []bench.Part[config]{{Name: "store", Run: stores}, {Name: "estate", Run: estates}, {Name: "join", Run: joins}, {Name: "deliver", Run: delivers}, {Name: "scale", Run: scales}, {Name: "churn", Run: churns}}
}

// run measures, and writes a table for each part.
func run(ctx context.Context, args []string, out io.Writer) (err error) {
	cfg, err := parse(args)
	if err != nil {
		return err
	}
	if cfg.Dir, err = os.MkdirTemp(cfg.Dir, "managerbench"); err != nil {
		return fmt.Errorf("make a place for data: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(cfg.Dir)) }()
	return bench.Run(ctx, cfg, parts(), cfg.Parts, out)
}

func parse(args []string) (cfg config, err error) {
	flags := flag.NewFlagSet("managerbench", flag.ContinueOnError)
	hosts := flags.String("hosts", "1000,10000", "sizes of the estate, with commas")
	chosen := flags.String("parts", strings.Join(slices.DeleteFunc(bench.Names(parts()), func(name string) bool { return name == "churn" }), ","), "what to measure, with commas; churn only where it is named")
	quick := flags.Bool("quick", false, "a smoke run: 100 hosts and few samples")
	flags.StringVar(&cfg.Binary, "cassini", "bin/cassini", "the manager's binary")
	flags.StringVar(&cfg.Dir, "dir", "", "where data directories are while it runs (default: the system's place for such)")
	flags.IntVar(&cfg.Clients, "clients", 16, "how many send documents at the same time")
	flags.IntVar(&cfg.Asks, "asks", 1000, "how often one looks how soon a document can be seen")
	flags.IntVar(&cfg.Joins, "joins", 3000, "how many hosts join over TLS")
	flags.IntVar(&cfg.Writes, "writes", 5000, "how many documents each kind of writer brings to the store")
	flags.DurationVar(&cfg.Deliver, "deliver", 5*time.Second, "how long agents bring documents over TLS, of each size of a delivery")
	flags.DurationVar(&cfg.For, "for", time.Hour, "how long churn lasts")
	flags.IntVar(&cfg.Living, "living", 150, "how many hosts live at one time under churn")
	flags.DurationVar(&cfg.Ready, "ready", 10*time.Minute, "how long a manager may take until it answers")
	flags.DurationVar(&cfg.Budget, "budget", 10*time.Minute, "how long the hosts of one size may take to come, and how long the restart after it")
	flags.StringVar(&cfg.Profile, "profile", "", "the directory that gets profiles of CPU and memory of -parts scale")
	flags.Int64Var(&cfg.Memory, "memory", 16<<30, "how many bytes of memory hosts that come may take until no more do")
	flags.Uint64Var(&cfg.Seed, "seed", 1, "of the estate")
	if err := flags.Parse(args); err != nil {
		return cfg, err
	}
	cfg.Sample = churnSample
	if cfg.Quick = *quick; cfg.Quick {
		cfg.For, cfg.Sample, cfg.Living = 2*time.Second, 500*time.Millisecond, 10
		*hosts, cfg.Asks, cfg.Joins, cfg.Writes, cfg.Deliver = "100", 20, 20, 128, 100*time.Millisecond
	}
	if cfg.Binary, err = filepath.Abs(cfg.Binary); err != nil {
		return cfg, fmt.Errorf("read -cassini: %w", err)
	}
	if cfg.Parts, err = bench.Choice("parts", *chosen, bench.Names(parts())); err != nil {
		return cfg, err
	}
	if cfg.Hosts, err = bench.Counts("hosts", *hosts, minHosts); err != nil {
		return cfg, err
	}
	if cfg.Clients < 1 || cfg.Asks < 1 || cfg.Joins < 1 || cfg.Writes < writers {
		return cfg, fmt.Errorf("-clients, -asks and -joins are at least 1, and -writes %d", writers)
	}
	if cfg.For < leastChurn && !cfg.Quick || cfg.Living < 2 {
		return cfg, fmt.Errorf("-for is at least %v, and -living 2", leastChurn)
	}
	cfg.Log = bench.Progress()
	return cfg, nil
}

// minHosts gives every tier of an estate a few.
const minHosts = 100
