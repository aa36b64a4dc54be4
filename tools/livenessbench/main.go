package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"

	"cassini/tools/bench"

	"golang.org/x/sys/unix"
)

// config is what the command line says.
type config struct {
	Binary  string
	Hosts   []int
	Systems []string
	Losses  []float64
	Span    time.Duration // of a measurement of load
	Crashes int           // for each system and each of the first and the last loss
	Stagger time.Duration // between crashes
	Frozen  time.Duration
	// Settling is how long is waited for what comes of it after the freezing.
	Settling time.Duration
	Spacing  bool
	Calm     float64 // CPU pressure of the machine, in percent, below which is measured; 0 does not wait
	Log      func(format string, args ...any)
}

func main() {
	var err error
	switch {
	case len(os.Args) > 1 && os.Args[1] == roleNode:
		err = runNode(os.Args[2:])
	case len(os.Args) > 1 && os.Args[1] == roleBusy:
		for {
		}
	default:
		err = measure(os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "livenessbench:", err)
		os.Exit(1)
	}
}

func measure(args []string) error {
	cfg, jsonPath, err := parse(args)
	if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return errors.New("network namespaces need root; run as root")
	}
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	restore, err := raiseNeighborLimits()
	if err != nil {
		return err
	}
	report := newReport(cfg)
	err = errors.Join(runAll(ctx, cfg, report), restore())
	report.finish()
	report.markdown(os.Stdout) // also what a run that failed has measured
	if jsonPath != "" {
		err = errors.Join(err, report.save(jsonPath))
	}
	return err
}

func parse(args []string) (config, string, error) {
	cfg := config{Settling: 15 * time.Second}
	flags := flag.NewFlagSet("livenessbench", flag.ContinueOnError)
	var hosts, systems, losses, jsonPath string
	var quick, quiet bool
	flags.StringVar(&cfg.Binary, "cassini", "bin/cassini", "`path` of the program under test")
	flags.StringVar(&hosts, "hosts", "100", "numbers of hosts: 8, 100, 300")
	flags.StringVar(&systems, "systems", strings.Join(systemNames(), ","), "what to compare")
	flags.StringVar(&losses, "losses", "0,5,20", "`percent` of datagrams that are lost; crashes are tried with the first and the last")
	flags.DurationVar(&cfg.Span, "span", 20*time.Second, "of each measurement of load; figures that are cited want 60s")
	flags.IntVar(&cfg.Crashes, "crashes", 10, "`number` for each system and loss; 0 leaves them out")
	flags.DurationVar(&cfg.Stagger, "stagger", 2*time.Second, "mean time between crashes, which are on different switches")
	flags.DurationVar(&cfg.Frozen, "frozen", 20*time.Second, "how long four hosts' programs are stopped; 0 leaves it out")
	flags.BoolVar(&cfg.Spacing, "spacing", true, "measure the spacing of Cassini's heartbeats, quiet and under load")
	flags.Float64Var(&cfg.Calm, "calm", 0, "wait, for three minutes at most, until tasks wait for the CPU for less than so many `percent` of the time")
	flags.StringVar(&jsonPath, "json", "", "`file` for all figures")
	flags.BoolVar(&quick, "quick", false, "a smoke run: few hosts, short spans")
	flags.BoolVar(&quiet, "quiet", false, "no progress on standard error")
	if err := flags.Parse(args); err != nil {
		return cfg, "", err
	}
	if quick {
		hosts, losses, cfg.Span, cfg.Crashes, cfg.Frozen, cfg.Settling = "8", "0,20", 3*time.Second, 1, 8*time.Second, 4*time.Second
	}
	begin := time.Now()
	cfg.Log = func(format string, args ...any) {
		if !quiet {
			fmt.Fprintf(os.Stderr, "%6.1fs %s\n", time.Since(begin).Seconds(), fmt.Sprintf(format, args...))
		}
	}
	var err1, err2 error
	cfg.Systems = strings.Split(systems, ",")
	cfg.Hosts, err1 = bench.Counts("hosts", hosts, 1)
	cfg.Losses, err2 = percents(losses)
	return cfg, jsonPath, errors.Join(err1, err2)
}

func percents(list string) (losses []float64, err error) {
	for s := range strings.SplitSeq(list, ",") {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, fmt.Errorf("read -losses %q: %w", list, err)
		}
		losses = append(losses, n)
	}
	return losses, nil
}
