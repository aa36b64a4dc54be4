package taps

import (
	"bytes"
	"context"
	"time"

	"cassini/bpf"
	"cassini/model"
)

// settle is how long after something was opened all open files are looked at: by then it
// is bound to what it wants to hear.
const settle = time.Second

// later looks at all open files after a pause. It does not block.
func (t *Taps) later(pause time.Duration) {
	t.late.Begin(pause, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if t.closed {
			return
		}
		if err := t.look(context.Background()); err != nil {
			t.cfg.Logger.Error("look for packet and raw sockets", "error", err)
		}
	})
}

// flushLater sends what was held back as soon as it may go. It does not block.
func (t *Taps) flushLater(wait time.Duration) {
	t.held.Begin(wait, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		clock, err := bpf.ReadClock()
		if err != nil || t.closed {
			return
		}
		list, wait := t.throttle.due(time.Now())
		for _, l := range list {
			t.send(l, clock)
		}
		if wait > 0 {
			t.flushLater(wait)
		}
	})
}

// look looks at all open files, now or as soon as that may be done again. Called with mu
// held.
func (t *Taps) look(ctx context.Context) error {
	clock, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	if !t.walks.Due(clock.MonoNs) {
		t.later(time.Duration(t.walks.After - clock.MonoNs))
		return nil
	}
	return t.walk(ctx, clock)
}

// Refresh looks at all open files, unless that was done a moment ago, and emits what
// changed.
func (t *Taps) Refresh(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	clock, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	if !t.walks.Due(clock.MonoNs) {
		t.walks.Spared++
		return nil
	}
	return t.walk(ctx, clock)
}

// walk brings the table up to what processes hold.
func (t *Taps) walk(ctx context.Context, clock bpf.Clock) error {
	held := make(map[uint64]*bpf.TapSocket)
	err := t.cfg.Kernel.Sockets(ctx, func(s *bpf.TapSocket) {
		if known := held[s.Cookie]; known == nil || s.Owner.StartNs < known.Owner.StartNs {
			if len(held) < 2*socketLimit || known != nil {
				copied := *s
				held[s.Cookie] = &copied
			}
		}
	})
	if err != nil {
		return err // an incomplete walk must not end what it did not reach
	}
	for cookie, s := range t.table.byCookie {
		// One that was opened during the walk may have been behind it already, and one that
		// is being opened is in no table of files yet.
		if held[cookie] == nil && s.began+uint64(settle)/2 < clock.MonoNs {
			t.table.remove(s)
		}
	}
	for cookie, found := range held {
		if known := t.table.byCookie[cookie]; known == nil || known.unbound || known.raw != *found {
			t.found(known, found, clock)
		}
	}
	t.emitChanged(clock)
	ended, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	t.walks.Done(clock, ended)
	return nil
}

// found takes a socket that was not known, or that is different now.
func (t *Taps) found(known *socket, found *bpf.TapSocket, clock bpf.Clock) {
	s := t.describe(found, bpf.Image{}, clock)
	switch {
	case known != nil:
		s.began, s.Since, s.SinceApprox = known.began, known.Since, known.SinceApprox
	case t.walks.Walks > 0: // it was not there at the last look
		s.SinceApprox = false
		if s.Since.Before(t.walks.Last.Wall) {
			s.Since = t.walks.Last.Wall.UTC()
		}
	}
	if s.Since.IsZero() {
		s.Since = clock.Wall.UTC()
	}
	t.table.put(s)
}

// Publish emits what differs from what the manager remembers: on the first call
// everything it does not have as it stands, and on each call what it believes to be there
// although it has gone.
func (t *Taps) Publish(remembered []model.Document) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	clock, err := bpf.ReadClock()
	if err != nil {
		return err
	}
	first := !t.published
	t.published = true
	known := make(map[string]model.Document)
	for _, doc := range remembered {
		var l model.Listener
		if doc.Package != model.PackageListeners || doc.Decode(&l) != nil || !model.IsTap(l.Proto) {
			continue
		}
		known[doc.Key] = doc
		if l.State == model.StateListening {
			t.remember(l, first, clock)
		}
	}
	if !first {
		return nil
	}
	for key, e := range t.table.byKey {
		name := model.Name{Host: t.cfg.Host, Package: model.PackageListeners, Key: key}
		doc, err := model.NewDocument(name, clock.Wall, e.Listener)
		if err == nil && bytes.Equal(doc.Body, known[key].Body) {
			continue
		}
		t.emit(e.Listener, clock)
	}
	return nil
}

// remember compares one listener of the manager with the table. The same one keeps its start.
func (t *Taps) remember(earlier model.Listener, first bool, clock bpf.Clock) {
	e := t.table.byKey[earlier.Key()]
	switch {
	case e == nil:
		t.emit(endListener(earlier, clock.Wall), clock)
	case e.PID == earlier.PID && e.Exe == earlier.Exe && e.SinceApprox:
		for _, s := range e.sockets {
			if s.PID == earlier.PID && s.Exe == earlier.Exe {
				s.Since, s.SinceApprox = earlier.Since, earlier.SinceApprox
			}
		}
		e.derive()
	case !first && !e.Since.Equal(earlier.Since):
		t.emit(e.Listener, clock)
	}
}
