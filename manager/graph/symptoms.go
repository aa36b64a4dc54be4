package graph

import (
	"fmt"
	"slices"

	"cassini/model"
)

// ailing are the symptoms of a moment, and what is well, by the node's identifier.
type ailing struct {
	what map[string]string
	well map[string]string
}

// ails finds what is not as it should be, and what certainly is, since an earlier moment.
func (v *view) ails(grew map[string]tally) ailing {
	a := ailing{what: make(map[string]string), well: make(map[string]string)}
	for n := range v.all() {
		switch {
		case n.kind == nodeHost && n.status() != nil && failed(n.status().Kind):
			a.what[n.id] = string(n.status().Kind)
		case n.kind == nodeHost && n.status() == nil && n.heard():
			a.well[n.id] = "its neighbors hear its heartbeats"
		case n.kind == nodeInterface && n.iface() != nil && downed(n.iface()):
			a.what[n.id] = "has no carrier"
		}
	}
	for service, d := range grew {
		switch {
		case v.nodes[service] == nil:
		case d.failed > 0:
			a.what[service] = fmt.Sprintf("%d connections to it failed", d.failed)
		case d.connections > 0:
			a.well[service] = "connections to it succeed"
		}
	}
	return a
}

// failed says whether a verdict means that something went wrong on its own.
func failed(k model.VerdictKind) bool {
	return k != model.VerdictStopped && k != model.VerdictShutdown && k != model.VerdictLink
}

// downed is a link that is set up, has no carrier, and once had one.
func downed(i *iface) bool {
	return i.Up && i.Carrier == 0 && i.CarrierChanges > 1 && (i.Kind == "device" || i.Kind == "bond")
}

// symptoms are as people read them, by node.
func (a ailing) symptoms() []model.Symptom {
	list := []model.Symptom{}
	for id, what := range a.what {
		list = append(list, model.Symptom{Node: id, What: what})
	}
	slices.SortFunc(list, func(x, y model.Symptom) int { return natural(x.Node, y.Node) })
	return list
}

// tally is what documents of dependencies count, over all runs.
type tally struct{ connections, failed uint64 }

func (e *edge) tally() (t tally) {
	for _, d := range e.told() {
		c := d.sums()
		t.connections += c.Connections
		t.failed += c.Failed
	}
	return t
}

// growth is by how much the connections to each service became more between two graphs.
func growth(before, now *Graph) map[string]tally {
	grew := make(map[string]tally)
	add := func(e *edge, by tally) {
		sum := grew[e.to.id]
		sum.connections += by.connections
		sum.failed += by.failed
		grew[e.to.id] = sum
	}
	switch before {
	case now:
	case nil:
		now.read(func(v *view) { grown(&view{}, v, add) })
	default:
		readBoth(before, now, func(then, now *view) { grown(then, now, add) })
	}
	return grew
}

// grown tells which dependencies count more than in an earlier view, and by how much.
func grown(then, now *view, tell func(*edge, tally)) {
	merge(then.byID(), now.byID(), func(n *node) string { return n.id }, func(was, is *node) {
		merge(was.to(edgeDependsOn), is.to(edgeDependsOn), func(e *edge) string { return e.to.id }, func(was, is *edge) {
			if is == nil {
				return
			}
			t, old := is.tally(), tally{}
			if was != nil {
				old = was.tally()
			}
			if t.connections > old.connections || t.failed > old.failed {
				tell(is, tally{t.connections - min(t.connections, old.connections), t.failed - min(t.failed, old.failed)})
			}
		})
	})
}

// readBoth runs f on two different graphs as they stand. Both are held meanwhile, the
// earlier one first, so that nobody waits for another who waits for him.
func readBoth(before, now *Graph, f func(then, now *view)) {
	before.read(func(then *view) { now.read(func(v *view) { f(then, v) }) })
}
