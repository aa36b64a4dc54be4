package graph

import (
	"slices"
	"sync"
	"sync/atomic"

	"cassini/model"
)

// evidence is what documents tell of a depends_on edge: mostly one of the client's end and one
// of the service's.
type evidence struct {
	few  [2]*dependency
	many *[]*dependency // all, where few are not enough
	text atomic.Pointer[writing]
}

// docs are the documents: Out ones, then In ones, each by name. Nobody may change the list.
func (e *evidence) docs() []*dependency {
	if e.many != nil {
		return *e.many
	}
	return e.few[:b2i(e.few[0] != nil)+b2i(e.few[1] != nil)]
}

func (e *evidence) insert(at int, d *dependency) {
	switch docs := e.docs(); {
	case e.many != nil:
		*e.many = slices.Insert(docs, at, d)
	case len(docs) < len(e.few):
		copy(e.few[at+1:], docs[at:])
		e.few[at] = d
	default:
		list := slices.Insert(slices.Clone(docs), at, d)
		e.few, e.many = [2]*dependency{}, &list
	}
}

// drop takes away the documents that are gone, of which it asks for one after the other. It is
// false when there is none.
func (e *evidence) drop(gone func(at int, d *dependency) bool) bool {
	docs := e.docs()
	kept := docs[:0]
	for at, d := range docs {
		if !gone(at, d) {
			kept = append(kept, d)
		}
	}
	clear(docs[len(kept):])
	switch {
	case e.many == nil:
	case len(kept) > len(e.few):
		*e.many = kept
	default:
		copy(e.few[:], kept)
		e.many = nil
	}
	return len(kept) < len(docs)
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
	if e.facts != nil && e.facts.text.Load() != nil {
		e.facts.text.Store(nil)
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
	return !slices.ContainsFunc(e.facts.docs(), func(d *dependency) bool { return d.branch() != nil })
}
