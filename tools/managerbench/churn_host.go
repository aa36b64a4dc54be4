package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"cassini/agent/enroll"
	"cassini/agent/outbox"
	"cassini/model"
)

// liver is a host that lives for a while.
type liver struct {
	c       *churn
	r       *rand.Rand
	host    string
	machine model.Machine
	addr    netip.Addr
	sink    *outbox.HTTPSink
	last    model.Position
	things  int // that were there, for names that never come twice
}

// slot lets one host after the other live. Half of them are followed by another machine, the
// others by the same one, reinstalled or renamed.
func (c *churn) slot(ctx context.Context, slot int, r *rand.Rand) error {
	name, machine, again := "", model.Machine{}, false
	for life := 0; ctx.Err() == nil; life++ {
		switch next := r.IntN(4); {
		case life == 0 || next < 2:
			name, machine, again = fmt.Sprintf("h%d-%d", slot, life), newMachine(r), false
		case next == 2:
			name, again = fmt.Sprintf("h%d-%d", slot, life), false // the same machine
			c.renamed.Add(1)
		default:
			machine.MachineID, again = newMachine(r).MachineID, true // the same name
			c.reinstalled.Add(1)
		}
		l := &liver{c: c, r: r, host: name, machine: machine, addr: netip.AddrFrom4([4]byte{10, byte(r.IntN(200)), byte(slot), byte(1 + r.IntN(250))})}
		if err := l.live(ctx, again); err != nil && ctx.Err() == nil {
			return fmt.Errorf("host %s: %w", name, err)
		}
	}
	return nil
}

func newMachine(r *rand.Rand) model.Machine {
	id := func() string { return fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()) }
	return model.Machine{MachineID: id(), DMI: id(), BootID: id()}
}

// live lets a host join, tell what happens on it, and end.
func (l *liver) live(ctx context.Context, again bool) (err error) {
	dir := filepath.Join(l.c.dir, fmt.Sprintf("%s-%d", l.host, l.r.Uint64()))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("make a place for it: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	token := l.c.token
	if again {
		if token, err = l.c.tokenFor(ctx, l.host); err != nil {
			return err
		}
	}
	if _, err := enroll.Join(ctx, enroll.Request{Manager: l.c.p.url, Token: token, Host: l.host, Machine: l.machine, Dir: dir}); err != nil {
		return fmt.Errorf("join: %w", err)
	}
	member, err := enroll.Open(dir, l.host, l.c.p.url, slog.New(slog.DiscardHandler))
	if err != nil {
		return fmt.Errorf("open its identity: %w", err)
	}
	life, end := context.WithTimeout(ctx, churnLife/2+time.Duration(l.r.Int64N(int64(churnLife))))
	defer end()
	renewing := make(chan error, 1)
	go func() { renewing <- member.Run(life) }() // ends with the host
	l.sink = outbox.NewTLSSink(l.c.p.url, "", member.TLS())
	l.last.Incarnation = model.Incarnation(time.Now().UnixNano())
	err = l.work(life)
	if life.Err() != nil && ctx.Err() == nil {
		err = l.end(ctx)
	}
	end()
	return errors.Join(err, <-renewing)
}

// work is what a host does while it lives.
func (l *liver) work(ctx context.Context) error {
	if err := l.joinRings(ctx); err != nil {
		return err
	}
	if err := l.deliver(ctx, l.first()); err != nil {
		return err
	}
	l.c.joined.Add(1)
	l.c.living.Store(l.host, l)
	defer l.c.living.Delete(l.host)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Duration(l.r.Int64N(2 * int64(churnPause)))):
		}
		if err := l.deliver(ctx, l.happens()); err != nil {
			return err
		}
	}
}

// joinRings takes a place, as soon as the manager has time.
func (l *liver) joinRings(ctx context.Context) error {
	zone := fmt.Sprintf("subnet:10.%d.0.0/16", l.r.IntN(5))
	if l.r.IntN(20) == 0 {
		zone = fmt.Sprintf("subnet:10.9.%d.0/24", l.r.Uint32()) // that nobody else is in
	}
	for {
		err := l.c.members.join(ctx, l.sink, l.host, zone, l.last.Incarnation)
		var busy *model.BusyError
		if !errors.As(err, &busy) {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(busy.After):
		}
	}
}

// deliver brings documents until they are taken.
func (l *liver) deliver(ctx context.Context, docs []model.Document) error {
	b := model.Batch{Host: l.host, First: model.Position{Incarnation: l.last.Incarnation, Sequence: l.last.Sequence + 1}, Documents: docs}
	for {
		_, err := l.sink.Deliver(ctx, b)
		var busy *model.BusyError
		switch {
		case err == nil:
			l.last.Sequence += uint64(len(docs))
			l.c.told.Add(int64(len(docs)))
			return nil
		case ctx.Err() != nil:
			return nil
		case !errors.As(err, &busy):
			return err
		}
		l.c.refused.Add(1)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(busy.After):
		}
	}
}

// end has another host say that this one is no more: as a neighbor does that was told so, or
// that hears nothing. Who is asked to may end too: then the next one.
func (l *liver) end(ctx context.Context) error {
	var err error
	for range 100 {
		if ctx.Err() != nil {
			return nil
		}
		by := l.another()
		if by == nil {
			time.Sleep(churnPause / 10)
			continue
		}
		if err = l.endedBy(ctx, by); err == nil {
			l.c.ended.Add(1)
			return nil
		}
	}
	return fmt.Errorf("nobody tells that it ended: %w", err)
}

// another is a host that is up, or nil.
func (l *liver) another() (by *liver) {
	l.c.living.Range(func(_, other any) bool {
		if o := other.(*liver); o != l && o.host != l.host {
			by = o
		}
		return by == nil || l.r.IntN(20) > 0
	})
	return by
}

func (l *liver) endedBy(ctx context.Context, by *liver) error {
	v := model.Verdict{
		ID: model.ReportID{Reporter: by.host, Incarnation: 1, Sequence: l.r.Uint64()}, Kind: model.VerdictShutdown, At: time.Now(),
		Subject: model.RingMember{Host: l.host, Addr: l.c.members.addr, Incarnation: l.last.Incarnation},
	}
	if l.r.IntN(2) == 0 {
		v.Kind = model.VerdictStopped
	}
	doc, err := model.VerdictDocument(v, by.host)
	if err != nil {
		return fmt.Errorf("make a verdict: %w", err)
	}
	_, err = by.sink.Deliver(ctx, model.Batch{Host: by.host, Documents: []model.Document{doc}})
	return err
}
