package manager

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"cassini/manager/store"
	"cassini/model"
)

// agreed are the hosts whose documents were found to be what their agents have, in this run
// of the manager. It has one short entry for each host that delivers.
type agreed struct {
	mu    sync.Mutex
	hosts map[string]struct{}
}

func (a *agreed) has(host string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, has := a.hosts[host]
	return has
}

func (a *agreed) note(host string, agrees bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !agrees {
		delete(a.hosts, host)
		return
	}
	if a.hosts == nil {
		a.hosts = make(map[string]struct{})
	}
	a.hosts[host] = struct{}{}
}

// compare adds to a receipt whether the manager has what the agent says that it should: where
// the agent asks, behind a gap, and once in each run of the manager. All documents of the host
// are read for it, so that nothing has to be kept up to date while nothing is lost.
func (m *Manager) compare(ctx context.Context, b model.Batch, r *model.Receipt) {
	c := b.Check
	if c == nil || c.Rule != model.CompareRule || !c.Wanted && !r.Gap && m.agreed.has(b.Host) {
		return
	}
	var ours model.Digest
	err := m.hashes(ctx, b.Host, func(h model.DocumentHash) { ours.Add(h.Hash) })
	if err != nil {
		m.log.Warn("the documents of a host could not be compared with what its agent has", "host", b.Host, "error", err)
		return
	}
	r.Compared, r.Differs = true, ours != c.Digest
	m.agreed.note(b.Host, !r.Differs)
}

// Hashes implements model.Sink.
func (m *Manager) Hashes(ctx context.Context, host string) ([]model.DocumentHash, error) {
	if err := m.await(ctx); err != nil {
		return nil, err
	}
	list := []model.DocumentHash{}
	err := m.hashes(ctx, host, func(h model.DocumentHash) { list = append(list, h) })
	return list, err
}

// hashes hands out what the documents of a host hash to. One that cannot be decoded is not
// there: the agent sends it again.
func (m *Manager) hashes(ctx context.Context, host string, each func(model.DocumentHash)) error {
	for e, err := range m.store.Latest(ctx, store.Filter{Host: host}) {
		switch {
		case errors.Is(err, store.ErrBadEntry):
		case err != nil:
			return fmt.Errorf("read document log: %w", err)
		case model.Compared(e.Document.Package) && !e.Document.Gone():
			each(hashed(e.Document))
		}
	}
	return nil
}

func hashed(d model.Document) model.DocumentHash {
	return model.DocumentHash{Package: d.Package, Key: d.Key, Hash: model.HashOf(d)}
}

// Hashes implements model.Sink: of documents as the tenant sees them.
func (b tenantBackend) Hashes(ctx context.Context, host string) ([]model.DocumentHash, error) {
	docs, err := b.Documents(ctx, model.Name{Host: host}, time.Time{})
	list := []model.DocumentHash{}
	for _, d := range docs {
		if model.Compared(d.Package) {
			list = append(list, hashed(d))
		}
	}
	return list, err
}
