package manager

import (
	"context"
	"errors"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"cassini/manager/graph"
	"cassini/manager/store"
	"cassini/manager/tenants"
	"cassini/model"
)

// errOutdated says that a scope was forgotten while somebody waited for it.
var errOutdated = errors.New("the tenant's graph was forgotten meanwhile")

// scope is the estate as one tenant sees it: a graph and events of the documents that pass
// its border, and of nothing else.
type scope struct {
	m      *Manager
	tenant string
	border *tenants.Border
	graph  *graph.Graph
	events *hub
	past   *past
	turn   chan struct{} // held by whoever builds
	asked  time.Time     // guarded by scopes.mu

	// Ended is set under locks that Pass asks for: it takes none of the scope's.
	built, ended atomic.Bool

	mu      sync.Mutex // over applied, and over the order of what the graph is told
	applied store.Key
}

func newScope(m *Manager, tenant string) *scope {
	sc := &scope{m: m, tenant: tenant, graph: newGraph(m.cfg), events: newHub(), turn: make(chan struct{}, 1)}
	sc.border = tenants.New(tenant, m.enroll.TenantOf, m.enroll.MaskKey())
	sc.graph.SetClock(m.cfg.Now)
	sc.past = newPast(sc.extend)
	return sc
}

// build replays the log, once. It is asked for by many at a time, and does it for all.
func (sc *scope) build(ctx context.Context) error {
	select {
	case sc.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-sc.turn }()
	if done, err := sc.state(); done || err != nil {
		return err
	}
	begin := time.Now()
	// Most of the log is read while documents come; the rest while they wait.
	if err := sc.follow(ctx); err != nil {
		return err
	}
	sc.m.applying.Lock()
	defer sc.m.applying.Unlock()
	if err := sc.follow(ctx); err != nil {
		return err
	}
	sc.built.Store(true)
	sc.m.log.Info("graph of a tenant made", "tenant", sc.tenant, "documents", sc.graph.Stats().Documents, "took", time.Since(begin).Round(time.Millisecond))
	return nil
}

func (sc *scope) state() (built bool, err error) {
	if sc.ended.Load() {
		return false, errOutdated
	}
	return sc.built.Load(), nil
}

// follow reads what the log has beyond what the graph knows.
func (sc *scope) follow(ctx context.Context) error {
	sc.mu.Lock()
	defer sc.mu.Unlock()
	return sc.m.inBatches(ctx, sc.applied, "", nil, func(b *batch) bool {
		sc.take(b.docs)
		sc.applied = b.Last
		return true
	})
}

// take applies what passes the border. The lock is held.
func (sc *scope) take(docs []graph.Logged) {
	sc.events.publish(sc.graph.ApplyAll(graph.DecodeAll(sc.passing(docs))))
}

// passing are the documents that pass the border, as the tenant sees them.
func (sc *scope) passing(docs []graph.Logged) (list []graph.Logged) {
	for _, d := range docs {
		if e, ok := sc.border.Pass(store.Entry{Key: store.Key(d.Key), Document: d.Document}); ok {
			list = append(list, graph.Logged{Key: string(e.Key), Document: e.Document})
		}
	}
	return list
}

// hear takes documents that the manager has just applied, in the order of the log; the
// manager's lock of it is held.
func (sc *scope) hear(docs []graph.Logged) {
	if !sc.built.Load() || sc.ended.Load() {
		return // it is read from the log
	}
	sc.mu.Lock()
	defer sc.mu.Unlock()
	docs = docs[sort.Search(len(docs), func(n int) bool { return store.Key(docs[n].Key) > sc.applied }):]
	if len(docs) > 0 {
		sc.take(docs)
		sc.applied = store.Key(docs[len(docs)-1].Key)
	}
}

// advance tells the graph the time.
func (sc *scope) advance(at time.Time) {
	if !sc.built.Load() || sc.ended.Load() {
		return
	}
	sc.mu.Lock()
	defer sc.mu.Unlock()
	sc.events.publish(sc.graph.Advance(at))
}

// end cuts off whoever watches. The lock of all scopes is held, and perhaps the authority's.
func (sc *scope) end() {
	sc.ended.Store(true)
	sc.events.close()
}

// replayUntil makes the graph of a past moment, and hands out its events.
func (sc *scope) replayUntil(ctx context.Context, until store.Key, each func([]model.Event) bool) (*graph.Graph, error) {
	g := newGraph(sc.m.cfg)
	err := sc.m.inBatches(ctx, "", until, nil, func(b *batch) bool {
		return each(g.ApplyAll(graph.DecodeAll(sc.passing(b.docs))))
	})
	if err != nil {
		return nil, err
	}
	return g, nil
}

// extend applies to a graph, or to a new one, what the log has behind a key up to another.
func (sc *scope) extend(ctx context.Context, g *graph.Graph, after, until store.Key) (*graph.Graph, error) {
	if g == nil {
		g = newGraph(sc.m.cfg)
	}
	return g, sc.m.inBatches(ctx, after, until, nil, func(b *batch) bool {
		g.ApplyAll(graph.DecodeAll(sc.passing(b.docs)))
		return true
	})
}
