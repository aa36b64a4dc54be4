package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// The first signal asks to end, the second one does not ask.
	context.AfterFunc(ctx, stop)
	os.Exit(execute(ctx, os.Args[1:], &system{
		stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, now: time.Now, zone: time.Local,
		probe: localProbe, serve: servers(),
	}))
}
