package graph

import (
	"slices"
	"strings"

	"cassini/manager/groups"
	"cassini/manager/moment"
	"cassini/model"
)

// Grouping are the facts that groups are made of, by one of model.GroupKeys. label
// is the key of the labels that are meant, "" for all; tenants are those of hosts, which
// documents do not tell.
func (g *Graph) Grouping(by, label string, tenants map[string]string) (f groups.Facts) {
	g.read(func(v *view) {
		k := keyed{view: v, by: by, label: label, tenants: tenants, ofHost: make(map[string][]string)}
		at := make(map[*node]int)
		for n := range v.byID() {
			if names := k.names(n); names != nil {
				at[n] = len(f.Things)
				t := n.thing(names)
				t.Down = v.dead(n.host())
				f.Things = append(f.Things, t)
			}
		}
		for _, e := range v.allEdges() {
			from, known := at[e.from]
			to, both := at[e.to]
			if e.kind == edgeDependsOn && known && both {
				f.Links = append(f.Links, groups.Link{From: from, To: to, GroupFigures: e.figures()})
			}
		}
	})
	return f
}

// keyed tells the groups of nodes by a key.
type keyed struct {
	*view
	by      string
	label   string              // the key of labels that is meant, "" for all
	tenants map[string]string   // of hosts
	ofHost  map[string][]string // that were worked out
}

// names are the groups that a node is in; none when it is no member.
func (k *keyed) names(n *node) []string {
	switch n.kind {
	case nodeHost:
		if k.ofHosts() {
			return k.host(n.host())
		}
		if n.depends() {
			return []string{""} // a client of which nothing tells the program
		}
		return nil
	case nodeUnknownHost:
		if n.depends() {
			return []string{""}
		}
		return nil
	case nodeService, nodeProcess:
		if !k.ofHosts() {
			return []string{k.program(n)}
		}
		if n.host() == "" {
			return []string{""}
		}
		return k.host(n.host())
	}
	return nil
}

// ofHosts says whether the key is about hosts rather than about what runs on them.
func (k *keyed) ofHosts() bool {
	switch k.by {
	case model.GroupByLabel, model.GroupByTenant, model.GroupBySubnet, model.GroupBySwitch, model.GroupByRing:
		return true
	}
	return false
}

func (n *node) depends() bool {
	return slices.ContainsFunc(n.out(), func(e *edge) bool { return e.kind == edgeDependsOn })
}

// program is the one group of a service or a program.
func (k *keyed) program(n *node) string {
	p, ok := n.owner()
	if !ok {
		return ""
	}
	if k.by == model.GroupByExecutable {
		return strings.TrimSuffix(p.Exe, " (deleted)")
	}
	w := n.g.containers.where(n.host(), p)
	if w == nil {
		return ""
	}
	switch k.by {
	case model.GroupByUnit:
		return model.LastingUnit(w.Unit)
	case model.GroupByImage:
		return w.Image
	case model.GroupByNamespace:
		return w.Namespace
	case model.GroupByProject:
		return w.Project
	}
	return ""
}

// owner is the process behind a service or a program.
func (n *node) owner() (model.Process, bool) {
	switch {
	case n.kind == nodeProcess:
		return n.latest()
	case n.service() != nil:
		owner := n.service().owner()
		return owner.program.as(owner.pid), true
	}
	if d := latestOf(n.owners()); d != nil {
		return d.process(), true
	}
	return model.Process{}, false
}

// host are the groups of a host and of all that is on it, "" where it has none.
func (k *keyed) host(name string) []string {
	if names, ok := k.ofHost[name]; ok {
		return names
	}
	names := k.hostNames(name)
	if names = tidy(names); len(names) == 0 {
		names = []string{""}
	}
	k.ofHost[name] = names
	return names
}

func (k *keyed) hostNames(name string) (names []string) {
	n := k.named(model.HostID(name))
	if n == nil {
		return nil
	}
	switch k.by {
	case model.GroupByLabel:
		names = k.g.labels[name].Groups(k.label)
	case model.GroupByTenant:
		if tenant := k.tenants[name]; tenant != "" {
			names = append(names, tenant)
		}
	case model.GroupByRing:
		for _, e := range n.out() {
			if r := e.to.ring(); r != nil && e.kind == edgeIn {
				names = append(names, string(r.ID))
			}
		}
	case model.GroupBySubnet, model.GroupBySwitch:
		want := map[string]string{model.GroupBySubnet: model.KindSubnet, model.GroupBySwitch: model.KindSwitch}[k.by]
		for _, e := range n.out() {
			if e.kind != edgeOwns || !e.to.outward() {
				continue
			}
			k.below(e.to, func(kind, _, name, _ string) {
				if kind == want {
					names = append(names, name)
				}
			})
		}
	}
	return names
}

// outward says whether an interface joins its host to others: those of other network
// namespaces do not, and bridges only through an interface that is no container's.
func (n *node) outward() bool {
	if n.iface().Netns != "" {
		return false
	}
	if n.iface().Kind != "bridge" {
		return true
	}
	return slices.ContainsFunc(n.in(), func(e *edge) bool {
		return e.kind == edgeOn && e.from.iface() != nil && e.from.iface().Kind != "veth" && e.from.iface().Kind != "tun"
	})
}

// dead says whether a host is known to be.
func (v *view) dead(host string) bool {
	n := v.named(model.HostID(host))
	return n != nil && n.status() != nil && gone(n.status().Kind)
}

// gone says whether a verdict is of a host that is no more, and not of its agent alone.
func gone(k model.VerdictKind) bool { return k == model.VerdictCrashed || k == model.VerdictShutdown }

// thing is a node as a member.
func (n *node) thing(names []string) groups.Thing {
	t := groups.Thing{ID: n.id, Kind: n.kind.String(), Host: n.host(), Groups: names, Alive: true}
	_, t.Flapping = n.g.flaps.Of(n.id, n.g.now())
	switch n.kind {
	case nodeHost:
		t.State, t.Births = n.stands(), 1
		if n.facts() != nil {
			t.Since = n.facts().firstSeen.Time()
		}
		if t.Alive = n.status() == nil || !gone(n.status().Kind); !t.Alive {
			t.Deaths = 1
		}
	case nodeService:
		t.State = n.state()
		t.Alive = t.State == model.StateListening
		if n.service() != nil {
			l := n.service().lives()
			t.Since, t.Births, t.Deaths = n.service().since.Time(), l.Births, l.Deaths
		}
	case nodeProcess:
		var first moment.Moment
		for _, e := range n.out() {
			for _, d := range e.outs() {
				if first.IsZero() || d.firstSeen.Before(first) {
					first = d.firstSeen
				}
			}
		}
		l, _, _ := n.lives()
		t.Since, t.Births, t.Deaths = first.Time(), l.Births, l.Deaths
	}
	return t
}

// figures are what a dependency did, as its client saw it where that has an agent.
func (e *edge) figures() model.GroupFigures {
	c := sumOf(e.told())
	f := model.GroupFigures{Connections: c.Connections, Failed: c.Failed, Open: c.Open, BytesSent: c.BytesSent, BytesReceived: c.BytesReceived}
	if len(e.outs()) == 0 {
		f.BytesSent, f.BytesReceived = f.BytesReceived, f.BytesSent
	}
	return f
}
