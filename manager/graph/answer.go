package graph

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"sync"
)

// Written is an answer in JSON, as encoding/json writes it without escaping HTML. It is
// ready: it never changes, and nothing of the graph is held.
type Written struct {
	pages []*page
	size  int
	idle  *spare[page]
}

// Size is how many bytes WriteTo writes.
func (a *Written) Size() int { return a.size }

// WriteTo implements io.WriterTo.
func (a *Written) WriteTo(w io.Writer) (n int64, err error) {
	for _, p := range a.pages {
		m, err := w.Write(p.text)
		if n += int64(m); err != nil {
			return n, fmt.Errorf("write an answer: %w", err)
		}
	}
	return n, nil
}

// Done lets the memory be used for other answers. Nothing of this one can be read afterwards.
func (a *Written) Done() {
	for _, p := range a.pages {
		if cap(p.text) <= 2*pageSize {
			p.text = p.text[:0]
			a.idle.put(p)
		}
	}
	a.pages, a.size = nil, 0
}

// page is memory that a part of an answer is written in.
type page struct{ text []byte }

// pageSize is how much is written in one page, and hardly more. Few answers need several.
const pageSize = 64 << 10

func (i *idle) page() *page {
	p := i.pages.take()
	if p.text == nil {
		p.text = make([]byte, 0, pageSize+pageSize/8)
	}
	return p
}

// DependenciesWritten is Dependencies in JSON, with a line feed at its end. Its texts are kept
// of what was asked for before, and are not written again until something changes. An error is of
// a dependency that has no form in JSON.
func (g *Graph) DependenciesWritten(f DependencyFilter) (a Written, ok bool, err error) {
	g.read(func(v *view) {
		var found []*edge
		if found, ok = v.dependencies(f); !ok {
			return
		}
		a.idle = &v.idle.pages
		var bad *edge
		if a.pages, bad = v.write(found); bad != nil {
			err = fmt.Errorf("write %s: a time has no form in JSON", bad.id())
			return
		}
		for _, p := range a.pages {
			a.size += len(p.text)
		}
	})
	return a, ok, err
}

// write writes edges of dependencies, or tells of one that has no form in JSON.
func (v *view) write(edges []*edge) (pages []*page, bad *edge) {
	if len(edges) <= renderApart {
		pages, bad = v.writePart(edges, 0)
	} else {
		pages, bad = v.writeApart(edges)
	}
	if bad == nil {
		last := pages[len(pages)-1]
		last.text = append(last.text, "]\n"...)
	}
	return pages, bad
}

// writePart writes a part of an answer, which has other edges before from.
func (v *view) writePart(edges []*edge, from int) (pages []*page, bad *edge) {
	s := v.idle.scribes.take()
	defer v.idle.scribes.put(s)
	return s.write(v, edges, from)
}

func (v *view) writeApart(edges []*edge) (pages []*page, bad *edge) {
	type part struct {
		from  int
		pages []*page
		bad   *edge
	}
	var mu sync.Mutex
	var parts []part
	inParts(len(edges), renderApart, func(from, end int) {
		p := part{from: from}
		p.pages, p.bad = v.writePart(edges[from:end], from)
		mu.Lock()
		defer mu.Unlock()
		parts = append(parts, p)
	})
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.from, b.from) })
	for _, p := range parts {
		if pages = append(pages, p.pages...); p.bad != nil {
			return nil, p.bad
		}
	}
	return pages, nil
}
