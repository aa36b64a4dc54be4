// Command capturebench measures what it costs connections to be watched, and what is told
// of them: by Cassini and by the tools that people use otherwise, by turns in one run, in a
// network namespace of its own. Clients and servers are processes that keep their own books,
// which are the truth. Run it as root.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"

	"cassini/tools/bench"
)

// config is what the command line says.
type config struct {
	Binary      string
	Dir         string // of this run, which is removed in the end
	Parts       []string
	Rounds      int           // by turns
	Connections int           // of one turn
	Settle      time.Duration // until a tracer traces
	Edges, Each int           // of the part "exact"
	Open        []int         // connections that are open meanwhile, of the part "open"
	Known       []int         // edges of the part "memory"
	ByPart      bool          // of what that memory is, a table for each
	Profile     string        // the directory for heap profiles beside
	Span        time.Duration // of each rate in the part "rates"
	Log         func(format string, args ...any)
}

// inside is the environment variable that says that this is the process in the namespace.
const inside = "CAPTUREBENCH_INSIDE"

func main() { bench.Main("capturebench", run) }

// run does what the first argument says, or starts itself again in a namespace.
func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) > 0 && args[0] == "serve" {
		return serve(args[1:])
	}
	if len(args) > 0 && args[0] == "dial" {
		return dial(args[1:])
	}
	if os.Getenv(inside) != "" {
		return measure(ctx, args, out)
	}
	if _, err := parse(args); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return errors.New("root is needed: for a network namespace, and to trace")
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("measure in a network namespace: %w", err)
	}
	return nil
}

// parts are what is measured, in this order.
func parts() []bench.Part[config] {
	return []bench.Part[config]{{Name: "turns", Run: turns}, {Name: "rates", Run: rates}, {Name: "exact", Run: exact}, {Name: "open", Run: opened}, {Name: "memory", Run: memory}}
}

// measure writes a table for each part.
func measure(ctx context.Context, args []string, out io.Writer) (err error) {
	cfg, err := parse(args)
	if err != nil {
		return err
	}
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return fmt.Errorf("set loopback up: %w", err)
	}
	if cfg.Dir, err = os.MkdirTemp("", "capturebench"); err != nil {
		return fmt.Errorf("make a place for data: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(cfg.Dir)) }()
	if err := cfg.programs(); err != nil {
		return err
	}
	return bench.Run(ctx, cfg, parts(), cfg.Parts, out)
}

func parse(args []string) (cfg config, err error) {
	flags := flag.NewFlagSet("capturebench", flag.ContinueOnError)
	chosen := flags.String("parts", strings.Join(bench.Names(parts()), ","), "what to measure, with commas")
	open := flags.String("open", "0,10000,100000", "numbers of connections that are open meanwhile, with commas")
	known := flags.String("known", "10,1000,10000,100000", "numbers of edges of an agent whose memory is measured, with commas")
	flags.BoolVar(&cfg.ByPart, "by-part", false, "write a table of what that memory is for")
	flags.StringVar(&cfg.Profile, "profile", "", "write a heap profile for each of these to this `directory`")
	quick := flags.Bool("quick", false, "a smoke run")
	flags.StringVar(&cfg.Binary, "cassini", "bin/cassini", "the binary")
	flags.IntVar(&cfg.Rounds, "rounds", 9, "how often each has its turn")
	flags.IntVar(&cfg.Connections, "connections", 20_000, "of one turn")
	flags.DurationVar(&cfg.Settle, "settle", 3*time.Second, "how long a tracer has to attach")
	flags.IntVar(&cfg.Edges, "edges", 10_000, "pairs of addresses for exact counts")
	flags.IntVar(&cfg.Each, "each", 100, "connections of each of these")
	flags.DurationVar(&cfg.Span, "span", 10*time.Second, "how long each rate is held")
	if err := flags.Parse(args); err != nil {
		return cfg, err
	}
	if *quick {
		*known = "10"
		*open, cfg.Rounds, cfg.Connections, cfg.Edges, cfg.Each, cfg.Span = "0,100", 1, 500, 100, 3, time.Second
	}
	if cfg.Parts, err = bench.Choice("parts", *chosen, bench.Names(parts())); err != nil {
		return cfg, err
	}
	if cfg.Open, err = bench.Counts("open", *open, 0); err != nil {
		return cfg, err
	}
	if cfg.Known, err = bench.Counts("known", *known, 2); err != nil {
		return cfg, err
	}
	if slices.Max(cfg.Known) > 2*maxEdges {
		return cfg, fmt.Errorf("-known is up to %d", 2*maxEdges)
	}
	if cfg.Rounds < 1 || cfg.Connections < 10 || cfg.Each < 1 || cfg.Edges < 1 || cfg.Edges > maxEdges {
		return cfg, fmt.Errorf("-rounds and -each are at least 1, -connections 10, and -edges up to %d", maxEdges)
	}
	if cfg.Binary, err = filepath.Abs(cfg.Binary); err != nil {
		return cfg, fmt.Errorf("read -cassini: %w", err)
	}
	cfg.Log = bench.Progress()
	return cfg, nil
}

// program is where this program is as a client or a server: two files, since programs are
// told apart by their executables.
func (c config) program(as string) string { return filepath.Join(c.Dir, as) }

func (c config) programs() error {
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("copy this program: %w", err)
	}
	for _, as := range []string{client, server} {
		if err := os.WriteFile(c.program(as), self, 0o700); err != nil {
			return fmt.Errorf("copy this program: %w", err)
		}
	}
	return nil
}
