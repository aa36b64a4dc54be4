package manager

import (
	"context"
	"slices"
	"sync"
	"time"

	"cassini/manager/graph"
	"cassini/manager/store"
)

const (
	pastGraphs = 4           // that are kept
	pastSettle = time.Minute // a moment younger than that may still get entries
)

// past makes graphs of past moments, one at a time, and keeps the last few. When there are
// as many as are kept, one that nobody uses goes on to a later moment, so that who asks again
// and again for an hour ago does not have the whole log replayed each time.
type past struct {
	// extend applies to a graph, or to a new one in place of nil, what the log has behind a
	// key up to another.
	extend func(ctx context.Context, g *graph.Graph, after, until store.Key) (*graph.Graph, error)
	turn   chan struct{} // held by whoever replays

	mu   sync.Mutex
	kept []*pastGraph // the last used first
}

type pastGraph struct {
	at    time.Time
	graph *graph.Graph
	users int // guarded by past.mu
}

func newPast(extend func(ctx context.Context, g *graph.Graph, after, until store.Key) (*graph.Graph, error)) *past {
	return &past{extend: extend, turn: make(chan struct{}, 1)}
}

// graph is the graph of a moment. The caller may use it until its context ends.
func (p *past) graph(ctx context.Context, at, now time.Time) (*graph.Graph, error) {
	if g := p.find(ctx, at); g != nil {
		return g, nil
	}
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-p.turn }()
	if g := p.find(ctx, at); g != nil { // somebody else asked for the same
		return g, nil
	}
	settled := now.Sub(at) > pastSettle
	begin := &pastGraph{}
	var after store.Key
	if settled { // else it would not be kept
		if earlier := p.take(at); earlier != nil {
			begin, after = earlier, store.Until(earlier.at)
		}
	}
	g, err := p.extend(ctx, begin.graph, after, store.Until(at))
	if err != nil {
		return nil, err
	}
	g.SumUp(ctx) // most are compared with another
	g.Advance(at)
	g.SetClock(func() time.Time { return at })
	if settled {
		p.keep(ctx, &pastGraph{at: at, graph: g})
	}
	return g, nil
}

// find is the graph of a moment, if it is kept.
func (p *past) find(ctx context.Context, at time.Time) *graph.Graph {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.kept, func(x *pastGraph) bool { return x.at.Equal(at) })
	if i < 0 {
		return nil
	}
	found := p.kept[i]
	p.kept = slices.Insert(slices.Delete(p.kept, i, i+1), 0, found)
	p.lend(ctx, found)
	return found.graph
}

// lend counts a user until its context ends.
func (p *past) lend(ctx context.Context, x *pastGraph) {
	x.users++
	context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		x.users--
	})
}

// take takes a graph away that can go on to a moment, where no more can be kept anyway: of
// those of earlier moments that nobody uses, the one that was not used for longest.
func (p *past) take(at time.Time) *pastGraph {
	p.mu.Lock()
	defer p.mu.Unlock()
	best := len(p.kept) - 1
	for best >= 0 && (p.kept[best].users > 0 || !p.kept[best].at.Before(at)) {
		best--
	}
	if best < 0 || len(p.kept) < pastGraphs {
		return nil
	}
	taken := p.kept[best]
	p.kept = slices.Delete(p.kept, best, best+1)
	return taken
}

func (p *past) keep(ctx context.Context, x *pastGraph) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept = slices.Insert(p.kept, 0, x)
	p.kept = p.kept[:min(len(p.kept), pastGraphs)]
	p.lend(ctx, x)
}
