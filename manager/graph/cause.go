package graph

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"cassini/model"
)

// Diagnose finds the fewest failures that explain what ails the estate since an earlier
// moment, or the nodes that are named, the likeliest first. unknown is the first of these
// that is not there.
func Diagnose(before, now *Graph, since time.Time, named []string, limit int) (d model.Diagnosis, unknown string) {
	d = model.Diagnosis{Since: since.UTC(), Symptoms: []model.Symptom{}, Explanations: []model.Explanation{}}
	old, current := tallies(before), tallies(now)
	var a ailing
	now.read(func(v *view) {
		a = v.ails(old, current)
		for _, id := range named {
			if v.nodes[id] == nil && unknown == "" {
				unknown = id
			}
			d.Symptoms = append(d.Symptoms, model.Symptom{Node: id, What: cmp.Or(a.what[id], "named")})
		}
	})
	if unknown != "" {
		return d, unknown
	}
	if len(named) == 0 {
		d.Symptoms = a.symptoms()
	}
	d.Explanations = now.explain(a, d.Symptoms, limit)
	// What has died since has no cables in the graph any more: the earlier one may know.
	if before != nil {
		if earlier := before.explain(a, d.Symptoms, limit); better(earlier, d.Explanations) {
			d.Explanations = earlier
		}
	}
	return d, ""
}

// better says whether explanations take fewer failures, or fit better, for as much.
func better(a, b []model.Explanation) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) > 0
	}
	return cmp.Or(
		cmp.Compare(len(a[0].Explains), len(b[0].Explains)), cmp.Compare(len(b[0].Causes), len(a[0].Causes)), cmp.Compare(a[0].Score, b[0].Score),
	) > 0
}

// explain searches this graph for what explains symptoms.
func (g *Graph) explain(a ailing, symptoms []model.Symptom, limit int) (list []model.Explanation) {
	g.read(func(v *view) {
		x := explaining{v: v, ailing: a, of: len(symptoms)}
		for _, s := range symptoms {
			if n := v.nodes[s.Node]; n != nil {
				x.symptoms = append(x.symptoms, n)
			}
		}
		list = x.explain(limit)
	})
	return list
}

// tally is what a dependency's documents count, over all runs.
type tally struct {
	service             string
	connections, failed uint64
}

// tallies are those of all dependencies, by ID.
func tallies(g *Graph) map[string]tally {
	all := make(map[string]tally)
	if g == nil {
		return all
	}
	g.read(func(v *view) {
		for _, e := range v.edges {
			if e.kind == model.EdgeDependsOn {
				c := sumOf(e.told())
				all[e.id] = tally{service: e.to.id, connections: c.Connections, failed: c.Failed}
			}
		}
	})
	return all
}

// explaining searches for causes.
type explaining struct {
	ailing
	v          *view
	symptoms   []*node
	of         int // how many symptoms there are in all
	candidates []*candidate
}

// candidate is a failure that would explain something.
type candidate struct {
	*node
	explains []*node
	victims  int
	healthy  []*node // victims that are well, and should not be
	fit      float64 // how well it fits what is seen, 0 to 1
}

// maxTogether causes are tried together before they are picked one by one.
const (
	maxTogether = 3
	maxTried    = 40
)

func (x *explaining) explain(limit int) []model.Explanation {
	list := []model.Explanation{}
	if len(x.symptoms) == 0 {
		return list
	}
	for _, n := range x.v.upstream(x.symptoms) {
		if n.kind == model.KindProcess && len(n.far(n.in, model.EdgeRunsAs)) > 0 {
			continue // its services tell
		}
		if c := x.try(n); len(c.explains) > 0 {
			x.candidates = append(x.candidates, c)
		}
	}
	slices.SortStableFunc(x.candidates, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(len(b.explains), len(a.explains)), cmp.Compare(b.fit, a.fit), cmp.Compare(a.victims, b.victims), natural(a.id, b.id))
	})
	for _, set := range x.sets() {
		list = append(list, x.explanation(set))
	}
	slices.SortStableFunc(list, func(a, b model.Explanation) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(len(a.Causes), len(b.Causes)))
	})
	return list[:min(len(list), limit)]
}

// try lets a node fail, and compares what falls with what is seen.
func (x *explaining) try(n *node) *candidate {
	f := x.v.falling()
	defer f.done()
	f.from(n)
	c := &candidate{node: n}
	for _, victim := range f.touched {
		if f.effect(victim) < affected {
			continue
		}
		if victim != n {
			c.victims++
		}
		if x.well[victim.id] != "" {
			c.healthy = append(c.healthy, victim)
		}
	}
	for _, s := range x.symptoms {
		if f.effect(s) >= affected {
			c.explains = append(c.explains, s)
		}
	}
	slices.SortFunc(c.healthy, func(a, b *node) int { return natural(a.id, b.id) })
	c.fit = float64(len(c.explains)) / float64(len(c.explains)+2*len(c.healthy))
	if x.what[n.id] == "" {
		c.fit *= 0.8 // nobody says that it is ill
	}
	if x.well[n.id] != "" {
		c.fit *= 0.1 // and somebody that it is well
	}
	return c
}

// sets are combinations of few that explain all that can be explained, none of which
// could be left out. Where few cannot, it is one of as many as that takes.
func (x *explaining) sets() (sets [][]*candidate) {
	all := covered(x.candidates)
	tried := x.candidates[:min(len(x.candidates), maxTried)]
	x.combine(tried, nil, 1, all, &sets)
	// What explains all by itself could leave out whatever is with it.
	tried = slices.DeleteFunc(slices.Clone(tried), func(c *candidate) bool { return len(c.explains) == all })
	for size := 2; size <= maxTogether; size++ {
		x.combine(tried, nil, size, all, &sets)
	}
	if len(sets) == 0 {
		sets = append(sets, x.greedy(all))
	}
	return sets
}

// covered counts the symptoms that a set explains.
func covered(set []*candidate) int {
	seen := make(map[*node]bool)
	for _, c := range set {
		for _, s := range c.explains {
			seen[s] = true
		}
	}
	return len(seen)
}

func (x *explaining) combine(from, chosen []*candidate, size, all int, sets *[][]*candidate) {
	if size == 0 {
		if covered(chosen) == all && minimal(chosen, all) {
			*sets = append(*sets, slices.Clone(chosen))
		}
		return
	}
	for i, c := range from {
		x.combine(from[i+1:], append(chosen, c), size-1, all, sets)
	}
}

// minimal says that no member of a set could be left out.
func minimal(set []*candidate, all int) bool {
	for i := range set {
		if covered(slices.Concat(set[:i], set[i+1:])) == all {
			return false
		}
	}
	return true
}

// greedy picks what explains most of what is left.
func (x *explaining) greedy(all int) (set []*candidate) {
	explained := make(map[*node]bool)
	for len(explained) < all {
		var best *candidate
		most := 0.0
		for _, c := range x.candidates {
			fresh := 0
			for _, s := range c.explains {
				if !explained[s] {
					fresh++
				}
			}
			if gain := float64(fresh) * c.fit; gain > most {
				best, most = c, gain
			}
		}
		if best == nil {
			return set
		}
		set = append(set, best)
		for _, s := range best.explains {
			explained[s] = true
		}
	}
	return set
}

func (x *explaining) explanation(set []*candidate) model.Explanation {
	e := model.Explanation{Score: float64(covered(set)) / float64(x.of) * math.Pow(together, float64(len(set)-1))}
	seen := make(map[*node]bool)
	slices.SortFunc(set, func(a, b *candidate) int { return natural(a.id, b.id) })
	for _, c := range set {
		e.Causes = append(e.Causes, x.cause(c))
		e.Score *= c.fit
		for _, s := range c.explains {
			if !seen[s] {
				seen[s] = true
				e.Explains = append(e.Explains, s.id)
			}
		}
	}
	slices.SortFunc(e.Explains, natural)
	return e
}

// together is how much less likely each further failure at the same time makes it.
const together = 0.75

// cause says what speaks for a candidate and against it.
func (x *explaining) cause(c *candidate) model.Cause {
	m := model.Cause{ID: c.id, Kind: c.kind, Victims: c.victims, For: []string{}}
	for _, s := range c.explains {
		m.Explains = append(m.Explains, s.id)
	}
	slices.SortFunc(m.Explains, natural)
	if what := x.what[c.id]; what != "" {
		m.For = append(m.For, what)
	} else {
		m.Against = append(m.Against, "nothing is reported of it itself")
	}
	if n := len(c.explains); n > 1 {
		m.For = append(m.For, fmt.Sprintf("%d of %d symptoms hang on it", n, x.of))
	}
	if well := x.well[c.id]; well != "" {
		m.Against = append(m.Against, "it is well: "+well)
	}
	for i, n := range c.healthy {
		if n == c.node {
			continue
		}
		if i == maxAgainst {
			m.Against = append(m.Against, fmt.Sprintf("%d more that would fall with it are well", len(c.healthy)-i))
			break
		}
		m.Against = append(m.Against, fmt.Sprintf("%s would fall with it, and is well: %s", n.id, x.well[n.id]))
	}
	return m
}

// maxAgainst is how many that are well are named.
const maxAgainst = 3
