package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"cassini/manager/api"
	"cassini/manager/audit"
	"cassini/manager/rings"
	"cassini/manager/rings/keeper"
	"cassini/manager/store"
	"cassini/model"
)

// DefaultForgetAfter is how long a host is remembered that nothing is heard of.
const DefaultForgetAfter = 30 * 24 * time.Hour

// Bounds of forgetting.
const (
	tidyMost     = 10 * time.Minute // between two looks for what can be forgotten
	tidyLeast    = time.Second
	tidyOften    = 20   // looks within the time after which things are forgotten
	withdrawn    = 1000 // documents in one commit
	spentAtOnce  = 20_000
	hostsAtOnce  = 100
	verdictsRare = 12 // looks between two at verdicts, which go over all names of the log
)

// forgetting counts what was forgotten since the start.
type forgetting struct {
	hosts, documents atomic.Uint64
	looks            int       // tidy's
	compact          time.Time // tidy's: when the log may be compacted again
}

// Forget forgets a host: its documents are withdrawn, which retention then removes from the
// log, its place in rings goes, and the record of its enrolment where nothing can come of that.
// Errors wrap api.ErrUnknown for a host that nothing is known of, and api.ErrUp for one that
// is up. What it knows and says later is taken as that of any host.
func (m *Manager) Forget(ctx context.Context, host string) (model.Forgotten, error) {
	f := model.Forgotten{Host: host}
	if err := m.await(ctx); err != nil {
		return f, err
	}
	v, err := m.Rings(ctx)
	if err != nil {
		return f, err
	}
	at := slices.IndexFunc(v.Hosts, func(h model.HostLiveness) bool { return h.Host == host })
	switch {
	case host == m.cfg.Host:
		return f, fmt.Errorf("forget %s: %w: the manager runs on it", host, api.ErrUp)
	case at >= 0 && v.Hosts[at].State != string(rings.Hung) && stays(v.Hosts[at].State):
		return f, fmt.Errorf("forget %s: %w: its neighbors hear it; stop its agent first, or shut it out: 'cassini agents revoke %s'", host, api.ErrUp, host)
	case at < 0 && !m.graph.Knows(host) && (m.enroll == nil || m.enroll.Spoke(host).IsZero()):
		return f, fmt.Errorf("host %q: %w; 'cassini hosts' and 'cassini identity' list those that are", host, api.ErrUnknown)
	}
	return m.forget(ctx, host)
}

// forget forgets a host, whatever is known of it.
func (m *Manager) forget(ctx context.Context, host string) (f model.Forgotten, err error) {
	f.Host = host
	var docs []model.Document
	for e, err := range m.store.Latest(ctx, store.Filter{Host: host}) {
		switch {
		case errors.Is(err, store.ErrBadEntry):
		case err != nil:
			return f, fmt.Errorf("forget %s: read document log: %w", host, err)
		case e.Document.Package == model.PackageVerdicts || e.Document.Gone(): // what it said of others is theirs
		default:
			docs = append(docs, model.Document{Name: e.Document.Name, Time: m.cfg.Now().UTC()})
		}
	}
	f.Documents = len(docs)
	if f.Documents > 0 || m.graph.Knows(host) {
		docs = append(docs, model.Document{Name: model.Name{Host: host, Package: model.PackageForgotten}, Time: m.cfg.Now().UTC()})
	}
	if err := m.withdraw(ctx, docs); err != nil {
		return f, fmt.Errorf("forget %s: %w", host, err)
	}
	if err := m.Expel(ctx, host); err != nil && !errors.Is(err, keeper.ErrClosed) {
		return f, fmt.Errorf("forget %s: %w", host, err)
	}
	m.agreed.note(host, false) // what it says later is compared first
	m.agents.forget(host)
	if m.enroll != nil {
		gone, err := m.enroll.Forget(host, m.cfg.Now())
		if err != nil {
			return f, fmt.Errorf("forget %s: %w", host, err)
		}
		f.Enrolled = !gone
	}
	m.forgot.hosts.Add(1)
	return f, nil
}

// withdraw writes that documents' things are forgotten.
func (m *Manager) withdraw(ctx context.Context, docs []model.Document) error {
	for some := range slices.Chunk(docs, withdrawn) {
		if err := m.Accept(ctx, some); err != nil {
			return err
		}
		m.forgot.documents.Add(uint64(len(some)))
	}
	return nil
}

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
// it, or its kernel.
func stays(state string) bool {
	return slices.Contains([]rings.State{rings.Up, rings.LinkDown, rings.Hung}, rings.State(state))
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
