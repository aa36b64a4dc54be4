package manager

import (
	"context"
	"slices"
	"sync"
	"time"

	"cassini/manager/graph"
	"cassini/manager/store"
	"cassini/model"
)

const (
	pastGraphs = 4           // that are kept
	pastSettle = time.Minute // a moment younger than that may still get entries
)

// past makes graphs of past moments, one at a time, and keeps the last few.
type past struct {
	replay func(ctx context.Context, until store.Key, each func([]model.Event) bool) (*graph.Graph, error)
	turn   chan struct{} // held by whoever replays

	mu   sync.Mutex
	kept []pastGraph // the last used first
}

type pastGraph struct {
	at    time.Time
	graph *graph.Graph
}

func newPast(replay func(context.Context, store.Key, func([]model.Event) bool) (*graph.Graph, error)) *past {
	return &past{replay: replay, turn: make(chan struct{}, 1)}
}

func (p *past) graph(ctx context.Context, at, now time.Time) (*graph.Graph, error) {
	if g := p.find(at); g != nil {
		return g, nil
	}
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-p.turn }()
	if g := p.find(at); g != nil { // somebody else asked for the same
		return g, nil
	}
	g, err := p.replay(ctx, store.Until(at), func([]model.Event) bool { return true })
	if err == nil {
		g.Advance(at)
	}
	if err == nil {
		g.SetClock(func() time.Time { return at })
	}
	if err == nil && now.Sub(at) > pastSettle {
		p.keep(pastGraph{at, g})
	}
	return g, err
}

func (p *past) find(at time.Time) *graph.Graph {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.kept, func(x pastGraph) bool { return x.at.Equal(at) })
	if i < 0 {
		return nil
	}
	found := p.kept[i]
	p.kept = slices.Insert(slices.Delete(p.kept, i, i+1), 0, found)
	return found.graph
}

func (p *past) keep(g pastGraph) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept = slices.Insert(p.kept, 0, g)
	p.kept = p.kept[:min(len(p.kept), pastGraphs)]
}
