package graph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"cassini/model"
)

// chain makes services s0, s1, ... of hosts of their own, and says who needs whom.
func (w *world) chain(n int, needs ...[2]int) {
	addr := func(i int) string { return fmt.Sprintf("10.0.%d.%d", i/200, 1+i%200) }
	for i := range n {
		host := fmt.Sprintf("h%d", i)
		w.link(host, "eth0", fmt.Sprintf("02:00:00:00:%02x:%02x", i/256, i%256), addresses(addr(i)+"/16"))
		w.listen(host, "/usr/bin/s", addr(i), 80)
	}
	for _, need := range needs {
		w.out(fmt.Sprintf("h%d", need[0]), "/usr/bin/s", addr(need[0]), addr(need[1]), 80, model.Counters{Connections: 1})
	}
}

func cycles(w *world) (lines []string) {
	for _, c := range w.Cycles() {
		text := strings.NewReplacer("service:", "", "/s:80", "").Replace(strings.Join(c.Services, ">") + " " + strings.Join(c.Others, ","))
		lines = append(lines, strings.TrimSpace(text))
	}
	return lines
}

func TestCycles(t *testing.T) {
	for name, c := range map[string]struct {
		needs [][2]int
		want  []string
	}{
		"none":             {[][2]int{{0, 1}, {1, 2}, {0, 2}}, nil},
		"itself is none":   {[][2]int{{0, 0}}, nil},
		"two":              {[][2]int{{0, 1}, {1, 0}, {1, 2}}, []string{"h0>h1"}},
		"three":            {[][2]int{{0, 1}, {1, 2}, {2, 0}}, []string{"h0>h1>h2"}},
		"two knots":        {[][2]int{{0, 1}, {1, 0}, {2, 3}, {3, 4}, {4, 2}, {1, 2}}, []string{"h0>h1", "h2>h3>h4"}},
		"a shorter circle": {[][2]int{{0, 1}, {1, 2}, {2, 0}, {1, 0}}, []string{"h0>h1 h2"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.chain(5, c.needs...)
			if got := cycles(w); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// TestCyclesOfAnything: what is told is a circle, and who is in one is told.
func TestCyclesOfAnything(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 0))
		const n = 12
		var needs [][2]int
		reach := [n][n]bool{}
		for range 4 + r.IntN(16) {
			a, b := r.IntN(n), r.IntN(n)
			if a != b {
				needs = append(needs, [2]int{a, b})
				reach[a][b] = true
			}
		}
		edge := reach
		for k := range n {
			for i := range n {
				for j := range n {
					reach[i][j] = reach[i][j] || reach[i][k] && reach[k][j]
				}
			}
		}
		w := newWorld(t)
		w.chain(n, needs...)
		told := make(map[int]bool)
		for _, c := range w.Cycles() {
			for i, id := range c.Services {
				var a, b int
				fmt.Sscanf(id, "service:h%d/", &a)
				fmt.Sscanf(c.Services[(i+1)%len(c.Services)], "service:h%d/", &b)
				if !edge[a][b] {
					t.Fatalf("seed %d: %v is no circle", seed, c.Services)
				}
			}
			for _, id := range slices.Concat(c.Services, c.Others) {
				var a int
				fmt.Sscanf(id, "service:h%d/", &a)
				told[a] = true
			}
		}
		for i := range n {
			if told[i] != reach[i][i] {
				t.Fatalf("seed %d: h%d in a circle: %v, told %v", seed, i, reach[i][i], told[i])
			}
		}
	}
}

func TestUnmonitored(t *testing.T) {
	w := newWorld(t)
	w.estate()
	w.ring("web", "db1", "db2")
	w.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.9.9.9", 389, model.Counters{Connections: 1})
	w.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.0.0.2", 99, model.Counters{Attempts: 1, Failed: 1, Refused: 1})
	w.putDep("web", w.dep(model.In, "/usr/sbin/nginx", "10.9.9.8", "10.0.0.1", 80, model.Counters{Connections: 1}))
	var got []string
	for _, u := range w.Unmonitored() {
		got = append(got, u.ID+": "+u.Why)
	}
	want := []string{
		"service:10.0.0.2:99: 1 program dials it, and db1's agent sees nothing listen there",
		"service:10.9.9.9:389: 1 program dials it, and no agent knows it",
		"host:job: no other host watches it",
		"unknown-host:10.9.9.8: no agent reports from there",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAddressesOfAll(t *testing.T) {
	w := newWorld(t)
	w.estate()
	w.link("twin", "eth0", "02:00:00:00:00:77", addresses("10.0.0.1/24"))
	w.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.9.9.9", 389, model.Counters{Connections: 1})
	w.putDep("web", w.dep(model.In, "/usr/sbin/nginx", "10.9.9.8", "10.0.0.1", 80, model.Counters{Connections: 1}))
	states := make(map[string]string)
	for _, a := range w.AllAddresses("") {
		states[a.Addr.String()] = a.State
	}
	if states["10.0.0.1"] != model.AddressShared || states["10.0.0.2"] != model.AddressOwned || states["10.9.9.9"] != model.AddressUnknown {
		t.Errorf("got %v", states)
	}
	if got := w.AllAddresses(model.AddressUnknown); len(got) != 2 || got[0].Owners[0] != "unknown-host:10.9.9.8" || got[1].Owners[0] != "service:10.9.9.9:389" {
		t.Errorf("unknown are %+v", got)
	}
}
