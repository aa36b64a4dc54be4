package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"cassini/cmd/cassini/internal/client"
	"cassini/cmd/cassini/internal/watch"
	"cassini/model"
)

// followAgain is how long the live view waits before it asks for events again.
const followAgain = 2 * time.Second

// questioner asks a manager for what the live view shows. Warnings of its clients go
// into pictures, since the terminal is taken.
type questioner struct {
	*client.Client
	events   *client.Client
	host     string
	now      func() time.Time
	warnings *warnings
}

// warnings keeps the last warning. It stands where stderr would.
type warnings struct {
	mu   sync.Mutex
	last string
}

// Write keeps a warning.
func (w *warnings) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = strings.TrimSpace(string(text))
	return len(text), nil
}

// take returns the last warning once.
func (w *warnings) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.last
	w.last = ""
	return last
}

// questioner makes the clients: one for pictures, one for events, whose warnings (the
// same: the manager is away) are not wanted twice.
func (w *watching) questioner() (*questioner, error) {
	q := &questioner{host: w.host, now: w.now, warnings: &warnings{}}
	var err error
	if q.Client, err = w.clientThatWarns(q.warnings); err != nil {
		return nil, err
	}
	if q.events, err = w.clientThatWarns(io.Discard); err != nil {
		return nil, err
	}
	return q, nil
}

func (w *watching) clientThatWarns(to io.Writer) (*client.Client, error) {
	sys, a := *w.system, *w.asker
	sys.stderr, a.system = to, &sys
	return a.client()
}

// Close drops idle connections.
func (q *questioner) Close() {
	q.Client.Close()
	q.events.Close()
}

// picture asks for all that is shown, dependencies last: what they name is there then.
func (q *questioner) picture(ctx context.Context, want string) (p watch.Picture, err error) {
	host := client.Query{}.With("host", q.host)
	if p.Hosts, err = q.Liveness(ctx, host); err != nil {
		return p, err
	}
	if p.Incidents, err = q.Incidents(ctx, client.Query{}); err != nil {
		return p, err
	}
	if p.Services, err = q.Services(ctx, host); err != nil {
		return p, err
	}
	if want != "" {
		if p.Client, err = q.node(ctx, want); err != nil {
			return p, err
		}
	}
	if p.Dependencies, err = q.Dependencies(ctx, host); err != nil {
		return p, err
	}
	p.At, p.Stale = q.now(), q.warnings.take()
	return p, nil
}

// node asks for one node; nil when it is not there.
func (q *questioner) node(ctx context.Context, id string) (*model.Node, error) {
	around, err := q.Node(ctx, client.Query{}.With("id", id).With("depth", "1"))
	if problem, ok := errors.AsType[*client.Problem](err); ok && problem.Status < 500 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, n := range around.Nodes {
		if n.ID == id {
			return &n, nil
		}
	}
	return nil, nil
}

// follow calls fn with events until the context ends, however often the manager goes
// away. That it did shows by pictures that do not come.
func (q *questioner) follow(ctx context.Context, fn func(model.Event)) {
	query := client.Query{}.With("host", q.host)
	for {
		_ = q.events.Follow(ctx, query, func(e model.Event) error {
			fn(e)
			return nil
		})
		if !wait(ctx, followAgain) {
			return
		}
	}
}
