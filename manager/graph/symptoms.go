package graph

import (
	"fmt"
	"slices"

	"cassini/model"
)

// ailing tells of a moment what is not as it should be, and what certainly is.
type ailing struct {
	now  *view
	grew map[string]tally // connections to services since an earlier moment
}

func (v *view) ails(grew map[string]tally) *ailing { return &ailing{now: v, grew: grew} }

// here is the node of that moment, also for one of another moment; nil where it is not there.
func (a *ailing) here(n *node) *node {
	if n.g == a.now.g {
		return n
	}
	return a.now.named(n.id)
}

// what is wrong with a node, or nothing.
func (a *ailing) what(n *node) string {
	if n = a.here(n); n == nil {
		return ""
	}
	switch {
	case n.kind == nodeHost && n.status() != nil && failed(n.status().Kind):
		return string(n.status().Kind)
	case n.kind == nodeInterface && n.iface() != nil && downed(n.iface()):
		return "has no carrier"
	case n.kind == nodeService && a.grew[n.id].failed > 0:
		what := fmt.Sprintf("%d connections to it failed", a.grew[n.id].failed)
		if n.ended() {
			what = "it has ended, and " + what
		}
		return what
	}
	return ""
}

// well is how it is known that a node is as it should be, if it is.
func (a *ailing) well(n *node) string {
	if n = a.here(n); n == nil {
		return ""
	}
	switch n.kind {
	case nodeHost:
		if _, told := n.g.incidents.Status(n.host()); !told && n.heard() {
			return "its neighbors hear its heartbeats"
		}
	case nodeService:
		s, told := n.g.incidents.Status(n.host())
		if n.ended() || told && failed(s.Kind) {
			return "" // connections succeeded before
		}
		if t := a.grew[n.id]; t.failed == 0 && t.connections > 0 {
			return "connections to it succeed"
		}
	}
	return ""
}

// symptoms are all that ails, as people read it.
func (a *ailing) symptoms() []model.Symptom {
	list := []model.Symptom{}
	take := func(n *node) {
		if what := a.what(n); what != "" {
			list = append(list, model.Symptom{Node: n.id, What: what})
		}
	}
	for n := range a.now.all() {
		if n.kind == nodeHost || n.kind == nodeInterface {
			take(n)
		}
	}
	for id := range a.grew {
		if n := a.now.named(id); n != nil {
			take(n)
		}
	}
	slices.SortFunc(list, func(x, y model.Symptom) int { return natural(x.Node, y.Node) })
	return list
}

// failed says whether a verdict means that something went wrong on its own.
func failed(k model.VerdictKind) bool {
	return k != model.VerdictStopped && k != model.VerdictShutdown && k != model.VerdictLink
}

// downed is a link that is set up, has no carrier, and once had one.
func downed(i *iface) bool {
	return i.Up && i.Carrier == 0 && i.CarrierChanges > 1 && (i.Kind == "device" || i.Kind == "bond")
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

// elsewhere is what the documents of an edge had counted in an earlier graph, where they told of
// another: their address has moved to another host since.
func (e *edge) elsewhere(then *Graph) (t tally) {
	for _, d := range e.told() {
		if old := then.dependency(d.name()); old != nil {
			c := old.sums()
			t.connections += c.Connections
			t.failed += c.Failed
		}
	}
	return t
}

// growth is by how much the connections to each service became more between two views.
func growth(then, now *view) map[string]tally {
	grew := make(map[string]tally)
	grown(then, now, func(e *edge, by tally) {
		sum := grew[e.to.id]
		sum.connections += by.connections
		sum.failed += by.failed
		grew[e.to.id] = sum
	})
	return grew
}

// grown tells which dependencies count more than in an earlier view, and by how much.
func grown(then, now *view, tell func(*edge, tally)) {
	each := func(int32, int32) bool { return false }
	sideBySide(then.ordered(), now.ordered(), each, func(was, is *node) {
		mergeEdges(was, is, edgeDependsOn, func(was, is *edge) {
			if is == nil {
				return
			}
			t, old := is.tally(), tally{}
			if was != nil {
				old = was.tally()
			} else if then.g != nil {
				old = is.elsewhere(then.g)
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
