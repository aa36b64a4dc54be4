package graph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"cassini/model"
)

// OverviewOf tells an estate on one screen: what there is, what ails since an earlier
// moment, what came and went since, and what must not die. No list is longer than limit.
func OverviewOf(before, now *Graph, limit int) model.Overview {
	d := DiffGraphs(before, now)
	o := model.Overview{There: now.there(), Sick: now.ailments(before, d.Flapping)}
	o.Sick = o.Sick[:min(len(o.Sick), limit)]
	o.Came, o.Went = grouped(d.Came, limit), grouped(d.Went, limit)
	o.SinglePoints = now.mustNotDie(limit)
	return o
}

// mustNotDie are the first few single points of failure, but for services that take along
// nothing but what the same program runs: it is its own client, as a command line is that
// asks the daemon of the same executable.
func (g *Graph) mustNotDie(limit int) []model.SinglePoint {
	points, _ := g.SinglePoints("")
	list := points[:0]
	g.read(func(v *view) {
		f := v.falling()
		defer f.done()
		for _, p := range points {
			if len(list) == limit {
				return
			}
			if n := v.named(p.ID); n == nil || !f.selfish(n, p) {
				list = append(list, p)
			}
		}
	})
	return list
}

// selfish says whether all that falls with a service is run by the programs that run it.
func (f *falling) selfish(n *node, p model.SinglePoint) bool {
	if n.kind != nodeService || p.Hosts > 0 {
		return false
	}
	programs := n.far(n.out(), edgeRunsAs)
	runs := 0
	for _, program := range programs {
		runs += len(program.far(program.in(), edgeRunsAs))
	}
	if runs < p.Services {
		return false
	}
	f.from(n)
	for _, i := range f.touched {
		victim := f.v.list[i]
		if victim == n || victim.kind != nodeService || victim.ended() || f.effect(victim) < affected {
			continue
		}
		if !slices.ContainsFunc(victim.far(victim.out(), edgeRunsAs), func(program *node) bool { return slices.Contains(programs, program) }) {
			return false
		}
	}
	return true
}

// ProblemsOf are all that ails an estate since an earlier moment, with the services that
// went since, and nothing else; at most limit.
func ProblemsOf(before, now *Graph, limit int) model.Overview {
	o := model.Overview{There: map[string]int{}, Came: []model.Group{}, Went: []model.Group{}, SinglePoints: []model.SinglePoint{}}
	d := DiffGraphs(before, now)
	o.Sick = now.ailments(before, d.Flapping)
	for _, c := range d.Went {
		if c.Kind == model.KindService && !slices.ContainsFunc(o.Sick, func(a model.Ailment) bool { return a.Node == c.ID }) {
			o.Sick = append(o.Sick, model.Ailment{Node: c.ID, What: "is gone"})
		}
	}
	o.Sick = o.Sick[:min(len(o.Sick), limit)]
	return o
}

// ailments are what is flapping, deaths, failing dependencies, links without a carrier and
// cables whose ends differ. What is flapping is told as that alone.
func (g *Graph) ailments(before *Graph, flapping []model.Flapping) []model.Ailment {
	list := g.deaths()
	list = append(list, failing(before, g)...)
	list = append(list, g.linksDown()...)
	for _, p := range g.Ports(PortFilter{}) {
		if len(p.Differences) > 0 {
			list = append(list, model.Ailment{Node: p.ID, What: "the ends of its cable differ: " + strings.Join(p.Differences, "; ")})
		}
	}
	known := make(map[string]bool)
	unsteady := []model.Ailment{}
	for _, f := range flapping {
		known[f.ID] = true
		window := time.Duration(f.WindowSeconds) * time.Second
		unsteady = append(unsteady, model.Ailment{Node: f.ID, What: fmt.Sprintf("is flapping: %d changes in %.0f minutes; now: %s", f.Changes, window.Minutes(), f.State)})
	}
	list = slices.DeleteFunc(list, func(a model.Ailment) bool { return known[a.Node] })
	return append(unsteady, list...)
}

func (g *Graph) there() map[string]int {
	s := g.Stats()
	there := map[string]int{"dependency": s.Edges[model.EdgeDependsOn], model.KindService: s.Services[model.StateListening]}
	for _, kind := range []string{model.KindHost, model.KindSwitch, model.KindUnknownHost} {
		there[kind] = s.Nodes[kind]
	}
	return there
}

// failing are dependencies that failed since, the most often first.
func failing(before, now *Graph) (list []model.Ailment) {
	if before == now {
		return nil
	}
	type worse struct {
		id string
		by uint64
	}
	var all []worse
	readBoth(before, now, func(then, now *view) {
		grown(then, now, func(e *edge, by tally) {
			if by.failed > 0 {
				all = append(all, worse{e.id(), by.failed})
			}
		})
	})
	slices.SortFunc(all, func(a, b worse) int { return cmp.Or(cmp.Compare(b.by, a.by), strings.Compare(a.id, b.id)) })
	for _, w := range all {
		list = append(list, model.Ailment{Node: w.id, What: fmt.Sprintf("failed to connect %d times", w.by)})
	}
	return list
}

// linksDown are interfaces that are set up and have no carrier, but for those that never
// had one.
func (g *Graph) linksDown() (list []model.Ailment) {
	for _, i := range g.Interfaces("") {
		if i.Up && i.Carrier == 0 && i.CarrierChanges > 1 && (i.Kind == "device" || i.Kind == "bond") {
			list = append(list, model.Ailment{Node: i.ID, What: "has no carrier"})
		}
	}
	return list
}

// grouped counts changes by kind, the most of a kind first.
func grouped(changes []model.Change, limit int) []model.Group {
	groups := []model.Group{}
	for i := 0; i < len(changes); { // they come by kind
		end := i
		for end < len(changes) && changes[end].Kind == changes[i].Kind {
			end++
		}
		of := changes[i:end]
		g := model.Group{Kind: of[0].Kind, Count: len(of), First: []string{}, Functions: functions(of, limit)}
		for _, c := range of[:min(len(of), limit)] {
			g.First = append(g.First, strings.TrimPrefix(c.ID, c.Kind+":"))
		}
		groups = append(groups, g)
		i = end
	}
	slices.SortStableFunc(groups, func(a, b model.Group) int { return cmp.Compare(b.Count, a.Count) })
	return groups
}

// functions folds changes of a kind that differ in their hosts alone.
func functions(changes []model.Change, limit int) []string {
	type function struct {
		name  string
		count int
		hosts map[string]bool
	}
	var order []*function
	by := make(map[string]*function)
	for _, c := range changes {
		name := strings.TrimPrefix(c.ID, c.Kind+":")
		bare := withoutHosts(c, name)
		f := by[bare]
		if f == nil {
			if f = (&function{name: name, hosts: make(map[string]bool)}); bare != name && c.Kind == model.EdgeDependsOn {
				f.name = c.Host + "/" + bare
			}
			by[bare] = f
			order = append(order, f)
		} else {
			f.name = bare
		}
		f.count++
		f.hosts[c.Host] = true
	}
	slices.SortStableFunc(order, func(a, b *function) int { return cmp.Compare(b.count, a.count) })
	texts := []string{}
	for _, f := range order[:min(len(order), limit)] {
		switch {
		case f.count == 1:
			texts = append(texts, f.name)
		case len(f.hosts) == 1:
			texts = append(texts, fmt.Sprintf("%s, %d times", f.name, f.count))
		default:
			texts = append(texts, fmt.Sprintf("%s on %d hosts", f.name, len(f.hosts)))
		}
	}
	if more := len(order) - limit; more > 0 {
		texts = append(texts, fmt.Sprintf("%d others", more))
	}
	return texts
}

// NameFunctions says of each change what it is but for its host, so that changes that differ
// in their hosts alone can be folded.
func NameFunctions(d model.Diff) {
	for _, list := range [][]model.Change{d.Came, d.Went, d.Changed} {
		for i, c := range list {
			name := strings.TrimPrefix(c.ID, c.Kind+":")
			if bare := withoutHosts(c, name); bare != name {
				list[i].Function = bare
			}
		}
	}
}

// withoutHosts is what is left of a name where it says on which host a service is or a
// dependency begins and ends.
func withoutHosts(c model.Change, name string) string {
	switch c.Kind {
	case model.KindService, model.KindInterface:
		if rest, ok := strings.CutPrefix(name, c.Host+"/"); ok && c.Host != "" {
			return rest
		}
	case model.EdgeDependsOn:
		from, to, ok := strings.Cut(name, " -"+model.EdgeDependsOn+"-> ")
		if !ok {
			return name
		}
		from = last(from)
		if at := strings.LastIndexByte(to, '/'); at > 0 && !strings.HasSuffix(to, "/udp") {
			to = to[at+1:]
		}
		return from + " > " + strings.TrimPrefix(to, model.KindService+":")
	}
	return name
}
