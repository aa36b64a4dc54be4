package graph

import (
	"slices"

	"cassini/manager/quick"
	"cassini/model"
)

// scribe writes edges as they are answered, in JSON, many into one piece of memory. It is
// used again.
type scribe struct {
	view  model.DependencyView
	room  []byte
	fresh []span
}

// span is where the text of an edge is that nobody had asked for: its place among the edges,
// and in the room.
type span struct{ edge, from, end int }

// write writes edges of dependencies as parts of an answer; a part stays nil where it has no form in JSON.
func (s *scribe) write(g *Graph, edges []*edge, parts [][]byte) {
	s.room, s.fresh = s.room[:0], s.fresh[:0]
	for i, e := range edges {
		if t := e.facts.text.Load(); t != nil && t.words == g.words {
			parts[i] = t.json
			continue
		}
		s.view = model.DependencyView{SeenBy: s.view.SeenBy[:0]}
		e.describeNameless(&s.view)
		text, err := quick.AppendDependency(s.room, &s.view, e.from.id, " -", e.kind.String(), "-> ", e.to.id)
		if err == nil {
			s.fresh = append(s.fresh, span{i, len(s.room), len(text)})
			s.room = text
		}
	}
	s.hand(g, edges, parts)
}

// hand makes what was written into parts of the answer, and keeps it for the next.
func (s *scribe) hand(g *Graph, edges []*edge, parts [][]byte) {
	if len(s.fresh) == 0 {
		return
	}
	all, texts := slices.Clone(s.room), make([]writing, len(s.fresh))
	keep := make([]keptText, 0, len(s.fresh))
	rest := len(all)
	for i, f := range s.fresh {
		t := &texts[i]
		*t = writing{g.words, all[f.from:f.end:f.end]}
		parts[f.edge] = t.json
		if e := edges[f.edge]; e.lasting() {
			keep = append(keep, keptText{e.facts, t, len(t.json)})
			rest -= len(t.json)
		}
	}
	if len(keep) > 0 {
		keep[len(keep)-1].bytes += rest
		g.written.keep(keep)
	}
}
