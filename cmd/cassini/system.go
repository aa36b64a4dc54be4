package main

import (
	"context"
	"io"
	"net"
	"time"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// system is what the commands touch of the world outside, so that tests can
// give them another.
type system struct {
	stdout, stderr io.Writer
	args           []string // of the command line
	getenv         func(string) string
	now            func() time.Time
	zone           *time.Location // of times in tables
	resolver       *net.Resolver  // nil is that of this machine
	// probe looks at the hooks of this kernel.
	probe func(context.Context) ([]model.Hook, error)
	// serve holds what the server commands run, by the name of the command.
	serve map[string]serveFunc
}

func (s *system) terminal() output.Terminal { return output.Detect(s.stdout, s.getenv) }

// moment is a time for people, "-" for the zero time.
func (s *system) moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(s.zone).Format(time.DateTime)
}
