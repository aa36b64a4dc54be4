package graph

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"cassini/model"
)

func (w *world) asked(host, netns, addr string, names ...string) {
	w.t.Helper()
	a := model.Asked{Addr: netip.MustParseAddr(addr), Netns: netns}
	for i, name := range names {
		a.Names = append(a.Names, model.AskedName{Name: name, First: w.now.Add(-time.Duration(i) * time.Minute)})
	}
	w.put(model.Name{Host: host, Package: model.PackageNames, Key: a.Key()}, a)
}

// A name that somebody asked for is on the dependency and on what no agent knows, and
// joins nothing: whoever answers can put any address under any name.
func TestAskedAs(t *testing.T) {
	w := newWorld(t)
	w.listen("db-1", "/usr/bin/postgres", "10.0.0.5", 5432)
	w.in("db-1", "/usr/bin/postgres", "10.0.0.9", "10.0.0.5", 5432, n(1))
	w.out("web-1", "/srv/cart", "10.0.0.1", "93.184.216.34", 443, n(1))
	w.out("web-1", "/srv/cart", "10.0.0.1", "10.0.0.5", 5432, n(1))
	w.out("web-2", "/srv/cart", "10.0.0.2", "93.184.216.34", 443, n(1))
	w.out("web-2", "/srv/cart", "10.0.0.2", "198.51.100.1", 443, n(1))
	before := w.edges(DependencyFilter{})

	w.asked("web-1", "", "93.184.216.34", "api.example.com", "cdn.example.net")
	w.asked("web-1", "", "10.0.0.5", "db.internal")
	w.asked("web-1", "", "10.0.0.9", "batch.internal")
	w.asked("web-2", "", "93.184.216.34", "other.example.com")
	w.asked("web-1", "blue", "198.51.100.1", "not.here") // neither this host nor this namespace
	equal(t, "dependencies", w.edges(DependencyFilter{}), before)

	list, _ := w.Dependencies(DependencyFilter{})
	var got []string
	for _, d := range list {
		got = append(got, fmt.Sprint(d.Client.Host, " ", d.Server.ID, " ", d.AskedAs))
	}
	equal(t, "asked as", got, []string{
		"web-1 service:93.184.216.34:443 [api.example.com cdn.example.net]",
		"web-1 service:db-1/postgres:5432 [db.internal]",
		"web-2 service:198.51.100.1:443 []",
		"web-2 service:93.184.216.34:443 [other.example.com]",
		" service:db-1/postgres:5432 []",
	})
	for id, want := range map[string]string{
		"service:93.184.216.34:443":     "[other.example.com api.example.com cdn.example.net]",
		"service:db-1/postgres:5432":    "<nil>", // an agent says what it is
		"unknown-host:10.0.0.9":         "[batch.internal]",
		"service:198.51.100.1:443":      "<nil>",
		"process:web-1/srv/cart":        "<nil>",
		"process:db-1/usr/bin/postgres": "<nil>",
	} {
		part, ok := w.Neighbourhood(id, 0)
		if !ok {
			t.Fatalf("no node %s", id)
		}
		if got := fmt.Sprint(part.Nodes[0].Attrs["asked_as"]); got != want {
			t.Errorf("%s: got %s, want %s", id, got, want)
		}
	}
	found := w.Find("api.example")
	if len(found) != 1 || found[0].ID != "service:93.184.216.34:443" {
		t.Errorf("found %+v", found)
	}
	w.put(model.Name{Host: "web-1", Package: model.PackageNames, Key: "93.184.216.34"}, nil)
	if list, _ := w.Dependencies(DependencyFilter{}); list[0].AskedAs != nil {
		t.Errorf("forgotten, and still %v", list[0].AskedAs)
	}
}

func TestAskedIsBounded(t *testing.T) {
	w := newWorld(t)
	w.Graph = New(Limits{Sightings: 10})
	for i := range 100 {
		w.asked("web-1", "", fmt.Sprintf("192.0.2.%d", i), "x.example")
	}
	if len(w.Graph.asked) > 10 {
		t.Errorf("%d kept", len(w.Graph.asked))
	}
	w.put(model.Name{Host: "web-1", Package: model.PackageNames, Key: "192.0.2.1"}, model.Asked{Addr: netip.MustParseAddr("192.0.2.2")})
	if got := w.Stats().Rejected[model.PackageNames]; got != 1 {
		t.Errorf("one that is not what its name says: %d rejected", got)
	}
}
