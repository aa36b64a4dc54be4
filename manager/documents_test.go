package manager

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"cassini/model"
)

// TestManyDocumentsAreFollowed accepts more at once than are applied at once, once small
// and once large ones, and replays them.
func TestManyDocumentsAreFollowed(t *testing.T) {
	for name, size := range map[string]int{"many": 2*followed + 1, "large": 3*followedSize/(model.MaxBodySize/2) + 1} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r := start(t, dir)
			var docs []model.Document
			for i := range size {
				d := dependency(fmt.Sprint("web-", i), "curl", 80, 1)
				if name == "large" {
					d.Body = slices.Concat(d.Body[:len(d.Body)-1], []byte(`,"more":"`+strings.Repeat("x", model.MaxBodySize/2)+`"}`))
				}
				docs = append(docs, d)
			}
			r.accept(docs...)
			count := func() int { return len(ask[[]model.DependencyView](r, "/api/v1/dependencies")) }
			if n := count(); n != size {
				t.Errorf("%d dependencies of %d", n, size)
			}
			if err := r.stop(); err != nil {
				t.Fatal(err)
			}
			r = start(t, dir)
			if n := count(); n != size {
				t.Errorf("%d dependencies of %d after a restart", n, size)
			}
		})
	}
}
