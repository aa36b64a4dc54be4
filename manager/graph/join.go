package graph

import (
	"slices"

	"cassini/model"
)

// joinLink joins both ends of the same connections. The link is not joined yet.
func (v *view) joinLink(l *link) {
	for _, d := range l.docs() {
		d.edge = nil
		d.joinsAnew()
	}
	for _, d := range l.outDocs() {
		if v.g.translations.branches[d] != nil {
			continue // they join
		}
		ins := v.g.sameConnections(d)
		server := v.g.dialledAs(d, ins)
		d.edge = v.dependsOn(v.process(d.host, d.program), server)
		v.attach(d.edge, d)
		for _, in := range ins {
			if len(ins) == 1 || v.g.serviceOf(in).id == server.id {
				in.isJoined()
				v.attach(d.edge, in)
			}
		}
	}
	for _, d := range l.inDocs() {
		if !d.joined() {
			d.edge = v.dependsOn(v.client(d), v.g.serviceOf(d))
			v.attach(d.edge, d)
		}
	}
}

func (v *view) dependsOn(client *node, server end) *edge {
	to, _ := v.node(server.id, nodeService, server.host)
	return v.edge(edgeDependsOn, client, to)
}

// client is the node of the client of an In document that is not joined: the one
// process that has the other end of these connections (to an earlier service on
// the same address), else what the address tells.
func (v *view) client(d *dependency) *node {
	outs := v.g.sameConnections(d)
	differs := func(o *dependency) bool { return o.host != outs[0].host || o.program.path != outs[0].program.path }
	if len(outs) > 0 && !slices.ContainsFunc(outs, differs) {
		return v.process(outs[0].host, outs[0].program)
	}
	e := v.g.clientOf(d)
	if e.kind == nodeHost {
		return v.host(e.host)
	}
	n, _ := v.node(e.id, e.kind, "")
	return n
}

// attach puts a document behind an edge. Several Out documents may have joined one In.
func (v *view) attach(e *edge, d *dependency) {
	e.unwrite()
	if d.direction() == model.Out {
		at, _ := slices.BinarySearchFunc(e.outs(), d, (*dependency).compareNames)
		e.facts().insert(at, d)
		e.held++
		return
	}
	if slices.Contains(e.ins(), d) {
		return
	}
	at := len(e.outs())
	if len(e.ins()) > 0 {
		before, _ := slices.BinarySearchFunc(e.ins(), d, (*dependency).compareNames)
		at += before
	}
	e.facts().insert(at, d)
	v.state(e.to, func() { e.to.told++ })
	if e.to.fact == nil { // nothing else tells what runs there
		v.hold(edgeRuns, v.host(d.host), e.to)
		v.hold(edgeRunsAs, e.to, v.process(d.host, d.program))
	}
}

// parts undoes joinLink, as long as no document of the link has gone and nothing else has
// changed in the view.
func (v *view) partLink(l *link) {
	for _, d := range l.docs() {
		if d.edge != nil {
			v.strip(d.edge, l)
			d.edge = nil
		}
	}
}

// strip takes the documents of a link away from an edge.
func (v *view) strip(e *edge, l *link) {
	e.unwrite()
	outs := int(e.held)
	some := e.facts().drop(func(at int, d *dependency) bool {
		switch {
		case d.link != l:
			return false
		case at < outs:
			e.held--
		default:
			v.untell(e, d)
		}
		return true
	})
	if some && len(e.facts().docs()) == 0 { // else it was done for another document of the link
		v.cut(e)
	}
}

// untell takes back that an In document tells of the service of an edge.
func (v *view) untell(e *edge, d *dependency) {
	v.state(e.to, func() { e.to.told-- })
	if e.to.fact == nil {
		v.release(v.find(edgeRuns, v.host(d.host), e.to))
		v.release(v.find(edgeRunsAs, e.to, v.named(d.program.id(d.host))))
	}
}
