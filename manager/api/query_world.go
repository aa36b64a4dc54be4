package api

import (
	"sync"
	"weak"

	"cassini/manager/cypher/memory"
	"cassini/manager/cypher/world"
	"cassini/manager/graph"
)

// worlds makes graphs for queries. It keeps the last one as long as the garbage
// collector does, for questions come in rows, a graph that heard no document is
// the same as before, and rendering one is most of what a query costs.
type worlds struct {
	mu        sync.Mutex
	of        weak.Pointer[graph.Graph]
	documents uint64 // that it had heard
	world     weak.Pointer[memory.Graph]
}

// get is the graph as it stands now.
func (w *worlds) get(g *graph.Graph) *memory.Graph {
	before := g.Stats().Documents
	if kept := w.find(g, before); kept != nil {
		return kept
	}
	made := world.Of(g.Graph(graph.GraphFilter{}))
	if g.Stats().Documents == before { // else it is of a moment between two documents that nobody can name
		w.keep(g, before, made)
	}
	return made
}

func (w *worlds) find(g *graph.Graph, documents uint64) *memory.Graph {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of.Value() != g || w.documents != documents {
		return nil
	}
	return w.world.Value()
}

func (w *worlds) keep(g *graph.Graph, documents uint64, made *memory.Graph) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.of, w.documents, w.world = weak.Make(g), documents, weak.Make(made)
}
