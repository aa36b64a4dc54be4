package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"cassini/agent"
)

func main() {
	ctx := untilSignal()
	os.Exit(execute(ctx, os.Args[1:], &system{
		stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, now: time.Now, zone: time.Local,
		probe: localProbe, serve: servers(),
	}))
}

// untilSignal ends with the first signal that asks to end. The second one does not ask.
// SIGPWR says that the whole host goes down, which neighbors are then told.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGPWR)
	go func() { // ends with the process
		first := <-signals
		signal.Stop(signals)
		if first == syscall.SIGPWR {
			cancel(agent.ErrHostGoesDown)
		}
		cancel(nil)
	}()
	return ctx
}
