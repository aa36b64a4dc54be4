package graph

import (
	"fmt"
	"slices"
	"testing"

	"cassini/model"
)

// TestOrderIsGivenUp lets hosts come and go for long after somebody asked for an order: what
// waits to be put in order has a bound, and who asks again gets all.
func TestOrderIsGivenUp(t *testing.T) {
	w := newWorld(t)
	w.put(model.Name{Host: "a", Package: model.PackageOS}, model.OS{Name: "Debian"})
	w.Nodes(NodeFilter{}) // in order
	w.dueMost = -1        // and from now on followed at once
	most := 0
	for i := range 3 * lateMost {
		host := fmt.Sprint("h", i)
		w.put(model.Name{Host: host, Package: model.PackageOS}, model.OS{Name: "Debian"})
		if i%100 > 0 {
			w.put(model.Name{Host: host, Package: model.PackageForgotten}, nil)
		}
		most = max(most, len(w.built.inOrder.late)+len(w.built.inOrder.gone))
	}
	if bound := lateMost + lateMost/2; most < lateMost || most > bound {
		t.Errorf("%d wait to be put in order, want %d to %d", most, lateMost, bound)
	}
	var got []string
	for _, n := range w.Nodes(NodeFilter{}) {
		got = append(got, n.ID)
	}
	if want := 1 + (3*lateMost+99)/100; len(got) != want || !slices.IsSorted(got) {
		t.Errorf("%d nodes, want %d in order", len(got), want)
	}
}
