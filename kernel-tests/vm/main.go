package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Exit codes, as the other commands have them.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

var errNotGood = errors.New("not every kernel passed")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	opts, err := parseOptions(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil:
		fmt.Fprintln(stderr, "vm:", err)
		return exitUsage
	}
	logger := slog.New(slog.NewTextHandler(stderr, nil))
	if err := testKernels(ctx, opts, logger, stdout); err != nil {
		fmt.Fprintln(stderr, "vm:", err)
		return exitFailed
	}
	return exitDone
}

// testKernels boots every kernel, one after the other, and writes the results.
func testKernels(ctx context.Context, opts options, logger *slog.Logger, stdout io.Writer) error {
	lab, err := newLab(ctx, opts, logger)
	if err != nil {
		return err
	}
	defer lab.close()
	var report Report
	report.QEMU = lab.qemu.Version
	for _, series := range opts.kernels {
		result := lab.test(ctx, series)
		if ctx.Err() != nil {
			return fmt.Errorf("test kernels: interrupted in %s: %w", series, context.Cause(ctx))
		}
		report.Kernels = append(report.Kernels, result)
		writeOutcome(stdout, result)
		if err := lab.record(result, time.Now()); err != nil {
			return err
		}
	}
	writeTable(stdout, report)
	if err := report.save(opts.json); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "logs: %s\n", opts.out)
	if !report.good() {
		return errNotGood
	}
	return nil
}
