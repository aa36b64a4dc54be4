package graph

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/manager/groups"
	"cassini/model"
)

// groupsOf shows groups as "name state hosts/services/programs +births -deaths served>dialled members".
func (w *world) groupsOf(by string, before *Graph, tenants map[string]string) []string {
	w.t.Helper()
	got := []string{}
	facts := w.Grouping(by, "", tenants)
	for _, g := range groups.Fold(by, before.Grouping(by, "", tenants), facts, t0) {
		var uses []string
		for _, l := range g.DependsOn {
			uses = append(uses, groups.None(l.Group))
		}
		got = append(got, fmt.Sprintf("%s %s %d/%d/%d +%d -%d %d>%d [%s]", groups.None(g.Name), g.State, g.Hosts, g.Services, g.Programs,
			g.Births, g.Deaths, g.Served.Connections, g.Dialled.Connections, strings.Join(uses, " ")))
	}
	return got
}

func TestGrouping(t *testing.T) {
	w := newWorld(t)
	w.estate()
	w.labelled("db1", "", "rack", "1")
	w.labelled("db2", "rack 2")
	w.labelled("web", "", "rack", "1", "env", "prod")
	w.listen("db1", "/usr/bin/redis", "10.0.0.2", 6380, func(l *model.Listener) { l.SinceApprox = true }) // is older than the agent
	w.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.9.9.9", 25, model.Counters{Connections: 0, Failed: 2, Attempts: 2, TimedOut: 2})
	w.stop("db1", "/usr/bin/redis", "10.0.0.2", 6379)
	empty := newWorld(t).Graph
	for by, want := range map[string][]string{
		model.GroupByExecutable: {
			"/usr/bin/job up 1/0/1 +0 -0 0>1 [/usr/sbin/nginx]",
			"/usr/bin/postgres up 2/2/2 +2 -0 2>0 []",
			"/usr/bin/redis up 1/1/1 +1 -1 1>0 []",
			"/usr/sbin/nginx up 1/1/1 +1 -0 1>3 [/usr/bin/postgres /usr/bin/redis (none)]",
			"(none) unknown 0/0/0 +0 -0 0>0 []",
		},
		model.GroupBySubnet: {
			"10.0.0.0/24 up 4/4/5 +8 -1 4>4 [10.0.0.0/24 (none)]",
			"(none) unknown 0/0/0 +0 -0 0>0 []",
		},
		model.GroupBySwitch: {
			// db2 has an uplink to each, and counts on both.
			"sw-a up 4/4/5 +8 -1 4>4 [sw-a (none)]",
			"sw-b up 1/1/1 +2 -0 1>0 []",
			"(none) unknown 0/0/0 +0 -0 0>0 []",
		},
		model.GroupByLabel: {
			"env=prod up 1/1/1 +2 -0 1>3 [rack 2 (none)]",
			"rack 2 up 1/1/1 +2 -0 1>0 []",
			"rack=1 up 2/3/3 +5 -1 3>3 [rack=1 rack 2 (none)]",
			"(none) up 1/0/1 +1 -0 0>1 [env=prod rack=1]",
		},
	} {
		equal(t, by, w.groupsOf(by, empty, nil), want)
	}
	racks := groups.Fold(model.GroupByLabel, groups.Facts{}, w.Grouping(model.GroupByLabel, "rack", nil), t0)
	if len(racks) != 2 || racks[0].Name != "1" || racks[0].Hosts != 2 || racks[1].Name != "" {
		t.Errorf("by the key rack: %+v", racks)
	}
	equal(t, "tenants", w.groupsOf(model.GroupByTenant, empty, map[string]string{"web": "shop"})[:1], []string{"shop up 1/1/1 +2 -0 1>3 [(none)]"})
	// Seen from a moment at which all of that was there, nothing was born.
	for _, g := range w.groupsOf(model.GroupBySubnet, w.Graph, nil) {
		if !strings.Contains(g, "+0 -0") {
			t.Error(g)
		}
	}
}

func TestGroupingByHome(t *testing.T) {
	w := newWorld(t)
	w.container("web-1", func(c *model.Container) { c.Project = "shop" })
	w.listen("web-1", "/srv/cart", "10.0.0.1", 80, inContainer)
	w.listen("web-2", "/usr/sbin/sshd", "10.0.0.2", 22, func(l *model.Listener) { l.Cgroup = "/system.slice/sshd@7-10.0.0.2:22-10.0.0.9:555.service" })
	empty := newWorld(t).Graph
	for by, want := range map[string]string{
		model.GroupByImage: "shop/cart:1.2", model.GroupByNamespace: "shop", model.GroupByProject: "shop", model.GroupByUnit: "sshd@.service",
	} {
		list := w.groupsOf(by, empty, nil)
		if len(list) != 2 || !strings.HasPrefix(list[0], want+" up 1/1/1") || !strings.HasPrefix(list[1], "(none) up 1/1/1") {
			t.Errorf("by %s: %q, want %s", by, list, want)
		}
	}
}

func TestGroupingByRingAndDeath(t *testing.T) {
	w := newWorld(t)
	for i, host := range []string{"a", "b", "c"} {
		w.listen(host, "/usr/bin/web", fmt.Sprintf("10.0.0.%d", i+1), 80)
	}
	w.ring("a", "b")
	before := groups.Fold("", groups.Facts{}, w.Grouping(model.GroupByRing, "", nil), t0)
	if len(before) != 2 || before[0].State != model.GroupUp || before[0].Hosts != 2 || before[1].Hosts != 1 {
		t.Errorf("%+v", before)
	}
	w.says("a", model.VerdictCrashed)
	after := w.Grouping(model.GroupByRing, "", nil)
	if g := groups.Fold("", groups.Facts{}, after, t0)[0]; g.State != model.GroupDegraded || g.HostsDown != 1 || g.Deaths != 1 {
		t.Errorf("%+v", g)
	}
	w.says("b", model.VerdictShutdown)
	if g := groups.Fold("", groups.Facts{}, w.Grouping(model.GroupByRing, "", nil), t0)[0]; g.State != model.GroupDown {
		t.Errorf("%+v", g)
	}
}

// A bridge for containers says nothing of where its host is; one with a card in it does.
func TestGroupingLeavesOutInnerSubnets(t *testing.T) {
	w := newWorld(t)
	kind := func(kind, master string) func(*model.Interface) {
		return func(i *model.Interface) { i.Kind, i.Master = kind, master }
	}
	w.link("a", "docker0", "02:00:00:00:00:01", addresses("172.17.0.1/16"), kind("bridge", ""))
	w.link("a", "veth1", "02:00:00:00:00:02", kind("veth", "docker0"))
	w.link("a", "br0", "02:00:00:00:00:03", addresses("10.0.0.1/24"), kind("bridge", ""))
	w.link("a", "eth0", "02:00:00:00:00:04", kind("device", "br0"))
	w.link("a", "eth9", "02:00:00:00:00:05", addresses("10.9.0.1/24"), func(i *model.Interface) { i.Netns = "blue" })
	var names []string
	for _, th := range w.Grouping(model.GroupBySubnet, "", nil).Things {
		names = append(names, th.Groups...)
	}
	if !slices.Equal(names, []string{"10.0.0.0/24"}) {
		t.Errorf("subnets %q", names)
	}
}

func TestServiceLives(t *testing.T) {
	w := newWorld(t)
	expect := func(what string, births, deaths uint64) {
		t.Helper()
		for _, th := range w.Grouping(model.GroupByExecutable, "", nil).Things {
			if th.Kind == model.KindService && (th.Births != births || th.Deaths != deaths) {
				t.Errorf("%s: %d births, %d deaths; want %d and %d", what, th.Births, th.Deaths, births, deaths)
			}
		}
	}
	pid := func(n int, since time.Time, approx bool) func(*model.Listener) {
		return func(l *model.Listener) { l.PID, l.Since, l.SinceApprox = n, since, approx }
	}
	w.listen("a", "/web", "10.0.0.1", 80, pid(1, t0, true))
	expect("found at work", 0, 0)
	w.listen("a", "/web", "10.0.0.1", 80, pid(1, t0, true))
	expect("the agent restarts", 0, 0)
	w.stop("a", "/web", "10.0.0.1", 80)
	expect("ends", 0, 1)
	w.listen("a", "/web", "10.0.0.1", 80, pid(2, t0.Add(time.Hour), true))
	expect("was back when the agent looked", 1, 1)
	w.listen("a", "/web", "10.0.0.1", 80, pid(3, t0.Add(2*time.Hour), false))
	expect("was restarted between two documents", 2, 2)
	w.listen("a", "/web", "10.0.0.2", 80, pid(3, t0.Add(2*time.Hour), false))
	expect("listens on another address too", 2, 2)
}
