package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"cassini/manager/api"
	"cassini/manager/graph"
	"cassini/manager/store"
	"cassini/model"
)

// ErrNotRunning says that Run has ended or not come so far.
var ErrNotRunning = errors.New("manager is not running")

// Accept implements model.Sink. Before the log is replayed it waits.
func (m *Manager) Accept(ctx context.Context, docs []model.Document) error {
	if err := m.await(ctx); err != nil {
		return err
	}
	_, err := m.store.Append(ctx, docs)
	if err == nil && m.keeper != nil {
		m.keeper.Take(docs)
	}
	if err == nil {
		// They are durable: the graph has to know, whoever goes away meanwhile.
		err = m.follow(context.WithoutCancel(ctx))
	}
	if errors.Is(err, store.ErrCorrupt) {
		select {
		case m.broken <- err:
		default: // it was told already
		}
	}
	return err
}

// Latest implements model.Sink.
func (m *Manager) Latest(ctx context.Context, host string) ([]model.Document, error) {
	return m.Documents(ctx, model.Name{Host: host}, time.Time{})
}

// await waits until the log is replayed.
func (m *Manager) await(ctx context.Context) error {
	select {
	case <-m.stopped:
		return ErrNotRunning
	default:
	}
	select {
	case <-m.ready:
		return nil
	case <-m.stopped:
		return ErrNotRunning
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Replayed says whether the log is replayed, so that questions can be answered.
func (m *Manager) Replayed() bool {
	select {
	case <-m.ready:
		return true
	default:
		return false
	}
}

// Ready says why the process cannot do its work yet.
func (m *Manager) Ready() error {
	if !m.Replayed() {
		return errors.New("the document log is being replayed")
	}
	if m.parts.Ready != nil {
		return m.parts.Ready()
	}
	return nil
}

// replay brings the graph up to the log and opens the manager for questions.
func (m *Manager) replay(ctx context.Context) error {
	begin := time.Now()
	if err := m.follow(ctx); err != nil {
		return err
	}
	stats := m.graph.Stats()
	m.log.Info("document log replayed", "documents", stats.Documents, "took", time.Since(begin).Round(time.Millisecond))
	if n := m.bad.Load(); n > 0 {
		m.log.Warn("entries of the document log could not be decoded and were left out", "entries", n)
	}
	close(m.ready)
	return nil
}

// follow applies to the graph what the log has beyond it. Whoever comes first
// applies for all: the graph follows the log, in its order.
func (m *Manager) follow(ctx context.Context) error {
	m.applying.Lock()
	defer m.applying.Unlock()
	for e, err := range m.store.Range(ctx, m.applied, "") {
		if errors.Is(err, store.ErrBadEntry) {
			m.bad.Add(1)
			m.applied = e.Key
			continue
		}
		if err != nil {
			return fmt.Errorf("read document log: %w", err)
		}
		m.publish(m.graph.Apply(string(e.Key), e.Document))
		m.applied = e.Key
	}
	return nil
}

// replayUntil makes the graph of a past moment, and hands out its events.
func (m *Manager) replayUntil(ctx context.Context, until store.Key, each func([]model.Event) bool) (*graph.Graph, error) {
	g := graph.New(graph.Limits{Learn: m.cfg.Learn})
	for e, err := range m.store.Range(ctx, "", until) {
		if errors.Is(err, store.ErrBadEntry) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read document log: %w", err)
		}
		if events := g.Apply(string(e.Key), e.Document); !each(events) {
			break
		}
	}
	return g, nil
}

// Graph is the graph as it is, or with a time as it was then. It belongs to the
// caller to read only.
func (m *Manager) Graph(ctx context.Context, at time.Time) (*graph.Graph, error) {
	if at.IsZero() {
		return m.graph, nil
	}
	return m.past.graph(ctx, at, m.cfg.Now())
}

// Documents are the newest documents, or with a time those that were the newest
// then, sorted by name; without those that are gone.
func (m *Manager) Documents(ctx context.Context, f model.Name, at time.Time) ([]model.Document, error) {
	if err := m.await(ctx); err != nil {
		return nil, err
	}
	newest := make(map[model.Name]model.Document)
	entries := m.store.Latest(ctx, store.Filter(f))
	if !at.IsZero() {
		entries = m.store.Range(ctx, "", store.Until(at))
	}
	for e, err := range entries {
		switch {
		case errors.Is(err, store.ErrBadEntry):
		case err != nil:
			return nil, fmt.Errorf("read document log: %w", err)
		case !store.Filter(f).Match(e.Document.Name):
		case e.Document.Gone():
			delete(newest, e.Document.Name)
		default:
			newest[e.Document.Name] = e.Document
		}
	}
	docs := make([]model.Document, 0, len(newest))
	for _, d := range newest {
		docs = append(docs, d)
	}
	slices.SortFunc(docs, func(a, b model.Document) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Package, b.Package), cmp.Compare(a.Key, b.Key))
	})
	return docs, nil
}

// History is what the log has of a name, newest first.
func (m *Manager) History(ctx context.Context, f model.Name, before string, limit int) ([]api.LogEntry, error) {
	list := []api.LogEntry{}
	for e, err := range m.store.History(ctx, store.Filter(f), store.Key(before)) {
		if errors.Is(err, store.ErrBadEntry) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read document log: %w", err)
		}
		list = append(list, api.LogEntry{LogKey: string(e.Key), Document: e.Document})
		if len(list) == limit {
			break
		}
	}
	return list, nil
}

// Log walks what the log has between two moments of receipt, of which zero ones are no
// bounds, in the order of the log or with newest against it.
func (m *Manager) Log(ctx context.Context, from, to time.Time, newest bool) iter.Seq2[api.LogEntry, error] {
	return func(yield func(api.LogEntry, error) bool) {
		if err := m.await(ctx); err != nil {
			yield(api.LogEntry{}, err)
			return
		}
		var after, until store.Key
		if !from.IsZero() {
			after = store.Since(from)
		}
		if !to.IsZero() {
			until = store.Until(to)
		}
		entries := m.store.Range(ctx, after, until)
		if newest {
			entries = m.store.History(ctx, store.Filter{}, until)
		}
		for e, err := range entries {
			switch {
			case errors.Is(err, store.ErrBadEntry):
			case err != nil:
				yield(api.LogEntry{}, fmt.Errorf("read document log: %w", err))
				return
			case newest && e.Key < after:
				return
			case !yield(api.LogEntry{LogKey: string(e.Key), Document: e.Document}, nil):
				return
			}
		}
	}
}
