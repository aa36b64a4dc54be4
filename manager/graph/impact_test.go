package graph

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"cassini/model"
)

func (w *world) expectImpact(of string, want ...string) {
	w.t.Helper()
	impact, ok := w.Impact(of)
	if !ok {
		w.t.Fatalf("no node %s", of)
	}
	var got []string
	for _, v := range impact.Victims {
		got = append(got, fmt.Sprintf("%d %s %s", v.Depth, v.Effect, v.ID))
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("impact of %s:\n%s\nwant\n%s", of, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// estate is a web server on one switch that needs one of two databases and a cache, and
// a job that needs the web server.
func (w *world) estate() {
	for i, host := range []string{"web", "db1", "db2", "job"} {
		w.link(host, "eth0", fmt.Sprintf("02:00:00:00:00:%02x", i), addresses(fmt.Sprintf("10.0.0.%d/24", i+1)))
		w.wired(host, "eth0", switchA, fmt.Sprint("p", i))
	}
	w.link("db2", "eth1", "02:00:00:00:00:22")
	w.wired("db2", "eth1", switchB, "p1")
	w.listen("web", "/usr/sbin/nginx", "10.0.0.1", 80)
	w.listen("db1", "/usr/bin/postgres", "10.0.0.2", 5432)
	w.listen("db2", "/usr/bin/postgres", "10.0.0.3", 5432)
	w.listen("db1", "/usr/bin/redis", "10.0.0.2", 6379)
	one := model.Counters{Connections: 1}
	w.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.0.0.2", 5432, one)
	w.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.0.0.3", 5432, one)
	w.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.0.0.2", 6379, one)
	w.out("job", "/usr/bin/job", "10.0.0.4", "10.0.0.1", 80, one)
}

func TestImpact(t *testing.T) {
	w := newWorld(t)
	w.estate()
	w.expectImpact("service:db2/postgres:5432") // another stands
	w.expectImpact("service:db1/redis:6379",
		"2 affected service:web/nginx:80", "3 affected process:job/usr/bin/job")
	w.expectImpact("host:db1",
		"1 down service:db1/postgres:5432", "1 down service:db1/redis:6379",
		"3 affected service:web/nginx:80", "4 affected process:job/usr/bin/job")
	w.expectImpact("switchport:"+switchA+"/p2", "2 degraded host:db2") // which has another uplink
	w.expectImpact("switch:"+switchB, "3 degraded host:db2")
	if impact, _ := w.Impact("switch:" + switchA); impact.Hosts != 3 || impact.Services != 3 {
		t.Errorf("%+v", impact)
	}
	if _, ok := w.Impact("host:nobody"); ok {
		t.Error("an unknown host has an impact")
	}
}

// What has ended is no victim, of whatever dies.
func TestEndedServicesDoNotFall(t *testing.T) {
	w := newWorld(t)
	w.estate()
	w.stop("db1", "/usr/bin/redis", "10.0.0.2", 6379)
	w.expectImpact("host:db1", "1 down service:db1/postgres:5432", "3 affected service:web/nginx:80", "4 affected process:job/usr/bin/job")
	if impact, _ := w.Impact("host:db1"); impact.Services != 2 {
		t.Errorf("%+v", impact)
	}
	list, _ := w.SinglePoints("")
	at := slices.IndexFunc(list, func(p model.SinglePoint) bool { return p.ID == "switch:"+switchA })
	if at < 0 || list[at].Hosts != 3 || list[at].Services != 2 {
		t.Errorf("%+v", list)
	}
}

func TestSinglePoints(t *testing.T) {
	w := newWorld(t)
	w.estate()
	expect := func(of string, want ...string) {
		t.Helper()
		list, ok := w.SinglePoints(of)
		var got []string
		for _, p := range list {
			got = append(got, fmt.Sprintf("%s %d+%d", p.ID, p.Hosts, p.Services))
		}
		if !ok || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("of %q: %v, want %v", of, got, want)
		}
	}
	// Losing web's host takes no other service along, nor does either database: there
	// is another.
	expect("service:web/nginx:80", "switch:"+switchA+" 3+3", "switchport:"+switchA+"/p1 1+3", "switchport:"+switchA+"/p0 1+1",
		"host:db1 0+1", "service:db1/redis:6379 0+1")
	// Where nobody ever got through nothing is there that could die.
	w.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.9.9.9", 389, model.Counters{Attempts: 1, Failed: 1})
	expect("service:web/nginx:80", "switch:"+switchA+" 3+3", "switchport:"+switchA+"/p1 1+3", "switchport:"+switchA+"/p0 1+1",
		"host:db1 0+1", "service:db1/redis:6379 0+1")
	w.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.9.9.9", 389, model.Counters{Attempts: 2, Failed: 1, Connections: 1})
	expect("service:web/nginx:80", "switch:"+switchA+" 3+3", "switchport:"+switchA+"/p1 1+3", "switchport:"+switchA+"/p0 1+1",
		"host:db1 0+1", "service:10.9.9.9:389 0+1", "service:db1/redis:6379 0+1")
	if _, ok := w.SinglePoints("host:nobody"); ok {
		t.Error("an unknown host has single points")
	}
	all, _ := w.SinglePoints("")
	for _, n := range w.Nodes(NodeFilter{}) {
		points, _ := w.SinglePoints(n.ID)
		for _, p := range all { // what takes a node along is just what has it among its victims
			impact, _ := w.Impact(p.ID)
			falls := slices.ContainsFunc(impact.Victims, func(v model.Victim) bool { return v.ID == n.ID && v.Effect != model.EffectDegraded })
			told := slices.ContainsFunc(points, func(q model.SinglePoint) bool { return q.ID == p.ID })
			if falls != told && (n.Kind == model.KindHost || n.Kind == model.KindService) {
				t.Errorf("%s falls with %s: %v, told %v", n.ID, p.ID, falls, told)
			}
		}
	}
}

func TestPath(t *testing.T) {
	w := newWorld(t)
	w.estate()
	steps, unknown := w.Path("host:web", "host:db1")
	var kinds []string
	for _, s := range steps {
		kinds = append(kinds, s.Kind)
	}
	if unknown != "" || strings.Join(kinds, " ") != "has depends_on runs" || !steps[2].Against {
		t.Errorf("%q: %+v", unknown, steps)
	}
	if steps, unknown := w.Path("host:web", "host:web"); len(steps) != 0 || unknown != "" {
		t.Errorf("to itself: %+v, %q", steps, unknown)
	}
	if _, unknown := w.Path("host:web", "host:nobody"); unknown != "host:nobody" {
		t.Errorf("unknown is %q", unknown)
	}
	w.link("alone", "eth0", "02:00:00:00:00:77", addresses("10.0.0.77/24")) // in the same subnet, and no more
	if steps, _ := w.Path("host:web", "host:alone"); len(steps) != 0 {
		t.Errorf("by a subnet: %+v", steps)
	}
}

func TestExposure(t *testing.T) {
	w := newWorld(t)
	w.estate()
	w.listen("web", "/usr/sbin/sshd", "0.0.0.0", 22)
	ids := func(list []model.Service) (ids []string) {
		for _, s := range list {
			ids = append(ids, s.ID)
		}
		return ids
	}
	if got := ids(w.Exposed("")); fmt.Sprint(got) != "[service:web/sshd:22]" || len(w.Exposed("db1")) != 0 {
		t.Errorf("exposed %v", got)
	}
	if got := ids(w.Unused("")); fmt.Sprint(got) != "[service:web/sshd:22]" {
		t.Errorf("unused %v", got)
	}
	w.stop("web", "/usr/sbin/sshd", "0.0.0.0", 22)
	if len(w.Exposed(""))+len(w.Unused("")) != 0 {
		t.Error("what ended is told")
	}
}

func TestDiff(t *testing.T) {
	before, after := newWorld(t), newWorld(t)
	before.estate()
	after.estate()
	if d := DiffGraphs(before.Graph, after.Graph); len(d.Came)+len(d.Went)+len(d.Changed) != 0 {
		t.Errorf("of the same: %+v", d)
	}
	after.listen("web", "/usr/sbin/sshd", "0.0.0.0", 22)
	after.stop("db1", "/usr/bin/redis", "10.0.0.2", 6379)
	after.link("job", "eth0", "02:00:00:00:00:03", addresses("10.0.0.4/24"), func(i *model.Interface) { i.MTU = 9000 })
	d := DiffGraphs(before.Graph, after.Graph)
	text := func(list []model.Change) (ids []string) {
		for _, c := range list {
			ids = append(ids, c.ID)
		}
		return ids
	}
	if fmt.Sprint(text(d.Came), text(d.Went), text(d.Changed)) != "[service:web/sshd:22] [service:db1/redis:6379] [interface:job/eth0]" {
		t.Errorf("%v, %v, %v", text(d.Came), text(d.Went), text(d.Changed))
	}
	if mtu := d.Changed[0].Attrs["mtu"]; len(d.Changed[0].Attrs) != 1 || fmt.Sprint(mtu) != "[1500 9000]" {
		t.Errorf("%+v", d.Changed[0])
	}
}

// brute tells what falls with a node by trying every rule on everything until nothing
// changes, from the graph as it is told to everyone.
func brute(g model.Graph, services map[string]string, start string) map[string]string {
	type pair struct{ from, to string }
	edges := make(map[string][]pair)
	for _, e := range g.Edges {
		edges[e.Kind] = append(edges[e.Kind], pair{e.From, e.To})
	}
	rank := map[string]int{"": 0, model.EffectDegraded: 1, model.EffectAffected: 2, model.EffectDown: 3}
	state := map[string]string{start: model.EffectDown}
	raise := func(id, effect string) (changed bool) {
		if rank[state[id]] < rank[effect] {
			state[id] = effect
			return true
		}
		return false
	}
	is := func(id, kind string) bool { return strings.HasPrefix(id, kind+":") }
	for changed := true; changed; {
		changed = false
		for _, kind := range slices.Sorted(maps.Keys(edges)) {
			for _, e := range edges[kind] {
				switch {
				case kind == model.EdgeHas && is(e.from, model.KindSwitch), (kind == model.EdgeRuns || kind == model.EdgeHas) && is(e.from, model.KindHost):
					if state[e.from] == model.EffectDown && (is(e.to, model.KindSwitchPort) || is(e.to, model.KindService) || is(e.to, model.KindProcess)) {
						changed = raise(e.to, model.EffectDown) || changed
					}
				case kind == model.EdgeWiredTo && state[e.to] == model.EffectDown:
					changed = raise(e.from, model.EffectDown) || changed // one wire each here
				case kind == model.EdgeOwns && state[e.to] == model.EffectDown:
					effect := model.EffectDown
					for _, o := range edges[model.EdgeOwns] {
						if o.from == e.from && state[o.to] != model.EffectDown {
							effect = model.EffectDegraded
						}
					}
					changed = raise(e.from, effect) || changed
				case kind == model.EdgeRunsAs && rank[state[e.to]] >= 2:
					changed = raise(e.from, state[e.to]) || changed
				case kind == model.EdgeDependsOn && rank[state[e.to]] >= 2:
					effect := model.EffectAffected
					for _, o := range edges[model.EdgeDependsOn] {
						if o.from == e.from && o.to != e.to && services[o.to] == services[e.to] && rank[state[o.to]] < 2 {
							effect = model.EffectDegraded
						}
					}
					changed = raise(e.from, effect) || changed
				}
			}
		}
	}
	return state
}

// On random estates Impact tells what trying everything tells.
func TestImpactAgainstBruteForce(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t)
		hosts := 3 + r.IntN(6)
		for h := range hosts {
			host := fmt.Sprint("h", h)
			for i := range 1 + r.IntN(2) {
				w.link(host, fmt.Sprint("eth", i), fmt.Sprintf("02:00:00:%02x:00:%02x", h, i), addresses(fmt.Sprintf("10.%d.0.%d/24", i, h+1)))
				w.wired(host, fmt.Sprint("eth", i), fmt.Sprintf("00:1b:fc:00:00:%02x", r.IntN(3)), fmt.Sprintf("p%d-%d", h, i))
			}
			w.listen(host, fmt.Sprintf("/usr/bin/app%d", h%3), fmt.Sprintf("10.0.0.%d", h+1), uint16(1000+h%3))
		}
		for range hosts * 2 {
			from, to := r.IntN(hosts), r.IntN(hosts)
			if from != to {
				w.out(fmt.Sprint("h", from), fmt.Sprintf("/usr/bin/app%d", from%3), fmt.Sprintf("10.0.0.%d", from+1), fmt.Sprintf("10.0.0.%d", to+1), uint16(1000+to%3), model.Counters{Connections: 1})
			}
		}
		services := make(map[string]string)
		for _, s := range w.Services(ServiceFilter{}) {
			services[s.ID] = fmt.Sprint(s.Program(), s.Port)
		}
		whole := w.Graph.Graph(GraphFilter{})
		for _, n := range whole.Nodes {
			if n.Kind == model.KindProcess || n.Kind == model.KindInterface {
				continue
			}
			want := brute(whole, services, n.ID)
			impact, _ := w.Impact(n.ID)
			got := map[string]string{n.ID: model.EffectDown}
			for _, v := range impact.Victims {
				got[v.ID] = v.Effect
			}
			for id, effect := range want {
				if kind, _, _ := strings.Cut(id, ":"); (kind == model.KindHost || kind == model.KindService) && got[id] != effect {
					t.Fatalf("seed %d, %s dies: %s is %q, by brute force %q", seed, n.ID, id, got[id], effect)
				}
			}
			for id := range got {
				if want[id] == "" {
					t.Fatalf("seed %d, %s dies: %s falls, and stands by brute force", seed, n.ID, id)
				}
			}
		}
	}
}

// TestImpactOfMany reads ahead, as with few victims it does not: of each tier all fall, at their
// distance.
func TestImpactOfMany(t *testing.T) {
	w := newWorld(t)
	const clients = 2 * edgesAhead
	addr := func(i int) string { return fmt.Sprintf("10.2.%d.%d", i/200, i%200+1) }
	w.listen("db", "/bin/db", "10.1.0.1", 5432)
	for i := range clients {
		host := fmt.Sprint("app-", i)
		w.listen(host, "/bin/"+host, addr(i), 80)
		w.out(host, "/bin/"+host, addr(i), "10.1.0.1", 5432, n(1))
		w.out(fmt.Sprint("web-", i), "/bin/web", fmt.Sprintf("10.3.%d.%d", i/200, i%200+1), addr(i), 80, n(1))
	}
	impact, _ := w.Impact("host:db")
	at := make(map[string]int)
	for _, v := range impact.Victims {
		kind, _, _ := strings.Cut(v.ID, "-")
		at[fmt.Sprint(v.Depth, " ", v.Effect, " ", kind)]++
	}
	want := map[string]int{"1 down service:db/db:5432": 1, "3 affected service:app": clients, "4 affected process:web": clients}
	if !maps.Equal(at, want) || impact.Services != 1+clients || impact.Hosts != 0 {
		t.Errorf("%v, %d services, %d hosts", at, impact.Services, impact.Hosts)
	}
}
