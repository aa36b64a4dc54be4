// Command graphbench measures the manager's graph on a synthetic estate, beside SQLite's
// recursive queries on the same nodes and edges. Both answer the same questions by turns
// in one run, and answers that differ end it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

// config is what the command line says.
type config struct {
	Hosts   []int
	Samples int           // of each question, at most
	Least   int           // of each question, however long they take
	Budget  time.Duration // for each question, beyond the least samples
	// Patience is how long SQLite may take for one answer; it is not asked again after that.
	Patience time.Duration
	Updates  time.Duration // for which updates are measured
	Seed     uint64
	Dir      string // for SQLite's file, which is removed in the end
	Log      func(format string, args ...any)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bench(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "graphbench:", err)
		os.Exit(1)
	}
}

// bench measures at each size and writes a table for each.
func bench(ctx context.Context, args []string, out io.Writer) error {
	cfg, err := parse(args)
	if err != nil {
		return err
	}
	for _, hosts := range cfg.Hosts {
		r, err := measure(ctx, cfg, hosts)
		if err != nil {
			return fmt.Errorf("measure %d hosts: %w", hosts, err)
		}
		r.markdown(out)
	}
	return nil
}

func parse(args []string) (cfg config, err error) {
	begin := time.Now()
	flags := flag.NewFlagSet("graphbench", flag.ContinueOnError)
	hosts := flags.String("hosts", "1000,10000", "sizes of the estate, with commas")
	quick := flags.Bool("quick", false, "a smoke run: 200 hosts and few samples")
	flags.IntVar(&cfg.Samples, "samples", 300, "random starts for each question")
	flags.IntVar(&cfg.Least, "least", 3, "starts for each question however long they take")
	flags.DurationVar(&cfg.Budget, "budget", 20*time.Second, "no further starts for a question after so long")
	flags.DurationVar(&cfg.Patience, "patience", time.Minute, "how long is waited for an answer of SQLite; it is not asked for such again")
	flags.DurationVar(&cfg.Updates, "updates", 5*time.Second, "how long updates are measured, each kind")
	flags.Uint64Var(&cfg.Seed, "seed", 1, "of the estate and the starts")
	flags.StringVar(&cfg.Dir, "dir", "", "where SQLite's file is while it runs (default: the system's place for such)")
	if err := flags.Parse(args); err != nil {
		return cfg, err
	}
	if *quick {
		*hosts, cfg.Samples, cfg.Least, cfg.Budget, cfg.Updates = "200", 3, 1, 100*time.Millisecond, 20*time.Millisecond
	}
	cfg.Log = func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "%6.1fs %s\n", time.Since(begin).Seconds(), fmt.Sprintf(format, args...))
	}
	if cfg.Least < 1 || cfg.Samples < cfg.Least {
		return cfg, fmt.Errorf("read -least %d and -samples %d: at least one, and no more than all", cfg.Least, cfg.Samples)
	}
	for s := range strings.SplitSeq(*hosts, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < minHosts {
			return cfg, fmt.Errorf("read -hosts %q: %q is not a number of at least %d", *hosts, s, minHosts)
		}
		cfg.Hosts = append(cfg.Hosts, n)
	}
	return cfg, nil
}

// minHosts gives every tier a few.
const minHosts = 100
