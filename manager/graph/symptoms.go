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
func (v *view) ails(before, now map[string]tally) ailing {
	a := ailing{what: make(map[string]string), well: make(map[string]string)}
	for _, n := range v.sorted {
		switch {
		case n.kind == model.KindHost && n.status != nil && failed(n.status.Kind):
			a.what[n.id] = string(n.status.Kind)
		case n.kind == model.KindHost && n.status == nil && n.heard:
			a.well[n.id] = "its neighbors hear its heartbeats"
		case n.kind == model.KindInterface && n.iface != nil && downed(n.iface):
			a.what[n.id] = "has no carrier"
		}
	}
	for id, d := range now {
		service, old := d.service, before[id]
		switch {
		case v.nodes[service] == nil:
		case d.failed > old.failed:
			a.what[service] = fmt.Sprintf("%d connections to it failed", d.failed-old.failed)
			delete(a.well, service)
		case d.connections > old.connections && a.what[service] == "":
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

// upstream are the nodes whose failure could take a node along, itself among them.
func (v *view) upstream(symptoms []*node) []*node {
	seen := make(map[*node]bool)
	queue := slices.Clone(symptoms)
	var list []*node
	for len(queue) > 0 && len(list) < maxCandidates {
		n := queue[0]
		queue = queue[1:]
		if seen[n] {
			continue
		}
		seen[n] = true
		list = append(list, n)
		queue = append(queue, v.above(n)...)
	}
	return list
}

// maxCandidates bounds what is tried as a cause.
const maxCandidates = 20_000

// above are what a node hangs on directly.
func (v *view) above(n *node) []*node {
	switch n.kind {
	case model.KindService:
		return slices.Concat(n.far(n.in, model.EdgeRuns), n.far(n.out, model.EdgeRunsAs))
	case model.KindProcess:
		return slices.Concat(n.far(n.in, model.EdgeHas), n.far(n.out, model.EdgeDependsOn))
	case model.KindHost:
		return n.far(n.out, model.EdgeOwns)
	case model.KindInterface:
		return n.far(n.out, model.EdgeWiredTo)
	case model.KindSwitchPort:
		return n.far(n.in, model.EdgeHas)
	}
	return nil
}
