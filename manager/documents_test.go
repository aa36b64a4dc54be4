package manager

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cassini/model"
)

// TestManyDocumentsAreFollowed accepts more at once than are applied at once, once small
// and once large ones, and replays them.
func TestManyDocumentsAreFollowed(t *testing.T) {
	for name, size := range map[string]int{"many": 2*followed + 1, "large": 3*(8<<20)/(model.MaxBodySize/2) + 1} {
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
			known := func() []model.DependencyView { return ask[[]model.DependencyView](r, "/api/v1/dependencies") }
			before := known()
			if n := len(before); n != size {
				t.Errorf("%d dependencies of %d", n, size)
			}
			if err := r.stop(); err != nil {
				t.Fatal(err)
			}
			r = start(t, dir)
			if after := known(); !reflect.DeepEqual(after, before) {
				t.Errorf("%d dependencies became %d others by a restart", len(before), len(after))
			}
		})
	}
}
