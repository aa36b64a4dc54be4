package graph

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"cassini/model"
)

// randomEstate has all that rules of falling are about: hosts with some cards on some
// switches, on two wires at once, on each other or on none; programs that stand in for each
// other on several hosts, in circles, ended and absent; clients that no agent tells of.
func randomEstate(t testing.TB, seed uint64) *world {
	r := rand.New(rand.NewPCG(seed, 4))
	w := newWorld(t)
	hosts := 3 + r.IntN(8)
	name := func(h int) string { return fmt.Sprint("h", h) }
	addr := func(h int) string { return fmt.Sprintf("10.0.0.%d", h+1) }
	kind := func(h int) int {
		if seed%2 == 1 && h > 3 { // one of its own, for which nothing stands in
			return h
		}
		return h % 3
	}
	exe := func(h int) string { return fmt.Sprint("/usr/bin/app", kind(h)) }
	port := func(h int) uint16 { return uint16(1000 + kind(h)) }
	for h := range hosts {
		for i := range 1 + r.IntN(3) {
			card := fmt.Sprint("eth", i)
			w.link(name(h), card, fmt.Sprintf("02:00:00:%02x:00:%02x", h, i), addresses(fmt.Sprintf("10.%d.0.%d/24", i, h+1)), func(l *model.Interface) {
				l.Carrier = min(1, r.IntN(4))
				if r.IntN(6) == 0 {
					l.Kind = "bridge"
				}
			})
			for range r.IntN(3) {
				if r.IntN(5) == 0 { // a cable to another host
					w.wired(name(h), card, fmt.Sprintf("02:00:00:%02x:00:00", r.IntN(hosts)), "eth0")
					continue
				}
				w.wired(name(h), card, fmt.Sprintf("00:1b:fc:00:00:%02x", r.IntN(3)), fmt.Sprintf("p%d-%d", h, i))
			}
		}
		w.listen(name(h), exe(h), addr(h), port(h))
		if r.IntN(5) == 0 {
			w.stop(name(h), exe(h), addr(h), port(h))
		}
		if r.IntN(3) == 0 {
			w.listen(name(h), "/usr/bin/proxy", addr(h), 80)
		}
		if seed%2 == 1 && r.IntN(4) == 0 {
			w.listen(name(h), exe(h), addr(h), port(h)+1000) // a second service of a program
		}
	}
	one := model.Counters{Connections: 1}
	for range hosts * 3 {
		from, to := r.IntN(hosts), r.IntN(hosts)
		switch r.IntN(8) {
		case 0: // the client's host has no agent that tells, or is no host at all
			client := []string{addr(from), "192.0.2.9", "192.0.2.10"}[r.IntN(3)]
			w.in(name(to), exe(to), client, addr(to), port(to), one)
		case 1:
			w.out(name(from), exe(from), "127.0.0.1", "127.0.0.1", 9000, one)
		case 2:
			w.out(name(from), "/usr/bin/job", addr(from), addr(to), port(to), one)
		case 3:
			w.out(name(from), "/usr/bin/proxy", addr(from), addr(to), port(to), one)
		case 4:
			w.out(name(from), exe(from), addr(from), addr(to), 80, one)
		default:
			w.out(name(from), exe(from), addr(from), addr(to), port(to)+uint16(seed%2*uint64(r.IntN(5)/4)*1000), one)
		}
	}
	return w
}

// byItself counts what falls with a node as SinglePoints does, one node after the other.
func (f *falling) byItself(n *node) model.SinglePoint {
	p := model.SinglePoint{ID: n.id, Kind: n.kind.String()}
	f.from(n)
	for _, i := range f.touched {
		victim := f.v.list[i]
		switch {
		case victim == n || victim.ended() || f.effect(victim) < affected || n.kind == nodeHost && victim.host() == n.host():
		case victim.kind == nodeHost:
			p.Hosts++
		case victim.kind == nodeService:
			p.Services++
		}
	}
	return p
}

// TestFloodAgainstEach follows all nodes at once, in random sets, and one after the other,
// also of what was asked before when only a carrier has changed since.
func TestFloodAgainstEach(t *testing.T) {
	for seed := range uint64(300) {
		w := randomEstate(t, seed)
		r := rand.New(rand.NewPCG(seed, 5))
		for range 3 {
			w.read(func(v *view) { v.compareFloods(t, seed, r) })
			w.flip(r)
		}
	}
}

func (v *view) compareFloods(t *testing.T, seed uint64, r *rand.Rand) {
	t.Helper()
	fl, f := v.falls().flood(), v.falling()
	defer fl.done()
	defer f.done()
	var nodes []*node
	for n := range v.all() {
		if fl.start[n.index] >= 0 {
			nodes = append(nodes, n)
		}
	}
	r.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
	for set := range slices.Chunk(nodes, 1+r.IntN(atATime)) {
		places := make([]int32, len(set))
		for bit, n := range set {
			places[bit] = fl.start[n.index]
		}
		fl.fromPlaces(places)
		for bit, n := range set {
			f.from(n)
			for x := range v.all() {
				at := fl.hit[x.index]
				if at < 0 {
					if x != n && f.effect(x) >= affected {
						t.Fatalf("seed %d: %s falls with %s and has no place", seed, x.id, n.id)
					}
					continue
				}
				if got, want := fl.bits[at].has(bit) || x == n, f.effect(x) >= affected; got != want {
					t.Fatalf("seed %d: %s falls with %s: %v, by itself %v (%s)", seed, x.id, n.id, got, want, effects[f.effect(x)])
				}
				if got, want := fl.bits[fl.start[x.index]].has(bit), f.effect(x) == down; x.kind == nodeHost && got != want {
					t.Fatalf("seed %d: %s is down with %s: %v, by itself %v", seed, x.id, n.id, got, want)
				}
			}
		}
	}
}

// TestFallsInParts makes the rules and shortcuts on one processor, and on several in the room of those
// of another estate.
func TestFallsInParts(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	gates, parts := 0, 0
	before := room{}
	for seed := range uint64(30) {
		w := randomEstate(t, seed)
		w.read(func(v *view) {
			one := newFallsInParts(v, len(v.list), room{})
			several := newFallsInParts(v, 1, before)
			several.flood().done()
			defer func() { before = several.leave() }()
			short, again := one.shortcuts(), several.shortcuts()
			gates += len(one.member)
			for _, n := range one.parts {
				parts += int(n)
			}
			for name, pair := range map[string][2]any{
				"start": {one.start, several.start}, "hit": {one.hit, several.hit}, "victims": {one.victims, several.victims}, "parts": {one.parts, several.parts},
				"off": {one.off, several.off}, "strike": {one.strike, several.strike}, "gate": {one.gate, several.gate}, "member": {one.member, several.member},
				"shortcuts": {short.ways, again.ways}, "others": {short.other, again.other}, "reach": {short.reach, again.reach},
			} {
				if !reflect.DeepEqual(pair[0], pair[1]) {
					t.Fatalf("seed %d, %s:\n%v\nin parts\n%v", seed, name, pair[0], pair[1])
				}
			}
		})
	}
	if gates < 30 || parts < 30 {
		t.Errorf("only %d gates, %d parts", gates, parts)
	}
}

// TestSinglePointsOfMany has more failures to follow than are followed at a time, and such
// as are no shortcut to each other.
func TestSinglePointsOfMany(t *testing.T) {
	w := newWorld(t)
	const many, clients = 2*atATime + 10, mostOthers/2 + 1
	for i := range many {
		db, web := fmt.Sprint("db", i), fmt.Sprintf("10.1.%d.%d", i/200, i%200+1)
		w.listen(db, "/usr/bin/"+db, web, 5432)
		for j := range clients {
			host, addr := fmt.Sprintf("web%d-%d", i, j), fmt.Sprintf("10.%d.%d.%d", 2+j, i/200, i%200+1)
			w.listen(host, "/usr/bin/"+host, addr, 80)
			w.out(host, "/usr/bin/"+host, addr, web, 5432, n(1))
		}
	}
	list, _ := w.SinglePoints("")
	if len(list) != 2*many { // each database and its host
		t.Fatalf("%d single points", len(list))
	}
	for _, p := range list {
		if p.Hosts != 0 || p.Services != clients {
			t.Errorf("%+v", p)
		}
	}
}

// TestSinglePointsOfManyServices has programs of which one runs more services than fall at its place.
func TestSinglePointsOfManyServices(t *testing.T) {
	for _, services := range []int{mostMerged, mostMerged + 1, 300} {
		w := newWorld(t)
		for port := range services {
			w.listen("db", "/usr/bin/db", "10.0.0.1", uint16(1000+port))
		}
		w.listen("web", "/usr/bin/web", "10.0.0.2", 80)
		w.out("web", "/usr/bin/web", "10.0.0.2", "10.0.0.1", uint16(1000+services-1), n(1))
		w.out("db", "/usr/bin/db", "10.0.0.1", "10.0.0.2", 80, n(1)) // a circle
		all, _ := w.pointsByThemselves()
		if got := all["service:web/web:80"]; got.Services != services {
			t.Fatalf("%+v", got)
		}
		w.comparePoints(uint64(services), "", all)
	}
}

// TestSinglePointsOfManyReaches has more failures than are followed at a time, of which some take
// nearly everything along and most hardly anything, some in circles.
func TestSinglePointsOfManyReaches(t *testing.T) {
	w := newWorld(t)
	r := rand.New(rand.NewPCG(3, 7))
	const hosts = 1200
	addr := func(h int) string { return fmt.Sprintf("10.0.%d.%d", h/200, h%200+1) }
	exe := func(h int) string { return fmt.Sprint("/usr/bin/app", h) }
	for h := range hosts {
		w.link(fmt.Sprint("h", h), "eth0", fmt.Sprintf("02:00:00:00:%02x:%02x", h>>8, h&255), addresses(addr(h)+"/16"))
		w.wired(fmt.Sprint("h", h), "eth0", fmt.Sprintf("00:1b:fc:00:00:%02x", h/48), fmt.Sprint("p", h%48))
		w.listen(fmt.Sprint("h", h), exe(h), addr(h), 80)
	}
	for h := range hosts {
		for range 4 { // the last are asked by the most
			to := hosts - 1 - int(hosts*r.Float64()*r.Float64()*r.Float64())
			if to > h || r.IntN(20) == 0 {
				w.out(fmt.Sprint("h", h), exe(h), addr(h), addr(to), 80, n(1))
			}
		}
	}
	all, _ := w.pointsByThemselves()
	w.comparePoints(3, "", all)
	w.read(func(v *view) {
		roots := make(map[int32]bool)
		for _, way := range v.falls().shortcuts().ways {
			roots[way.root] = true
		}
		if len(roots) <= atATime+1 {
			t.Errorf("only %d are followed", len(roots)-1)
		}
	})
}

// TestSinglePointsAgainstEach compares counts with those of each node by itself, of the
// whole and of what takes one node along; also of what was asked before and changed since.
func TestSinglePointsAgainstEach(t *testing.T) {
	for seed := range uint64(100) {
		w := randomEstate(t, seed)
		r := rand.New(rand.NewPCG(seed, 6))
		for range 8 {
			all, with := w.pointsByThemselves()
			w.comparePoints(seed, "", all)
			for _, n := range w.Nodes(NodeFilter{}) {
				w.comparePoints(seed, n.ID, with[n.ID])
			}
			w.disturb(r)
		}
	}
}

// pointsByThemselves follows each node by itself: what falls with it, and by what falls.
func (w *world) pointsByThemselves() (all map[string]model.SinglePoint, with map[string]map[string]model.SinglePoint) {
	all, with = make(map[string]model.SinglePoint), make(map[string]map[string]model.SinglePoint)
	w.read(func(v *view) {
		f := v.falling()
		defer f.done()
		for n := range v.all() {
			p := f.byItself(n)
			if !canFail(n) || p.Hosts+p.Services == 0 {
				continue
			}
			all[n.id] = p
			for _, i := range f.touched {
				victim := f.v.list[i]
				if f.effect(victim) >= affected && victim != n {
					if with[victim.id] == nil {
						with[victim.id] = make(map[string]model.SinglePoint)
					}
					with[victim.id][n.id] = p
				}
			}
		}
	})
	return all, with
}

// comparePoints asks with all roots followed at once and with all followed one after the other.
func (w *world) comparePoints(seed uint64, of string, want map[string]model.SinglePoint) {
	w.t.Helper()
	w.read(func(v *view) {
		for _, apart := range []uint8{0, aloneReach, math.MaxUint8} {
			list := v.singlePoints(v.named(of), apart)
			got := make(map[string]model.SinglePoint)
			for _, p := range list {
				got[p.ID] = p
			}
			if len(list) != len(want) || !maps.Equal(got, want) {
				w.t.Fatalf("seed %d: single points of %q:\n%v\nby themselves\n%v", seed, of, got, want)
			}
		}
	})
}
