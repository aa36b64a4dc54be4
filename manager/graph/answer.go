package graph

import (
	"fmt"
	"io"
)

// Written is an answer in JSON, as encoding/json writes it without escaping HTML. It is
// ready: its parts never change, and nothing of the graph is held.
type Written struct {
	parts [][]byte
	size  int
}

// Size is how many bytes WriteTo writes.
func (a Written) Size() int { return a.size }

// WriteTo implements io.WriterTo.
func (a Written) WriteTo(w io.Writer) (n int64, err error) {
	for i, part := range a.parts {
		before := ","
		if i == 0 {
			before = "["
		}
		for _, some := range [...][]byte{[]byte(before), part} {
			m, err := w.Write(some)
			if n += int64(m); err != nil {
				return n, fmt.Errorf("write an answer: %w", err)
			}
		}
	}
	end := "]\n"
	if len(a.parts) == 0 {
		end = "[]\n"
	}
	m, err := io.WriteString(w, end)
	return n + int64(m), err
}

// DependenciesWritten is Dependencies in JSON, with a line feed at its end: what of it was
// written before and has not changed is not written again. An error is of a dependency
// that has no form in JSON.
func (g *Graph) DependenciesWritten(f DependencyFilter) (a Written, ok bool, err error) {
	g.read(func(v *view) {
		var found []*edge
		if found, ok = v.dependencies(f); !ok {
			return
		}
		a.parts = make([][]byte, len(found))
		inParts(len(found), renderApart, func(from, end int) {
			s := v.idle.scribes.take()
			defer v.idle.scribes.put(s)
			s.write(g, found[from:end], a.parts[from:end])
		})
		a.size = len("[]\n") + max(len(found)-1, 0)
		for i, part := range a.parts {
			if part == nil {
				err = fmt.Errorf("write %s: a time has no form in JSON", found[i].id())
				return
			}
			a.size += len(part)
		}
	})
	return a, ok, err
}
