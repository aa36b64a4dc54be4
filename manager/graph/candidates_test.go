package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"cassini/model"
)

// searching is a search on a random estate for what explains random symptoms, while random
// hosts and services are well.
func searching(v *view, seed uint64) *explaining {
	r := rand.New(rand.NewPCG(seed, 6))
	x := &explaining{v: v, ailing: v.ails(make(map[string]tally)), tried: math.MaxInt, atOnce: atATime}
	for n := range v.all() {
		switch p := r.IntN(100); {
		case p < 8:
			x.symptoms = append(x.symptoms, n)
			if p < 5 && n.kind == nodeService {
				x.grew[n.id] = tally{connections: 2, failed: 1}
			}
		case p >= 25:
		case n.kind == nodeHost:
			x.heard.add(int(n.index))
		case n.kind == nodeService:
			x.grew[n.id] = tally{connections: 2}
		}
	}
	x.of = len(x.symptoms)
	return x
}

// TestCandidatesAgainstEach compares what candidates are said to take along with what each
// takes along by itself, also of what was asked before and changed since.
func TestCandidatesAgainstEach(t *testing.T) {
	candidates := 0
	for seed := range uint64(150) {
		w := randomEstate(t, seed)
		r := rand.New(rand.NewPCG(seed, 7))
		for range 4 {
			w.read(func(v *view) {
				x := searching(v, seed)
				if len(x.symptoms) == 0 {
					return
				}
				x.follow(x.upstream())
				x.meet(x.candidates)
				candidates += len(x.candidates)
				f := v.falling()
				defer f.done()
				for _, c := range x.candidates {
					x.compare(t, seed, f, c)
				}
			})
			w.disturb(r)
		}
	}
	if candidates < 1000 {
		t.Errorf("only %d candidates", candidates)
	}
}

// compare follows a candidate by itself.
func (x *explaining) compare(t *testing.T, seed uint64, f *falling, c *candidate) {
	t.Helper()
	f.from(c.node)
	fell := func(n *node) bool { return f.effect(n) >= affected }
	explains := sortedIDs(slices.DeleteFunc(slices.Clone(x.symptoms), func(n *node) bool { return !fell(n) }))
	victims := 0
	var healthy []*node
	for _, n := range f.touched {
		if n != c.node && !n.ended() && fell(n) {
			victims++
		}
		if fell(n) && x.well(n) != "" {
			healthy = append(healthy, n)
		}
	}
	if got := x.named(c.explains); !slices.Equal(got, explains) || c.count != len(explains) || c.victims != victims {
		t.Fatalf("seed %d, %s: explains %d, %v, %d victims; by itself %v, %d", seed, c.id, c.count, got, c.victims, explains, victims)
	}
	well := sortedIDs(healthy)
	if some := sortedIDs(c.some); c.healthy != len(well) || !slices.Equal(some, well[:min(len(well), maxAgainst+1)]) {
		t.Fatalf("seed %d, %s: %d that are well, %v; by itself %v", seed, c.id, c.healthy, some, well)
	}
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
		randomEstate(t, seed).read(func(v *view) {
			x := searching(v, seed)
			if len(x.symptoms) == 0 {
				return
			}
			x.follow(x.upstream())
			all := covered(x.candidates)
			want := x.mostEach()
			var got []string
			for _, c := range x.greedy(all) {
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
func (x *explaining) mostEach() (ids []string) {
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
			return ids
		}
		ids = append(ids, best.id)
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
