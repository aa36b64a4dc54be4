package graph

import (
	"fmt"
	"testing"
)

// TestManyEdgesOfANode joins a program with more services than are gone through one by one, with each
// from two addresses: at once, and document by document.
func TestManyEdgesOfANode(t *testing.T) {
	for _, services := range []int{1, fewEdges - 1, fewEdges, fewEdges + 1, 3 * fewEdges} {
		w := newWorld(t)
		w.expect() // from here on what comes is followed
		for _, client := range []string{"10.0.0.1", "10.0.0.2"} {
			for i := range services {
				w.out("web", "/app", client, fmt.Sprintf("10.1.0.%d", i+1), 443, n(1))
			}
		}
		if got := len(w.edges(DependencyFilter{})); got != services {
			t.Fatalf("%d edges are followed, want %d", got, services)
		}
		again, _ := replay(w.docs)
		if a, b := state(t, w.Graph), state(t, again); a != b {
			t.Errorf("with %d services graphs differ at %s", services, difference(a, b))
		}
	}
}
