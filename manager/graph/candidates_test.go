package graph

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"cassini/model"
)

// searching is a search on a random estate for what explains random symptoms, while random
// services are well.
func searching(v *view, seed uint64) *explaining {
	r := rand.New(rand.NewPCG(seed, 6))
	x := &explaining{v: v, ailing: v.ails(make(map[string]tally)), tried: math.MaxInt, atOnce: 1 + r.IntN(atATime), weighed: 1}
	for n := range v.all() {
		switch p := r.IntN(100); {
		case p < 8:
			x.symptoms = append(x.symptoms, n)
			if p < 5 && n.kind == nodeService {
				x.grew[n.id] = tally{connections: 2, failed: 1}
			}
		case p < 25 && n.kind == nodeService:
			x.grew[n.id] = tally{connections: 2}
		}
	}
	x.of = len(x.symptoms)
	return x
}

// hearEachOther lets random hosts hear each other.
func (w *world) hearEachOther(r *rand.Rand) {
	var hosts []string
	for h := range 9 {
		if r.IntN(5) == 0 {
			hosts = append(hosts, fmt.Sprint("h", h))
		}
	}
	w.ring(hosts...)
}

// TestCandidatesAgainstEach compares what candidates are said to take along with what each
// takes along by itself, also of what was asked before and changed since.
func TestCandidatesAgainstEach(t *testing.T) {
	candidates := 0
	for seed := range uint64(150) {
		w := randomEstate(t, seed)
		r := rand.New(rand.NewPCG(seed, 7))
		w.hearEachOther(r)
		for range 4 {
			w.read(func(v *view) {
				x := searching(v, seed)
				if len(x.symptoms) == 0 {
					return
				}
				x.follow(x.upstream())
				candidates += len(x.candidates)
				defer x.weigh()()
				for _, want := range x.each() {
					at := slices.IndexFunc(x.candidates, func(c *candidate) bool { return c.node == want.node })
					if at < 0 {
						t.Fatalf("seed %d: %s is no candidate", seed, want.id)
					}
					x.compare(t, seed, x.candidates[at], want)
				}
			})
			w.disturb(r)
		}
	}
	if candidates < 1000 {
		t.Errorf("only %d candidates", candidates)
	}
}

// compare weighs a candidate until all is known, and looks each time whether what is known
// of it is not too much.
func (x *explaining) compare(t *testing.T, seed uint64, c, want *candidate) {
	t.Helper()
	for r := x.rank([]*candidate{c}, compareCandidates, 1); !c.known; {
		r.more()
		if compareCandidates(c, want) > 0 {
			t.Fatalf("seed %d, %s: %d fell, %d healthy; by itself only %d, %d", seed, c.id, c.fell, c.healthy, want.fell, want.healthy)
		}
	}
	if !slices.Equal(c.explains, want.explains) || c.count != want.count || c.victims() != want.victims() {
		t.Fatalf("seed %d, %s: explains %v, %d victims; by itself %v, %d", seed, c.id, x.named(c.explains), c.victims(), x.named(want.explains), want.victims())
	}
	if c.healthy != want.healthy || !slices.Equal(sortedIDs(c.some), sortedIDs(want.some)) || c.fit != want.fit {
		t.Fatalf("seed %d, %s: %d that are well, %v; by itself %d, %v", seed, c.id, c.healthy, sortedIDs(c.some), want.healthy, sortedIDs(want.some))
	}
}

// each lets every node fail by itself that is tried.
func (x *explaining) each() (list []*candidate) {
	f := x.v.falling()
	defer f.done()
	for _, u := range x.upstream() {
		f.from(u.node)
		c := &candidate{node: u.node, explains: make(members, (len(x.symptoms)+63)/64), ill: x.what(u.node) != "", fine: x.well(u.node) != "", known: true}
		for i, s := range x.symptoms {
			if f.effect(s) >= affected {
				c.explains.add(i)
				c.count++
			}
		}
		for _, i := range f.touched {
			n := f.v.list[i]
			if f.effect(n) < affected {
				continue
			}
			c.fell += b2i(!n.ended())
			if n.kind == nodeHost && f.effect(n) == down && x.well(n) != "" {
				c.some = append(c.some, n)
			}
		}
		c.healthy = len(c.some)
		slices.SortFunc(c.some, func(a, b *node) int { return natural(a.id, b.id) })
		c.some = c.some[:min(len(c.some), maxAgainst+1)]
		if c.fits(); c.count > 0 {
			list = append(list, c)
		}
	}
	return list
}

// explainSlowly tries all sets of candidates that were followed by themselves.
func (x *explaining) explainSlowly(limit int) []model.Explanation {
	x.candidates = x.each()
	slices.SortFunc(x.candidates, compareCandidates)
	var sets [][]*candidate
	all := covered(x.candidates)
	for size := 1; size <= maxTogether; size++ {
		x.combine(x.candidates[:min(len(x.candidates), x.tried)], nil, size, all, &sets)
	}
	if more := x.mostEach(); len(sets) == 0 || len(more) > maxTogether && x.mayTakeMore(sets, all) {
		sets = append(sets, more)
	}
	for _, set := range sets {
		slices.SortFunc(set, func(a, b *candidate) int { return natural(a.id, b.id) })
	}
	slices.SortStableFunc(sets, func(a, b []*candidate) int {
		return cmp.Or(cmp.Compare(x.score(b), x.score(a)), cmp.Compare(len(a), len(b)))
	})
	list := []model.Explanation{}
	for _, set := range sets[:min(len(sets), limit)] {
		list = append(list, x.explanation(set, x.score(set)))
	}
	return list
}

func sortedIDs(nodes []*node) (ids []string) {
	for _, n := range nodes {
		ids = append(ids, n.id)
	}
	slices.SortFunc(ids, natural)
	return ids
}

// TestGreedyPicksTheMost picks again without remembering anything.
func TestGreedyPicksTheMost(t *testing.T) {
	several := 0
	for seed := range uint64(150) {
		w := randomEstate(t, seed)
		w.hearEachOther(rand.New(rand.NewPCG(seed, 8)))
		w.read(func(v *view) {
			x := searching(v, seed)
			if len(x.symptoms) == 0 {
				return
			}
			slow := *x
			x.follow(x.upstream())
			defer x.weigh()()
			slow.candidates = slow.each()
			slices.SortFunc(slow.candidates, compareCandidates)
			var got, want []string
			for _, c := range slow.mostEach() {
				want = append(want, c.id)
			}
			for _, c := range x.greedy(covered(x.candidates)) {
				got = append(got, c.id)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("seed %d: picked %v, want %v", seed, got, want)
			}
			if len(got) > 2 {
				several++
			}
		})
	}
	if several < 10 {
		t.Errorf("only %d times more than two", several)
	}
}

// mostEach picks what adds most, one after the other.
func (x *explaining) mostEach() (set []*candidate) {
	explained := make(members, len(x.candidates[0].explains))
	for {
		var best *candidate
		most := 0.0
		for _, c := range x.candidates {
			fresh := 0
			for i := range c.explains.all() {
				fresh += b2i(!explained.has(i))
			}
			if gain := float64(fresh) * c.fit; gain > most {
				best, most = c, gain
			}
		}
		if best == nil {
			return set
		}
		set = append(set, best)
		explained.join(best.explains)
	}
}

// TestNearestTells says where it stops, and begins at the symptoms.
func TestNearestTells(t *testing.T) {
	w := newWorld(t)
	w.estate()
	w.read(func(v *view) {
		x := &explaining{v: v, symptoms: []*node{v.named("host:web")}, of: 1}
		if all := x.nearest(100); len(all) != 4 || x.note != "" { // its card, the port, the switch
			t.Errorf("%d nodes, %q", len(all), x.note)
		}
		if some := x.nearest(3); len(some) != 3 || some[0].id != "host:web" || !strings.Contains(x.note, "only the 3 nodes") {
			t.Errorf("%d nodes, %q", len(some), x.note)
		}
	})
}

// TestDiagnoseNeedsNoEarlierGraph where nothing could be better than what there is now.
func TestDiagnoseNeedsNoEarlierGraph(t *testing.T) {
	w := newWorld(t)
	w.estate()
	before := w.at()
	w.says("db1", model.VerdictCrashed)
	d, _ := Diagnose(before, w.Graph, t0, nil, 5)
	if !perfect(d) || fmt.Sprint(diagnosis(d)[0]) != "host:db1(1)" {
		t.Errorf("%+v", d)
	}
	d.Explanations[0].Score = 0.9
	if perfect(d) {
		t.Error("what fits less is perfect")
	}
}

// TestGrowth sums up what came of connections to a service, from all of its clients.
func TestGrowth(t *testing.T) {
	w := newWorld(t)
	w.estate()
	before := w.at()
	w.out("job", "/usr/bin/job", "10.0.0.4", "10.0.0.1", 80, model.Counters{Connections: 1, Failed: 2})
	w.out("db2", "/usr/bin/backup", "10.0.0.3", "10.0.0.1", 80, model.Counters{Connections: 5, Failed: 1})
	w.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.0.0.2", 6379, model.Counters{Connections: 4})
	var got string
	readBoth(before, w.Graph, func(then, now *view) { got = fmt.Sprint(growth(then, now)) })
	if want := fmt.Sprint(map[string]tally{"service:web/nginx:80": {5, 3}, "service:db1/redis:6379": {3, 0}}); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	before.read(func(v *view) {
		if got := growth(&view{}, v); got["service:web/nginx:80"] != (tally{1, 0}) || len(got) != 4 {
			t.Errorf("from nothing: %v", got)
		}
		if got := growth(v, v); len(got) != 0 {
			t.Errorf("of one view: %v", got)
		}
	})
}
