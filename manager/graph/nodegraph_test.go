package graph

import (
	"fmt"
	"slices"
	"testing"

	"cassini/model"
)

// drawnWorld has a web server and a database, and clients of each.
func drawnWorld(t *testing.T) *world {
	w := newWorld(t)
	w.listen("web", "/usr/sbin/nginx", "10.0.0.1", 80)
	w.listen("db", "/usr/bin/postgres", "10.0.0.2", 5432)
	w.listen("db", "/usr/sbin/sshd", "10.0.0.2", 22)
	w.out("web", "/usr/sbin/nginx", "10.0.0.1", "10.0.0.2", 5432, n(7))
	w.in("web", "/usr/sbin/nginx", "10.9.9.9", "10.0.0.1", 80, model.Counters{Connections: 1, Failed: 2, Open: 1})
	return w
}

func circles(p NodeGraph) (list []string) {
	for _, n := range p.Nodes {
		list = append(list, fmt.Sprintf("%s | %s | %s | %s | %s | %s | %s", n.ID, n.Title, n.Subtitle, n.MainStat, n.SecondaryStat, n.Color, n.Kind))
	}
	return list
}

func arrows(p NodeGraph) (list []string) {
	for _, e := range p.Edges {
		if e.ID == "" || e.Source == "" || e.Target == "" {
			list = append(list, fmt.Sprintf("%+v", e))
			continue
		}
		list = append(list, fmt.Sprintf("%s | %s | %s | %s | %s", e.Source, e.Target, e.MainStat, e.SecondaryStat, e.Color))
	}
	return list
}

func drawn(t *testing.T, g *Graph, f GraphFilter, limit int) NodeGraph {
	t.Helper()
	p, ok := g.NodeGraph(PanelFilter{GraphFilter: f, Limit: limit})
	if !ok {
		t.Error("not drawn")
	}
	return p
}

func TestNodeGraph(t *testing.T) {
	w := drawnWorld(t)
	w.planned("z1", "web", "db", "idle")
	w.reported("web", model.VerdictHung, "db", "z1")
	w.reported("web", model.VerdictCrashed, "idle", "z2")
	w.put(model.Name{Host: "odd", Package: model.PackageIdentity}, model.Identity{Hostname: "odd"})
	w.stop("db", "/usr/sbin/sshd", "10.0.0.2", 22)
	p := drawn(t, w.Graph, GraphFilter{NodeKinds: DefaultPanelKinds()}, 500)
	equal(t, "nodes", circles(p), []string{
		"host:db | db | host | process-hung | 1 service | orange | host",
		"host:idle | idle | host | host-crashed | 0 services | red | host",
		"host:odd | odd | host | not watched | 0 services | gray | host",
		"host:web | web | host | up | 1 service | green | host",
		"process:db/usr/bin/postgres | usr/bin/postgres | db |  |  | orange | process",
		"process:db/usr/sbin/sshd | usr/sbin/sshd | db |  |  | orange | process",
		"process:web/usr/sbin/nginx | usr/sbin/nginx | web |  |  | green | process",
		"service:db/postgres:5432 | postgres:5432 | db | listening |  | orange | service",
		"service:db/sshd:22 | sshd:22 | db | ended |  | gray | service",
		"service:web/nginx:80 | nginx:80 | web | listening |  | green | service",
		"unknown-host:10.9.9.9 | 10.9.9.9 | unknown-host |  |  | gray | unknown-host",
	})
	equal(t, "edges", arrows(p), []string{
		"host:db | host:idle | next |  | gray",
		"host:db | service:db/postgres:5432 | runs |  | gray",
		"host:db | service:db/sshd:22 | runs |  | gray",
		"host:idle | host:web | next |  | gray",
		"host:web | host:db | next |  | gray",
		"host:web | service:web/nginx:80 | runs |  | gray",
		"process:web/usr/sbin/nginx | service:db/postgres:5432 | 7 connections | 0 open | green",
		"service:db/postgres:5432 | process:db/usr/bin/postgres | runs as |  | gray",
		"service:db/sshd:22 | process:db/usr/sbin/sshd | runs as |  | gray",
		"service:web/nginx:80 | process:web/usr/sbin/nginx | runs as |  | gray",
		"unknown-host:10.9.9.9 | service:web/nginx:80 | 1 connection | 1 open, 2 failed | orange",
	})
	if p.LeftOut != 0 {
		t.Errorf("%d nodes are left out", p.LeftOut)
	}
	rings := drawn(t, w.Graph, GraphFilter{NodeKinds: []string{model.KindRing}}, 500)
	equal(t, "rings", circles(rings), []string{"ring:z1 | z1 | ring | 3 members |  | gray | ring"})
}

func TestNodeGraphOfAHost(t *testing.T) {
	p := drawn(t, drawnWorld(t).Graph, GraphFilter{NodeKinds: []string{model.KindService, model.KindProcess}, Host: "web"}, 500)
	var ids []string
	for _, n := range p.Nodes {
		ids = append(ids, n.ID)
	}
	equal(t, "nodes", ids, []string{"process:web/usr/sbin/nginx", "service:db/postgres:5432", "service:web/nginx:80"})
	if len(p.Edges) != 2 {
		t.Errorf("edges %q", arrows(p))
	}
}

// TestNodeGraphIsBounded: what has no edge goes first, and no edge hangs in the air.
func TestNodeGraphIsBounded(t *testing.T) {
	w := drawnWorld(t)
	for i := range 50 {
		w.put(model.Name{Host: fmt.Sprintf("alone-%d", i), Package: model.PackageIdentity}, model.Identity{})
	}
	all := drawn(t, w.Graph, GraphFilter{NodeKinds: DefaultPanelKinds()}, 500)
	few := drawn(t, w.Graph, GraphFilter{NodeKinds: DefaultPanelKinds()}, 7)
	if len(few.Nodes) != 7 || few.LeftOut != len(all.Nodes)-7 {
		t.Errorf("%d nodes, and %d of %d are left out", len(few.Nodes), few.LeftOut, len(all.Nodes))
	}
	there := make(map[string]bool)
	for _, n := range few.Nodes {
		there[n.ID] = true
		if !slices.ContainsFunc(all.Edges, func(e PanelEdge) bool { return e.Source == n.ID || e.Target == n.ID }) {
			t.Errorf("%s has no edge, and takes the place of one that has", n.ID)
		}
	}
	if len(few.Edges) == 0 {
		t.Error("no edges are drawn")
	}
	for _, e := range few.Edges {
		if !there[e.Source] || !there[e.Target] {
			t.Errorf("%s has an end that is not drawn", e.ID)
		}
	}
	if none := drawn(t, New(Limits{}), GraphFilter{}, 1); none.Nodes == nil || none.Edges == nil {
		t.Error("an empty graph is null")
	}
}

// TestNodeGraphAround draws what is near one node, which is never left out.
func TestNodeGraphAround(t *testing.T) {
	w := drawnWorld(t)
	ids := func(f PanelFilter) (ids []string) {
		t.Helper()
		f.NodeKinds = DefaultPanelKinds()
		p, ok := w.NodeGraph(f)
		if !ok {
			t.Fatalf("there is no %s", f.Focus)
		}
		for _, n := range p.Nodes {
			ids = append(ids, n.ID)
		}
		return ids
	}
	near := PanelFilter{Focus: "service:db/postgres:5432", Depth: 1, Limit: 500}
	equal(t, "one step", ids(near), []string{"host:db", "process:db/usr/bin/postgres", "process:web/usr/sbin/nginx", "service:db/postgres:5432"})
	near.Depth = 2
	if got := ids(near); !slices.Contains(got, "service:web/nginx:80") || slices.Contains(got, "unknown-host:10.9.9.9") {
		t.Errorf("two steps: %q", got)
	}
	near.Limit = 1
	equal(t, "one node", ids(near), []string{"service:db/postgres:5432"})
	if _, ok := w.NodeGraph(PanelFilter{Focus: "host:nobody", Depth: 1, Limit: 1}); ok {
		t.Error("nobody was drawn")
	}
}

func TestPanelGroups(t *testing.T) {
	list := []model.FunctionalGroup{
		{By: "unit", Name: "nginx.service", State: model.GroupUp, Services: 2, Hosts: 1, DependsOn: []model.GroupLink{
			{Group: "postgresql.service", GroupFigures: model.GroupFigures{Connections: 7, Failed: 1}}, {Group: "cut off"}}},
		{By: "unit", Name: "postgresql.service", State: model.GroupDegraded, Services: 1, Hosts: 2},
		{By: "unit", State: model.GroupDown},
		{By: "unit", Name: "cut off"},
	}
	p := PanelGroups(list, 3)
	equal(t, "nodes", circles(p), []string{
		"group:nginx.service | nginx.service | unit | 2 services | 1 host | green | group",
		"group:postgresql.service | postgresql.service | unit | 1 service | 2 hosts | orange | group",
		"group: | (none) | unit | 0 services | 0 hosts | red | group",
	})
	equal(t, "edges", arrows(p), []string{"group:nginx.service | group:postgresql.service | 7 connections | 0 open, 1 failed | orange"})
	if p.LeftOut != 1 {
		t.Errorf("%d are left out", p.LeftOut)
	}
}
