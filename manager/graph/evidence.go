package graph

import (
	"slices"
	"sync"
	"sync/atomic"

	"cassini/model"
)

// evidence is what documents tell of a depends_on edge: Out ones, then In ones, each by name.
type evidence struct {
	docList
	text atomic.Pointer[writing]
}

// writing is an edge as answers have it, in JSON. It never changes.
type writing struct {
	words uint64 // of the graph when it was written
	json  []byte
}

// maxWritten bounds the texts of edges that are kept for the next question, in bytes.
const maxWritten = 64 << 20

// written are the texts of edges that somebody asked for twice, the oldest first. It outlives
// views, and is safe for concurrent use.
type written struct {
	most  int     // bytes; set once
	asked writing // stands for the text of what somebody asked for once
	mu    sync.Mutex
	list  []keptText
	first int // of list that is kept
	bytes int
	gone  uint64 // texts that were forgotten to make room
}

// Written are the figures of texts that are kept, which depend on what was asked and not on
// documents alone as Stats do.
func (g *Graph) Written() model.Kept {
	w := &g.written
	w.mu.Lock()
	defer w.mu.Unlock()
	return model.Kept{Bytes: w.bytes, Limit: w.most, Forgotten: w.gone}
}

type keptText struct {
	of   *evidence
	text *writing
}

// keep remembers texts, and forgets old ones for them.
func (w *written) keep(texts []keptText) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range texts {
		t.of.text.Store(t.text)
		w.bytes += cap(t.text.json)
	}
	w.list = append(w.list, texts...)
	for ; w.bytes > w.most && w.first < len(w.list); w.first++ {
		old := w.list[w.first]
		w.bytes -= cap(old.text.json)
		old.of.text.CompareAndSwap(old.text, nil)
		w.list[w.first] = keptText{}
		w.gone++
	}
	if w.first > len(w.list)/2 {
		w.list = slices.Delete(w.list, 0, w.first)
		w.first = 0
	}
}

// unwrite forgets the text of an edge whose documents, or what they are about, change.
func (e *edge) unwrite() {
	if f := e.facts(); f != nil && f.text.Load() != nil {
		f.text.Store(nil)
	}
}

// unwriteClients forgets those of the edges to a service.
func (n *node) unwriteClients() {
	for _, e := range n.in() {
		e.unwrite()
	}
}

// lasting says whether whatever the edge's text is made of forgets it when it changes: not
// so where processes of several documents are compared, or where the edge has a part of
// what a document tells.
func (e *edge) lasting() bool {
	if len(e.outs()) == 0 && e.from.kind == nodeProcess || e.to.fact == nil && e.to.told > 0 {
		return false
	}
	return !slices.ContainsFunc(e.facts().docs(), func(d *dependency) bool { return d.branch() != nil })
}
