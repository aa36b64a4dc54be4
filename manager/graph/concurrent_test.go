package graph

import (
	"fmt"
	"io"
	"sync"
	"testing"
)

// TestQuestionsWhileDocumentsCome asks while the view follows; it is for the race detector.
func TestQuestionsWhileDocumentsCome(t *testing.T) {
	w := newWorld(t)
	r := w.generator(3)
	for range 400 {
		r.any()
	}
	g := New(Limits{})
	done := make(chan struct{})
	var asking sync.WaitGroup
	for range 2 {
		asking.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				for _, n := range g.Nodes(NodeFilter{Limit: 20}) {
					g.Impact(n.ID)
					g.Neighbourhood(n.ID, 2)
					Diagnose(g, g, t0, []string{n.ID}, 5)
				}
				g.SinglePoints("")
				DiffGraphs(w.Graph, g)
				g.Stats()
				g.Strangers()
				g.Dependencies(DependencyFilter{})
				a, _, err := g.DependenciesWritten(DependencyFilter{})
				if _, failed := a.WriteTo(io.Discard); err != nil || failed != nil {
					t.Error(err, failed)
				}
				a.Done()
			}
		})
	}
	for i, d := range w.docs {
		g.Apply(fmt.Sprintf("%08d.%s.%s", i+1, d.Package, d.Host), d)
	}
	close(done)
	asking.Wait()
	if a, b := whole(t, g), whole(t, w.Graph); a != b {
		t.Errorf("graphs differ: %s", difference(a, b))
	}
}
