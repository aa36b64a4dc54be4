package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/output"
	"cassini/cmd/cassini/internal/watch"
	"cassini/cmd/cassini/internal/watch/screen"
)

// leastInterval is how often the live view may ask: every question reads the counters
// of all kernels that it is about.
const leastInterval = 100 * time.Millisecond

// watching is one `cassini watch`.
type watching struct {
	*asker
	host, filter string
	view         *enum
	interval     time.Duration
	once         bool
}

func newWatch(sys *system) *cobra.Command {
	w := &watching{}
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Watch services and dependencies live, with rates, on the whole terminal",
		Long: "Watch services and dependencies as they come and go, with rates, on the whole\n" +
			"terminal. Press ? for the keys. With --once one picture is printed as text, after\n" +
			"one interval, which rates need.",
		Example: "  cassini watch\n  cassini watch --view services --filter postgres\n  cassini watch --once",
		Args:    noArgs,
	}
	cmd.Flags().StringVar(&w.host, "host", "", "only services and dependencies of this `host`")
	cmd.Flags().StringVar(&w.filter, "filter", "", "only rows with this `text`, in any column")
	cmd.Flags().DurationVar(&w.interval, "interval", time.Second, "`time` between pictures")
	cmd.Flags().BoolVar(&w.once, "once", false, "print one picture as text")
	w.view = addEnum(cmd, "view", "", "what to show first", watch.Views()...)
	w.asker = newAsker(cmd, sys, []string{formatTable, formatJSON}, func(ctx context.Context, _ *client.Client, _ []string) error {
		return w.run(ctx)
	})
	if err := cmd.Flags().MarkHidden("output"); err != nil { // a setting for all who ask, of no use here
		panic(err) // a typo in the source
	}
	return cmd
}

func (w *watching) run(ctx context.Context) error {
	if w.interval < leastInterval {
		return usagef("--interval must be %s or more", leastInterval)
	}
	q, err := w.questioner()
	if err != nil {
		return err
	}
	defer q.Close()
	m := watch.New(watch.Config{Address: w.api, Interval: w.interval, View: w.view.value, Filter: w.filter, Color: w.terminal().Color, Zone: w.zone})
	if w.once {
		return w.print(ctx, q, m)
	}
	out, err := w.screen()
	if err != nil {
		return err
	}
	return screen.Run(ctx, screen.Config{Model: m, Interval: w.interval, In: os.Stdin, Out: out, Env: os.Environ(), Now: w.now, Ask: q.picture, Follow: q.follow})
}

// screen is the terminal to draw on; an error says what else there is.
func (w *watching) screen() (*os.File, error) {
	out, ok := w.stdout.(*os.File)
	const instead = "; use 'cassini watch --once' for one picture, or 'cassini deps', 'cassini services' and 'cassini events -f'"
	switch {
	case !ok || !output.IsTerminal(out) || !output.IsTerminal(os.Stdin):
		return nil, usagef("input and output are not both a terminal" + instead)
	case w.getenv("TERM") == "" || w.getenv("TERM") == "dumb":
		return nil, usagef("this terminal (TERM=%s) cannot move its cursor"+instead, w.getenv("TERM"))
	}
	return out, nil
}

// print writes one picture, the second: rates are differences.
func (w *watching) print(ctx context.Context, q *questioner, m *watch.Model) error {
	for n := range 2 {
		if n > 0 && !wait(ctx, w.interval) {
			return ctx.Err()
		}
		p, err := q.picture(ctx, "")
		if err != nil {
			return err
		}
		m.Take(p)
	}
	if width := output.Detect(w.stdout, w.getenv).Width; width > 0 {
		m.Limit(width)
	}
	_, err := io.WriteString(w.stdout, m.Frame()+"\n")
	if err != nil {
		return fmt.Errorf("print the picture: %w", err)
	}
	return nil
}

// wait waits; false when the context ended before.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
