package manager

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"cassini/manager/api"
	"cassini/manager/rings"
	"cassini/manager/rings/keeper"
	"cassini/manager/store"
	"cassini/model"
)

// DefaultForgetAfter is how long a host is remembered that nothing is heard of.
const DefaultForgetAfter = 30 * 24 * time.Hour

// withdrawn is how many documents are withdrawn in one commit.
const withdrawn = 1000

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
	m.refused.telling.Lock()
	defer m.refused.telling.Unlock()
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
	m.speakers.Forget(host)
	m.refused.forget(host)
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
