package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"cassini/manager/audit"
	"cassini/manager/rings"
	"cassini/manager/store"
	"cassini/model"
)

// Bounds of what is forgotten by itself.
const (
	tidyMost     = 10 * time.Minute // between two looks for what can be forgotten
	tidyLeast    = time.Second
	tidyOften    = 20 // looks within the time after which things are forgotten
	spentAtOnce  = 20_000
	hostsAtOnce  = 100
	verdictsRare = 12 // looks between two at verdicts, which go over all names of the log
)

// runTidy forgets what nobody needs until the context ends.
func (m *Manager) runTidy(ctx context.Context) {
	if m.await(ctx) != nil {
		return
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(m.tidyEvery()):
		}
		if m.waits() {
			continue
		}
		if err := m.tidy(ctx); err != nil && ctx.Err() == nil {
			m.log.Error("what nobody needs could not be forgotten; it is tried again", "error", err)
		}
	}
}

// tidyEvery is how often things are looked for: often enough for what is set.
func (m *Manager) tidyEvery() time.Duration {
	least := m.disk.Retention().MaxAge
	if after := m.cfg.ForgetAfter; after > 0 {
		least = min(least, after)
	}
	return min(max(least/tidyOften, tidyLeast), tidyMost)
}

// tidy withdraws documents that tell of nothing any more, and forgets hosts of which nothing
// was heard for long.
func (m *Manager) tidy(ctx context.Context) error {
	before := m.cfg.Now().Add(-m.disk.Retention().MaxAge)
	var docs []model.Document
	for _, name := range m.graph.Spent(before, spentAtOnce) {
		docs = append(docs, model.Document{Name: name, Time: m.cfg.Now().UTC()})
	}
	err := m.withdraw(ctx, docs)
	m.graph.ForgetOver(before)
	if m.forgot.looks++; m.forgot.looks%verdictsRare == 0 {
		err = errors.Join(err, m.tidyVerdicts(ctx, before))
	}
	if m.cfg.ForgetAfter > 0 {
		err = errors.Join(err, m.tidyHosts(ctx, m.cfg.Now().Add(-m.cfg.ForgetAfter)))
	}
	m.tidyFile(ctx)
	return err
}

// tidyVerdicts withdraws verdicts whose incident is over for as long as the log remembers, and
// those of incidents that are forgotten. The first to be written goes first: so no replay
// finds a death whose end it lacks.
func (m *Manager) tidyVerdicts(ctx context.Context, before time.Time) error {
	var old []store.Entry
	for e, err := range m.store.Latest(ctx, store.Filter{Package: model.PackageVerdicts}) {
		at, badKey := e.Key.Time()
		switch {
		case errors.Is(err, store.ErrBadEntry):
		case err != nil:
			return fmt.Errorf("read document log: %w", err)
		case badKey == nil && at.Before(before) && !e.Document.Gone() && len(old) < spentAtOnce && m.graph.VerdictOver(e.Document, before):
			old = append(old, store.Entry{Key: e.Key, Document: model.Document{Name: e.Document.Name, Time: m.cfg.Now().UTC()}})
		}
	}
	slices.SortFunc(old, func(a, b store.Entry) int { return cmp.Compare(a.Key, b.Key) })
	docs := make([]model.Document, 0, len(old))
	for _, e := range old {
		docs = append(docs, e.Document)
	}
	return m.withdraw(ctx, docs)
}

// tidyHosts forgets hosts of which nothing was heard since a moment: no document, no heartbeat
// by their neighbors, no renewal of a certificate.
func (m *Manager) tidyHosts(ctx context.Context, since time.Time) error {
	silent, err := m.silentHosts(ctx, since)
	if err != nil {
		return err
	}
	for host, last := range silent {
		f, err := m.forget(ctx, host)
		if err != nil {
			return err
		}
		m.log.Info("a host is forgotten: nothing was heard of it for long", "host", host, "last", last.UTC(), "documents", f.Documents)
		_ = m.audit.Add(audit.Entry{At: m.cfg.Now(), Who: "manager", Action: "host.forget", Target: host, Detail: "nothing was heard of it since " + last.UTC().Format(time.RFC3339), Result: audit.Done}) // a failure is logged and counted
	}
	if m.enroll == nil {
		return nil
	}
	for _, host := range m.enroll.Silent(since, m.cfg.Now()) {
		if m.graph.Knows(host) {
			continue // its documents go first
		}
		if _, err := m.enroll.Forget(host, m.cfg.Now()); err != nil {
			return err
		}
	}
	return nil
}

// stays says whether a host is there, or may be, for as long as its state lasts: neighbors hear
// it, or its kernel, or the manager its word.
func stays(state string) bool {
	return slices.Contains([]rings.State{rings.Up, rings.LinkDown, rings.Hung, rings.Deaf}, rings.State(state))
}

// silentHosts are some of which nothing was heard since a moment, and when something was.
func (m *Manager) silentHosts(ctx context.Context, since time.Time) (map[string]time.Time, error) {
	silent := m.graph.Unheard(since)
	delete(silent, m.cfg.Host)
	v, err := m.Rings(ctx)
	if err != nil {
		return nil, err
	}
	for _, h := range v.Hosts {
		last, known := silent[h.Host]
		switch {
		case stays(h.State) || !h.Since.Before(since):
			delete(silent, h.Host)
		case known && h.Since.After(last), !known && !m.graph.Knows(h.Host):
			silent[h.Host] = h.Since
		}
	}
	for host := range silent {
		if m.enroll != nil && m.enroll.Spoke(host).After(since) || len(silent) > hostsAtOnce {
			delete(silent, host)
		}
	}
	return silent, nil
}
