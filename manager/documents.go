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

// Accept takes documents that are not numbered; see Deliver.
func (m *Manager) Accept(ctx context.Context, docs []model.Document) error {
	_, err := m.Deliver(ctx, model.Batch{Documents: docs})
	return err
}

// Deliver implements model.Sink. Before the log is replayed it waits.
func (m *Manager) Deliver(ctx context.Context, b model.Batch) (model.Receipt, error) {
	if err := m.await(ctx); err != nil {
		return model.Receipt{}, err
	}
	receipt, err := m.store.Deliver(ctx, b)
	if docs := b.Documents[min(receipt.Known, len(b.Documents)):]; err == nil && m.keeper != nil {
		m.keeper.Take(docs)
	}
	if err == nil {
		// They are durable: the graph has to know, whoever goes away meanwhile.
		err = m.follow(context.WithoutCancel(ctx))
	}
	if err == nil {
		m.compare(ctx, b, &receipt)
	}
	if errors.Is(err, store.ErrCorrupt) {
		select {
		case m.broken <- err:
		default: // it was told already
		}
	}
	return receipt, err
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
	if err := m.takeOver(ctx); err != nil {
		return fmt.Errorf("take over what a manager of another host name said: %w", err)
	}
	stats := m.graph.Stats()
	m.log.Info("document log replayed", "documents", stats.Documents, "took", time.Since(begin).Round(time.Millisecond))
	if n := m.bad.Load(); n > 0 {
		m.log.Warn("entries of the document log could not be decoded and were left out", "entries", n)
	}
	close(m.ready)
	return nil
}

// followed bounds how many documents are decoded and applied at once.
const followed = 2048

// follow applies to the graph what the log has beyond it, as it was committed or, where that
// is not in memory, as it is in the log. Whoever comes first applies for all: the graph
// follows the log, in its order.
func (m *Manager) follow(ctx context.Context) error {
	m.applying.Lock()
	defer m.applying.Unlock()
	scopes := m.scopes.live()
	apply := func(docs []graph.Logged, decoded []graph.Decoded, upTo store.Key) {
		m.news = m.graph.ApplyInto(m.news[:0], decoded)
		m.publish(m.news)
		clear(m.news) // who keeps some of it has copies
		m.scopes.hear(scopes, docs)
		m.noteElsewhere(docs)
		m.applied = upTo
	}
	entries, ok := m.tail.take(m.applied)
	if !ok {
		return m.inBatches(ctx, m.applied, "", (*batch).decode, func(b *batch) bool {
			apply(b.docs, b.decoded, b.Last)
			m.bad.Add(b.Bad)
			return true
		})
	}
	for some := range slices.Chunk(entries, followed) {
		docs := logged(m.decoding[:0], some)
		apply(docs, m.decoder.All(docs), some[len(some)-1].Key)
		clear(docs) // nobody has to keep what they held
		m.decoding = docs
	}
	return nil
}

// replayUntil makes the graph of a past moment, and hands out its events.
func (m *Manager) replayUntil(ctx context.Context, until store.Key, each func([]model.Event) bool) (*graph.Graph, error) {
	g := newGraph(m.cfg)
	err := m.inBatches(ctx, "", until, (*batch).decode, func(b *batch) bool { return each(g.ApplyAll(b.decoded)) })
	if err != nil {
		return nil, err
	}
	return g, nil
}

// extend applies to a graph, or to a new one, what the log has behind a key up to another.
func (m *Manager) extend(ctx context.Context, g *graph.Graph, after, until store.Key) (*graph.Graph, error) {
	if g == nil {
		g = newGraph(m.cfg)
	}
	return g, m.inBatches(ctx, after, until, (*batch).decode, func(b *batch) bool {
		g.ApplyAll(b.decoded)
		return true
	})
}

// Graph is the graph as it is, or with a time as it was then. It belongs to the
// caller to read only, and only until the context ends.
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
