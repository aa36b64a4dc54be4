package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"cassini/agent/enroll"
	"cassini/agent/host"
	"cassini/agent/outbox"
	"cassini/model"
)

// Why an agent ends whose name another machine has.
var (
	errNotMine  = errors.New("this machine runs with a copy of another one's data directory: it asks for a name of its own when it is started again")
	errNotGiven = errors.New("this machine shows the certificate of another one: it waits for one of its own when it is started again")
)

// reached is a manager that an agent has a way to, and who it is there.
type reached struct {
	enroll.Settled
	sink *outbox.HTTPSink
	work func(worker) worker
}

// settleAgent makes the way to the manager and finds out who this host is there; also whether
// this is the machine that was given its name, or has a copy of it. In a certificate of another
// authority is the host name, and the manager gives no other.
func settleAgent(ctx context.Context, cfg serveConfig) (r reached, err error) {
	if r.sink, r.work, err = reachManager(cfg); err != nil {
		return r, err
	}
	machine := ownMachine(cfg.Logger)
	called, anew, err := nameOf(ctx, cfg, r.sink, machine)
	if err != nil {
		return r, err
	}
	r.Settled, err = enroll.Settle(ctx, enroll.Settling{
		Dir: cfg.DataDir, Host: called, Machine: machine, Logger: cfg.Logger,
		Another: outbox.ErrAnother, Older: outbox.ErrNotServed, ShutOut: outbox.ErrShutOut,
		Ask:  func(ctx context.Context) error { return r.sink.Introduce(ctx, called, machine) },
		Anew: anew,
	})
	if err == nil && r.Host != called { // what shows who this is has changed
		r.sink, r.work, err = reachManager(cfg)
	}
	if err == nil && r.Host != cfg.Host {
		cfg.Logger.Warn("another machine has the name of this one: the manager calls it otherwise", "name", cfg.Host, "host", r.Host)
	}
	return r, err
}

// nameOf is what the manager calls this host: as its certificate says, or where there is none,
// as the manager says; and how to get another name, nil where there is none to get.
func nameOf(ctx context.Context, cfg serveConfig, sink *outbox.HTTPSink, machine model.Machine) (called string, anew func(context.Context) (string, error), err error) {
	if cfg.AgentTLS.Cert != "" {
		return cfg.Host, nil, nil
	}
	if cfg.Finder != nil || isHTTPS(cfg.Manager) {
		m, err := openMember(cfg, wayBy(cfg.Finder))
		if err != nil {
			return "", nil, err
		}
		return m.Host(), func(ctx context.Context) (string, error) { return m.Anew(ctx, machine) }, nil
	}
	call := enroll.CallRequest{
		Dir: cfg.DataDir, Manager: cfg.Manager, Name: cfg.Host, Final: outbox.ErrNotServed,
		Ask: func(ctx context.Context) (string, error) { return sink.Name(ctx, cfg.Host, machine) },
	}
	called, err = enroll.Called(ctx, call)
	if err != nil && ctx.Err() == nil {
		cfg.Logger.Warn("whether another machine has the name of this one is not known; it is asked again at the next start", "host", called, "error", err)
	}
	return called, func(ctx context.Context) (string, error) { return enroll.CalledAnew(ctx, call, called) }, nil
}

// speakAs has all that is sent say which machine this is. An agent of whose name the manager
// says that it is another machine's ends.
func (r reached) speakAs(cfg serveConfig, end func(error)) {
	why := errNotMine
	if cfg.AgentTLS.Cert != "" {
		why = errNotGiven
	}
	r.sink.As(func() model.Machine { return ownMachine(cfg.Logger) }, func(err error) {
		end(fmt.Errorf("%w: %w", why, errors.Join(err, enroll.Doubt(cfg.DataDir))))
	})
}

// ownMachine is what tells this machine from others of its name.
func ownMachine(log *slog.Logger) model.Machine {
	machine, err := host.ReadMachine()
	if err != nil {
		log.Warn("this machine cannot be told as well from others of its name", "error", err)
	}
	return machine
}
