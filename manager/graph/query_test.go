package graph

import (
	"fmt"
	"net/netip"
	"testing"

	"cassini/model"
)

// chain: curl -> nginx -> app -> postgres on three hosts, and postgres -> nginx
// closes a cycle.
func chain(t *testing.T) *world {
	w := newWorld(t)
	w.listen("web", "/nginx", "10.0.0.1", 80)
	w.listen("app", "/app", "10.0.0.2", 8080)
	w.listen("db", "/postgres", "10.0.0.3", 5432)
	w.out("pc", "/curl", "10.0.0.9", "10.0.0.1", 80, n(1))
	w.out("web", "/nginx", "10.0.0.1", "10.0.0.2", 8080, n(2))
	w.out("app", "/app", "10.0.0.2", "10.0.0.3", 5432, n(3))
	w.out("db", "/postgres", "10.0.0.3", "10.0.0.1", 80, n(4))
	w.out("db", "/curl", "10.0.0.3", "10.0.0.77", 80, n(5))
	return w
}

func TestTraversal(t *testing.T) {
	const (
		curl  = "process:pc/curl -> service:web/nginx:80 1/0 [client]"
		nginx = "process:web/nginx -> service:app/app:8080 2/0 [client]"
		app   = "process:app/app -> service:db/postgres:5432 3/0 [client]"
		pg    = "process:db/postgres -> service:web/nginx:80 4/0 [client]"
		away  = "process:db/curl -> service:10.0.0.77:80 5/0 [client]"
	)
	w := chain(t)
	down := func(id string, depth int) DependencyFilter {
		return DependencyFilter{Of: id, Down: true, Depth: depth}
	}
	up := func(id string, depth int) DependencyFilter {
		return DependencyFilter{Of: id, Up: true, Depth: depth}
	}
	for name, tt := range map[string]struct {
		f    DependencyFilter
		want []string
	}{
		"process down 1":  {down("process:pc/curl", 1), []string{curl}},
		"process down 2":  {down("process:pc/curl", 2), []string{curl, nginx}},
		"process down 64": {down("process:pc/curl", 64), []string{app, pg, curl, nginx}},
		"service down 1":  {down("service:web/nginx:80", 1), []string{nginx}},
		"service up 1":    {up("service:db/postgres:5432", 1), []string{app}},
		"service up 2":    {up("service:db/postgres:5432", 2), []string{app, nginx}},
		"service up 64":   {up("service:db/postgres:5432", 64), []string{app, pg, curl, nginx}},
		"process up 1":    {up("process:web/nginx", 1), []string{pg, curl}},
		"host down 1":     {down("host:db", 1), []string{away, pg}},
		"host up 1":       {up("host:db", 1), []string{app}},
		"both":            {DependencyFilter{Of: "service:app/app:8080", Up: true, Down: true, Depth: 1}, []string{app, nginx}},
		"absent up":       {up("service:10.0.0.77:80", 9), []string{away}},
		"depth 0":         {down("host:db", 0), []string{}},
		"host":            {DependencyFilter{Host: "db"}, []string{app, away, pg}},
	} {
		t.Run(name, func(t *testing.T) { equal(t, name, w.edges(tt.f), tt.want) })
	}
	if _, ok := w.Dependencies(down("service:nothing", 1)); ok {
		t.Error("found what is not there")
	}
}

// TestReach tells of the chain by names, with the fewest steps that lead to each.
func TestReach(t *testing.T) {
	w := chain(t)
	for name, tt := range map[string]struct {
		f    DependencyFilter
		want []string
	}{
		"down": {DependencyFilter{Of: "process:pc/curl", Down: true, Depth: 3}, []string{"process:app/app service:db/postgres:5432 3", "process:pc/curl service:web/nginx:80 1", "process:web/nginx service:app/app:8080 2"}},
		"up":   {DependencyFilter{Of: "service:db/postgres:5432", Up: true, Depth: 2}, []string{"process:app/app service:db/postgres:5432 1", "process:web/nginx service:app/app:8080 2"}},
		"both, in a circle": {DependencyFilter{Of: "service:app/app:8080", Up: true, Down: true, Depth: 3}, []string{
			"process:app/app service:db/postgres:5432 1", "process:db/postgres service:web/nginx:80 2", "process:pc/curl service:web/nginx:80 2", "process:web/nginx service:app/app:8080 1"}},
		"of a host": {DependencyFilter{Of: "service:app/app:8080", Up: true, Depth: 2, Host: "pc"}, []string{"process:pc/curl service:web/nginx:80 2"}},
		"all":       {DependencyFilter{Host: "app"}, []string{"process:app/app service:db/postgres:5432 0", "process:web/nginx service:app/app:8080 0"}},
	} {
		list, ok := w.Reach(tt.f)
		got := make([]string, len(list))
		for i, r := range list {
			got[i] = fmt.Sprint(r.Client, " ", r.Server, " ", r.Depth)
		}
		if equal(t, name, got, tt.want); !ok {
			t.Errorf("%s: nothing there", name)
		}
	}
	if list, ok := w.Reach(DependencyFilter{Of: "host:nobody", Down: true, Depth: 1}); ok || list == nil {
		t.Errorf("%v, %v of what is not there", list, ok)
	}
}

func nodeIDs(nodes []model.Node) []string {
	ids := []string{}
	for _, n := range nodes {
		ids = append(ids, n.ID)
	}
	return ids
}

func TestNodesAndEdges(t *testing.T) {
	w := chain(t)
	equal(t, "kind", nodeIDs(w.Nodes(NodeFilter{Kinds: []string{model.KindHost}})), []string{"host:app", "host:db", "host:pc", "host:web"})
	equal(t, "host", nodeIDs(w.Nodes(NodeFilter{Host: "app"})),
		[]string{"endpoint:app/tcp/10.0.0.2:8080", "host:app", "process:app/app", "service:app/app:8080"})
	equal(t, "limit", nodeIDs(w.Nodes(NodeFilter{Limit: 1})), []string{"endpoint:app/tcp/10.0.0.2:8080"})
	equal(t, "text", nodeIDs(w.Nodes(NodeFilter{Text: "10.0.0.77"})), []string{"service:10.0.0.77:80"})
	equal(t, "text in attributes", nodeIDs(w.Nodes(NodeFilter{Text: "POSTGRES -x"})), []string{"process:db/postgres", "service:db/postgres:5432"})
	if e := w.Edges(EdgeFilter{Kinds: []string{model.EdgeDependsOn}, From: "process:db/curl"}); len(e) != 1 || e[0].Attrs["connections"] != uint64(5) {
		t.Errorf("edges %+v", e)
	}
	if e := w.Edges(EdgeFilter{To: "service:web/nginx:80", Limit: 2}); len(e) != 2 {
		t.Errorf("edges %+v", e)
	}
	if e := w.Edges(EdgeFilter{Kinds: []string{model.EdgeRunsAs, model.EdgeListensOn}}); len(e) != 6 {
		t.Errorf("edges %+v", e)
	}
}

func TestNeighbourhood(t *testing.T) {
	w := chain(t)
	part, ok := w.Neighbourhood("process:db/curl", 1)
	if !ok {
		t.Fatal("not found")
	}
	equal(t, "depth 1", nodeIDs(part.Nodes), []string{"host:db", "process:db/curl", "service:10.0.0.77:80"})
	if len(part.Edges) != 2 {
		t.Errorf("edges %+v", part.Edges)
	}
	part, _ = w.Neighbourhood("process:db/curl", 8)
	if whole := w.Graph.Graph(GraphFilter{}); len(part.Nodes) != len(whole.Nodes) || len(part.Edges) != len(whole.Edges) {
		t.Errorf("8 steps reach %d of %d nodes", len(part.Nodes), len(whole.Nodes))
	}
	equal(t, "suggestions", w.Suggest("service:wob/postgres:9", 3), []string{"process:db/postgres", "service:db/postgres:5432"})
}

func TestGraphOfAHostHasFarEnds(t *testing.T) {
	w := chain(t)
	part := w.Graph.Graph(GraphFilter{Host: "db", NodeKinds: []string{model.KindProcess, model.KindService}})
	equal(t, "nodes", nodeIDs(part.Nodes), []string{"process:app/app", "process:db/curl", "process:db/postgres",
		"service:10.0.0.77:80", "service:db/postgres:5432", "service:web/nginx:80"})
	if len(part.Edges) != 4 {
		t.Errorf("edges %+v", part.Edges)
	}
	part = w.Graph.Graph(GraphFilter{EdgeKinds: []string{model.EdgeRunsAs}})
	if len(part.Nodes) != 6 || len(part.Edges) != 3 {
		t.Errorf("of the edges runs_as: %+v", part)
	}
	part, _ = w.DependencyGraph(DependencyFilter{Of: "host:pc", Down: true, Depth: 1})
	equal(t, "as a graph", nodeIDs(part.Nodes), []string{"process:pc/curl", "service:web/nginx:80"})
}

// TestTraversalOfCyclesEnds would take 9^64 steps if it went round in circles.
func TestTraversalOfCyclesEnds(t *testing.T) {
	w := newWorld(t)
	for i := range 10 {
		addr := netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}).String()
		w.listen(fmt.Sprint(i), "/x", addr, 80)
		for j := range 10 {
			w.out(fmt.Sprint(i), "/x", addr, netip.AddrFrom4([4]byte{10, 0, 0, byte(j)}).String(), 80, n(1))
		}
	}
	if got := w.edges(DependencyFilter{Of: "service:3/x:80", Up: true, Down: true, Depth: 64}); len(got) != 100 {
		t.Errorf("%d of 100", len(got))
	}
}
