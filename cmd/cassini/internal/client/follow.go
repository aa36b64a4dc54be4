package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"time"

	"cassini/model"
)

// maxRetry bounds the wait before Follow connects again.
const maxRetry = 15 * time.Second

// Follow calls fn with each event as it happens. When the connection is lost it
// connects again and goes on where it was. It returns nil when the context
// ends, the error of fn, or an error when the first connection fails or the
// manager refuses the question.
func (c *Client) Follow(ctx context.Context, q Query, fn func(model.Event) error) error {
	f := follower{client: c, query: q, fn: fn, wait: c.cfg.Retry, first: c.cfg.Retry}
	for {
		err := f.once(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case f.final(err):
			return err
		}
		if !f.lost {
			c.cfg.Warn(fmt.Sprintf("event stream of %s was lost: %s; connecting again", c.base.Redacted(), cause(err)))
			f.lost = true
		}
		if !f.sleep(ctx) {
			return nil
		}
	}
}

// follower is one Follow.
type follower struct {
	client    *Client
	query     Query
	fn        func(model.Event) error
	lastID    string
	connected bool // at least once
	lost      bool // and the user was told
	first     time.Duration
	wait      time.Duration
}

// fatalError ends the following: connecting again would only repeat it.
type fatalError struct{ error }

func (e fatalError) Unwrap() error { return e.error }

// final reports whether connecting again cannot help.
func (f *follower) final(err error) bool {
	if _, ok := errors.AsType[fatalError](err); ok || !f.connected {
		return true
	}
	problem, ok := errors.AsType[*Problem](err)
	return ok && problem.Status < 500
}

// sleep waits before the next attempt; false when the context ended.
func (f *follower) sleep(ctx context.Context) bool {
	timer := time.NewTimer(f.wait)
	defer timer.Stop()
	f.wait = min(2*f.wait, maxRetry)
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// once connects and reads until the stream ends; the error is never nil.
func (f *follower) once(ctx context.Context) error {
	header := http.Header{"Accept": {"text/event-stream"}, "Cache-Control": {"no-store"}}
	if f.lastID != "" {
		header.Set("Last-Event-ID", f.lastID)
	}
	resp, err := f.client.open(ctx, "events", f.query, header)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind != "text/event-stream" {
		return fmt.Errorf("%s answered %q instead of an event stream; does --api/CASSINI_API point at a Cassini manager?", f.client.base.Redacted(), kind)
	}
	f.connected, f.lost, f.wait = true, false, f.first
	return f.read(newStream(resp.Body))
}

func (f *follower) read(s *stream) error {
	for {
		m, err := s.next()
		if errors.Is(err, errMessageTooLong) {
			return fatalError{err}
		}
		if err != nil {
			return err
		}
		if m.retry > 0 {
			f.first = min(m.retry, maxRetry)
			f.wait = f.first
		}
		var event model.Event
		if err := json.Unmarshal(m.data, &event); err != nil {
			return fatalError{fmt.Errorf("read event %s: %w", m.id, err)}
		}
		if m.id != "" {
			f.lastID = m.id
		}
		if err := f.fn(event); err != nil {
			return fatalError{err}
		}
	}
}
