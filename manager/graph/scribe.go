package graph

import (
	"bytes"

	"cassini/manager/quick"
	"cassini/model"
)

// scribe writes edges as they are answered, in JSON. It is used again.
type scribe struct {
	view  model.DependencyView
	ahead []ahead
	keep  []keptText
	read  int // what was read ahead, so that it is read
}

// ahead is an edge that is about to be written, and what it is written of.
type ahead struct {
	edge    *edge
	text    *writing
	doc     *dependency // the first of those that tell
	service *service    // at its end, where an agent tells of it
}

// someAhead is how many edges are read ahead of writing.
const someAhead = 64

// write writes edges of dependencies as a part of an answer, which has others before from. It
// ends at one that has no form in JSON.
func (s *scribe) write(v *view, edges []*edge, from int) (pages []*page, bad *edge) {
	defer s.forget()
	p := v.idle.page()
	pages = append(pages, p)
	if from == 0 {
		p.text = append(p.text, '[')
	}
	for i, e := range edges {
		if i%someAhead == 0 {
			s.readAhead(edges[i:min(i+someAhead, len(edges))])
		}
		if len(p.text) >= pageSize {
			p = v.idle.page()
			pages = append(pages, p)
		}
		if from+i > 0 {
			p.text = append(p.text, ',')
		}
		if !s.add(v.g, p, e, s.ahead[i%someAhead].text) {
			return pages, e
		}
	}
	if len(s.keep) > 0 {
		v.g.written.keep(s.keep)
	}
	return pages, nil
}

// forget keeps nothing of a view that may go.
func (s *scribe) forget() {
	clear(s.ahead)
	clear(s.keep)
	s.keep = s.keep[:0]
}

// add writes one edge, or copies what was written of it. Of what is asked for again, the text
// is kept.
func (s *scribe) add(g *Graph, p *page, e *edge, before *writing) bool {
	asked := &g.written.asked
	if before != nil && before != asked && before.words == g.words {
		p.text = append(p.text, before.json...)
		return true
	}
	s.view = model.DependencyView{SeenBy: s.view.SeenBy[:0]}
	e.describeNameless(&s.view)
	text, err := quick.AppendDependency(p.text, &s.view, e.from.id, " -", e.kind.String(), "-> ", e.to.id)
	if err != nil {
		return false
	}
	fresh := text[len(p.text):]
	switch p.text = text; {
	case before == nil:
		e.facts().text.CompareAndSwap(nil, asked)
	case e.lasting():
		s.keep = append(s.keep, keptText{e.facts(), &writing{g.words, bytes.Clone(fresh)}})
	}
	return true
}

// readAhead comes by what edges are written of, one thing of each at a time. It lies all over
// memory, and a processor that has not to wait for one thing to find the next fetches many at
// once, in a third of the time.
func (s *scribe) readAhead(edges []*edge) {
	s.ahead = s.ahead[:0]
	for _, e := range edges {
		s.ahead = append(s.ahead, ahead{edge: e, text: e.facts().text.Load(), service: e.to.service()})
	}
	for i := range s.ahead {
		s.ahead[i].doc = s.ahead[i].edge.facts().docs()[0]
	}
	for _, a := range s.ahead {
		s.read += len(a.doc.host) + int(a.doc.run)
		if a.service != nil {
			s.read += len(a.service.listeners)
		}
	}
	for _, a := range s.ahead {
		s.read += int(a.doc.link.outs) + len(a.doc.counts.block()) + int(a.doc.program.refs) + int(a.edge.to.id[0])
		if a.service != nil {
			s.read += a.service.listeners[0].pid
		}
	}
	for _, a := range s.ahead {
		s.read += int(a.doc.link.client.refs) + int(a.doc.link.target.port)
		if a.service != nil {
			s.read += int(a.service.listeners[0].program.refs)
		}
	}
	for _, a := range s.ahead {
		s.read += int(a.doc.link.target.server.refs)
	}
}
