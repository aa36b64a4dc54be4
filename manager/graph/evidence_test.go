package graph

import (
	"fmt"
	"testing"
)

// TestTextsAreBounded asks for more than may be kept, again: what was written first is forgotten,
// and answers stay what they were.
func TestTextsAreBounded(t *testing.T) {
	w := newWorld(t)
	const edges = 200
	for i := range edges {
		w.listen("db", fmt.Sprint("/bin/s", i), "10.1.0.1", uint16(i+1))
		w.out("web", "/bin/client", "10.0.0.1", "10.1.0.1", uint16(i+1), n(1))
	}
	kept := func() (texts, bytes int) {
		for _, e := range w.built.allEdges() {
			if e.facts() == nil {
				continue
			}
			if t := e.facts().text.Load(); t != nil && t.json != nil {
				texts, bytes = texts+1, bytes+cap(t.json)
			}
		}
		return texts, bytes
	}
	if _, _, err := w.DependenciesWritten(DependencyFilter{}); err != nil {
		t.Fatal(err)
	}
	if texts, _ := kept(); texts != 0 {
		t.Fatalf("%d texts are kept of what was asked for once", texts)
	}
	w.writtenAsJSON(t)
	if texts, bytes := kept(); texts != edges || bytes != w.written.bytes {
		t.Fatalf("%d texts of %d bytes are kept, want %d of %d", texts, bytes, edges, w.written.bytes)
	}
	w.written.most = w.written.bytes / 4
	for i := range edges { // what is written anew is kept, and puts out the oldest
		w.out("web", "/bin/client", "10.0.0.1", "10.1.0.1", uint16(i+1), n(2))
	}
	w.writtenAsJSON(t)
	if texts, bytes := kept(); texts == 0 || texts > edges/3 || bytes > w.written.most || w.written.bytes > w.written.most {
		t.Fatalf("%d texts of %d bytes are kept, want a fourth of %d and up to %d", texts, bytes, edges, w.written.most)
	}
	if told := w.Written(); told.Bytes != w.written.bytes || told.Limit != w.written.most || told.Forgotten < edges/2 {
		t.Errorf("told %+v", told)
	}
	if len(w.written.list) > 2*edges {
		t.Errorf("%d are remembered", len(w.written.list))
	}
}
