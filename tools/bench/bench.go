// Package bench is what our benchmarks have in common: how they are run, what they are
// told on the command line, and what a process took. package figures writes what came of it.
package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Main runs a benchmark until it is done or interrupted, with its arguments and where its
// report goes, and exits with 1 if it fails. The name goes before what is said of that.
func Main(name string, run func(ctx context.Context, args []string, out io.Writer) error) {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// Part is something that a benchmark measures, by a configuration of its own kind.
type Part[C any] struct {
	Name string
	Run  func(ctx context.Context, cfg C, out io.Writer) error
}

// Names are those of parts, in their order.
func Names[C any](parts []Part[C]) (names []string) {
	for _, p := range parts {
		names = append(names, p.Name)
	}
	return names
}

// Run measures those parts that were chosen, in the parts' order, until one fails.
func Run[C any](ctx context.Context, cfg C, parts []Part[C], chosen []string, out io.Writer) error {
	for _, p := range parts {
		if !slices.Contains(chosen, p.Name) {
			continue
		}
		if err := p.Run(ctx, cfg, out); err != nil {
			return fmt.Errorf("measure %s: %w", p.Name, err)
		}
	}
	return nil
}

// Progress tells on standard error what is done, with the seconds since Progress was called.
func Progress() func(format string, args ...any) {
	begin := time.Now()
	return func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "%6.1fs %s\n", time.Since(begin).Seconds(), fmt.Sprintf(format, args...))
	}
}

// Choice splits a list with commas, all of whose parts are known. An empty list chooses
// nothing.
func Choice(option, list string, known []string) (chosen []string, err error) {
	if list == "" {
		return nil, nil
	}
	for s := range strings.SplitSeq(list, ",") {
		if !slices.Contains(known, s) {
			return nil, fmt.Errorf("read -%s %q: there is no %q, but %s", option, list, s, strings.Join(known, ", "))
		}
		chosen = append(chosen, s)
	}
	return chosen, nil
}

// Counts splits a list of numbers with commas, of which none is below the least.
func Counts(option, list string, least int) (counts []int, err error) {
	for s := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < least {
			return nil, fmt.Errorf("read -%s %q: %q is not a number of at least %d", option, list, s, least)
		}
		counts = append(counts, n)
	}
	return counts, nil
}
