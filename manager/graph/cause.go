package graph

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"

	"cassini/model"
)

// Diagnose finds the fewest failures that explain what ails the estate since an earlier
// moment, or the nodes that are named, the likeliest first. unknown is the first of these
// that is not there.
//
// What is upstream of a symptom is followed as if it had failed, up to a bound of which
// the answer's note tells when it was reached.
func Diagnose(before, now *Graph, since time.Time, named []string, limit int) (d model.Diagnosis, unknown string) {
	switch before {
	case now:
		now.read(func(v *view) { d, unknown = v.ails(nil).diagnose(nil, named, limit) })
	case nil:
		now.read(func(v *view) { d, unknown = v.ails(growth(&view{}, v)).diagnose(nil, named, limit) })
	default:
		readBoth(before, now, func(then, v *view) { d, unknown = v.ails(growth(then, v)).diagnose(then, named, limit) })
	}
	d.Since = since.UTC()
	return d, unknown
}

// diagnose explains what ails, or what is named; then may be nil.
func (a *ailing) diagnose(then *view, named []string, limit int) (d model.Diagnosis, unknown string) {
	d = model.Diagnosis{Symptoms: []model.Symptom{}, Explanations: []model.Explanation{}}
	for _, id := range named {
		n := a.now.named(id)
		if n == nil {
			return d, id
		}
		d.Symptoms = append(d.Symptoms, model.Symptom{Node: id, What: cmp.Or(a.what(n), "named")})
	}
	if len(named) == 0 {
		d.Symptoms = a.symptoms()
	}
	d.Explanations, d.Note = a.explain(a.now, d.Symptoms, limit)
	// What has died since has no cables in the graph any more: the earlier one may know.
	if then != nil && !perfect(d) {
		if earlier, note := a.explain(then, d.Symptoms, limit); better(earlier, d.Explanations) {
			d.Explanations, d.Note = earlier, note
		}
	}
	return d, ""
}

// perfect says that nothing could be better than the first explanation.
func perfect(d model.Diagnosis) bool {
	return len(d.Explanations) > 0 && len(d.Explanations[0].Causes) == 1 && d.Explanations[0].Score == 1
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

// explain searches a view for what explains symptoms.
func (a *ailing) explain(v *view, symptoms []model.Symptom, limit int) ([]model.Explanation, string) {
	x := explaining{ailing: a, v: v, of: len(symptoms), tried: maxTried, atOnce: atATime, weighed: weighFirst}
	for _, s := range symptoms {
		if n := v.named(s.Node); n != nil {
			x.symptoms = append(x.symptoms, n)
		}
	}
	return x.explain(limit), x.note
}

// explaining searches for causes.
type explaining struct {
	*ailing
	v          *view
	symptoms   []*node
	of         int // how many symptoms there are in all
	ascent     *ascent
	candidates []*candidate
	weighing   weighing
	tried      int // so many are tried together
	atOnce     int // so many are followed at once
	weighed    int // so many of what falls with one are looked at first
	note       string
}

// maxTogether causes are tried together before they are picked one by one.
const (
	maxTogether = 3
	maxTried    = 40
)

func (x *explaining) explain(limit int) []model.Explanation {
	if len(x.symptoms) == 0 {
		return []model.Explanation{}
	}
	x.follow(x.upstream())
	return x.chosen(limit)
}

// chosen are the best of what candidates explain, together where that takes several.
func (x *explaining) chosen(limit int) []model.Explanation {
	list := []model.Explanation{}
	if len(x.candidates) == 0 || limit <= 0 {
		return list
	}
	defer x.weigh()()
	var best []scored
	for _, set := range x.sets(limit) {
		slices.SortFunc(set, func(a, b *candidate) int { return natural(a.id, b.id) })
		best = append(best, scored{set, x.score(set)})
	}
	slices.SortStableFunc(best, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(len(a.set), len(b.set)))
	})
	for _, s := range best[:min(len(best), limit)] {
		list = append(list, x.explanation(s.set, s.score))
	}
	return list
}

// scored is what explains symptoms together, and how well.
type scored struct {
	set   []*candidate
	score float64
}

// compareCandidates orders candidates by what is known of them, the best first: what is to be
// found out can only put one of which not all is known behind. Of such the one comes first
// that others take along, as far as the order of their places tells.
func compareCandidates(a, b *candidate) int {
	if c := cmp.Or(
		cmp.Compare(b.count, a.count), cmp.Compare(b.fit, a.fit), cmp.Compare(a.victims(), b.victims()), cmp.Compare(b2i(a.known), b2i(b.known)),
	); c != 0 {
		return c
	}
	if a.known {
		return compareNatural(a.node, b.node)
	}
	return cmp.Compare(b.place, a.place)
}

// compareGains orders them by what they add to those that were picked.
func compareGains(a, b *candidate) int {
	return cmp.Or(cmp.Compare(b.adds, a.adds), compareCandidates(a, b))
}

// sets are combinations of few that explain all that can be explained, none of which
// could be left out, but for those that are surely not among the best. Where few cannot, or explain
// it badly, there is one of as many as that takes.
func (x *explaining) sets(limit int) (sets [][]*candidate) {
	all := covered(x.candidates)
	var whole, parts []*candidate // what explains all by itself could leave out whatever is with it
	for _, c := range x.candidates {
		if c.count == all {
			whole = append(whole, c)
		} else {
			parts = append(parts, c)
		}
	}
	for _, c := range x.best(whole, min(x.tried, limit)) {
		sets = append(sets, []*candidate{c})
	}
	if left := x.tried - len(whole); left > 0 && (len(sets) < limit || x.mayBeat(sets[limit-1], parts, all)) {
		tried := x.best(parts, left)
		for size := 2; size <= maxTogether; size++ {
			x.combine(tried, nil, size, all, &sets)
		}
	}
	if x.mayTakeMore(sets, all) {
		if more := x.greedy(all); len(sets) == 0 || len(more) > maxTogether {
			sets = append(sets, more)
		}
	}
	return sets
}

// mayTakeMore says whether more failures than are tried together may explain all symptoms better than
// any of these sets: several hosts that died by themselves, better than the switch that has them and
// others which are well.
func (x *explaining) mayTakeMore(sets [][]*candidate, all int) bool {
	return !slices.ContainsFunc(sets, func(set []*candidate) bool { return x.score(set) >= x.weight(all, maxTogether+1) })
}

// mayBeat says whether several candidates together may explain all symptoms better than a set.
func (x *explaining) mayBeat(set, parts []*candidate, all int) bool {
	fit := 0.0
	for _, c := range parts {
		fit = max(fit, c.fit)
	}
	return x.weight(all, 2)*fit*fit > x.score(set)
}

// covered counts the symptoms that a set explains.
func covered(set []*candidate) (n int) {
	if len(set) == 0 {
		return 0
	}
	for word := range set[0].explains {
		all := uint64(0)
		for _, c := range set {
			all |= c.explains[word]
		}
		n += bits.OnesCount64(all)
	}
	return n
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

// weight is what as many symptoms of all make of as many failures.
func (x *explaining) weight(symptoms, failures int) float64 {
	return float64(symptoms) / float64(x.of) * math.Pow(together, float64(failures-1))
}

// score is how well a set explains what is seen.
func (x *explaining) score(set []*candidate) float64 {
	score := x.weight(covered(set), len(set))
	for _, c := range set {
		score *= c.fit
	}
	return score
}

// together is how much less likely each further failure at the same time makes it.
const together = 0.75

func (x *explaining) explanation(set []*candidate, score float64) model.Explanation {
	e := model.Explanation{Score: score}
	all := make(members, len(set[0].explains))
	for _, c := range set {
		e.Causes = append(e.Causes, x.cause(c))
		all.join(c.explains)
	}
	e.Explains = x.named(all)
	return e
}

// named are symptoms, each once.
func (x *explaining) named(m members) (ids []string) {
	for i := range m.all() {
		ids = append(ids, x.symptoms[i].id)
	}
	slices.SortFunc(ids, natural)
	return ids
}

// cause says what speaks for a candidate and against it.
func (x *explaining) cause(c *candidate) model.Cause {
	m := model.Cause{ID: c.id, Kind: c.kind.String(), Victims: c.victims(), For: []string{}}
	m.Explains = x.named(c.explains)
	if what := x.what(c.node); what != "" {
		m.For = append(m.For, what)
	} else {
		m.Against = append(m.Against, "nothing is reported of it itself")
	}
	if n := c.count; n > 1 {
		m.For = append(m.For, fmt.Sprintf("%d of %d symptoms hang on it", n, x.of))
	}
	if well := x.well(c.node); well != "" {
		m.Against = append(m.Against, "it is well: "+well)
	}
	for i, n := range c.some {
		if n == c.node {
			continue
		}
		if i == maxAgainst {
			m.Against = append(m.Against, fmt.Sprintf("%d more that would fall with it are well", c.healthy-i))
			break
		}
		m.Against = append(m.Against, fmt.Sprintf("%s would fall with it, and is well: %s", n.id, x.well(n)))
	}
	return m
}

// maxAgainst is how many that are well are named.
const maxAgainst = 3
