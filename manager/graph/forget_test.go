package graph

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

// forget withdraws what a host told but for some packages, and forgets it, as the manager does.
func (w *world) forget(host string, lost ...string) (events []model.Event) {
	newest := make(map[model.Name]model.Document)
	for _, d := range w.docs {
		newest[d.Name] = d
	}
	var names []model.Name
	for name, d := range newest {
		if name.Host == host && !d.Gone() && name.Package != model.PackageVerdicts && !slices.Contains(lost, name.Package) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b model.Name) int { return strings.Compare(a.String(), b.String()) })
	for _, name := range append(names, model.Name{Host: host, Package: model.PackageForgotten}) {
		w.now = w.now.Add(time.Microsecond)
		events = append(events, w.apply(model.Document{Name: name, Time: w.now})...)
	}
	return events
}

// shown is everything that can be seen of the joined facts, but for counts of documents.
func shown(t *testing.T, g *Graph) string {
	t.Helper()
	deps, _ := g.Dependencies(DependencyFilter{})
	b, err := json.MarshalIndent([]any{g.Graph(GraphFilter{}), g.Services(ServiceFilter{}), deps, g.Strangers(), g.Ports(PortFilter{Ended: true}), g.Switches(), g.HostNames(), g.Identities("")}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestAForgottenHostLeavesNothing forgets a host of random estates: the graph is as if it had
// never been, whether the view was followed or is made anew, and the host can come back.
func TestAForgottenHostLeavesNothing(t *testing.T) {
	for seed := range uint64(seeds) {
		w := newWorld(t)
		r := w.generator(seed)
		for range 120 {
			if r.IntN(4) == 0 {
				w.read(func(*view) {}) // from now on it is followed
			}
			r.any()
		}
		w.put(model.Name{Host: "3~2", Package: model.PackageIdentity}, model.Identity{Hostname: "3", MachineID: "m"})
		w.put(model.Name{Host: "bare", Package: model.PackageOS}, model.OS{Name: "Debian"})
		var lost []string // from the log, where it was damaged
		if seed%2 == 1 {
			lost = []string{model.PackageListeners, model.PackageDependencies, model.PackageNetConfig, model.PackageNeighbors, model.PackageIdentity}
		}
		w.forget("2", lost...)
		w.forget("bare")
		w.forget("3~2")
		w.check(t)
		followed := shown(t, w.Graph)
		if w.rewire(); followed != shown(t, w.Graph) {
			t.Fatalf("seed %d: the view that is followed differs: %s", seed, difference(followed, shown(t, w.Graph)))
		}
		var others []model.Document
		for _, d := range w.docs {
			if d.Host != "2" && d.Host != "bare" && d.Host != "3~2" {
				others = append(others, d)
			}
		}
		without, _ := replay(others)
		if a, b := shown(t, w.Graph), shown(t, without); a != b {
			t.Fatalf("seed %d: something is left: %s", seed, difference(a, b))
		}
		w.leavesNothing("2")
		replayed, events := replay(w.docs)
		if a, b := shown(t, w.Graph), shown(t, replayed); a != b || fmt.Sprint(events) != fmt.Sprint(w.seen) {
			t.Fatalf("seed %d: a replay differs: %s", seed, difference(a, b))
		}
		w.listen("2", "/nginx", "10.0.0.2", 80)
		if !slices.Contains(w.HostNames(), "2") {
			t.Fatalf("seed %d: it does not come back", seed)
		}
	}
}

// leavesNothing looks where hosts are kept by their names.
func (w *world) leavesNothing(host string) {
	w.t.Helper()
	left := func(what string, is bool) {
		if is {
			w.t.Errorf("%s are left", what)
		}
	}
	left("neighbors that ended", w.unheard[host] > 0)
	for _, names := range w.machines {
		left("machines", slices.Contains(names, host))
	}
	for s := range w.services.all() {
		left("services", strings.HasPrefix(s.id, "service:"+host+"/"))
	}
	for a := range w.addresses.all() {
		left("owners of addresses", slices.ContainsFunc(a.owners, func(p *place) bool { return p.host == host }))
	}
	for d := range w.allDependencies() {
		left("dependencies", d.host == host)
	}
	for name := range w.keptNames() {
		left(name.Package, name.Host == host)
	}
}

// keptNames are the names of all that is kept by name.
func (w *world) keptNames() map[model.Name]bool {
	all := make(map[model.Name]bool)
	namesOf(all, w.Graph.seen)
	namesOf(all, w.clients)
	namesOf(all, w.servers)
	namesOf(all, w.forwarding)
	namesOf(all, w.Graph.routes)
	namesOf(all, w.rules)
	namesOf(all, w.containers)
	namesOf(all, w.herds)
	namesOf(all, w.Graph.asked)
	namesOf(all, w.translations.byName)
	return all
}

func namesOf[T any](all map[model.Name]bool, of map[model.Name]T) {
	for n := range of {
		all[n] = true
	}
}

// TestForgottenHostIsNoIncident ends what is open of a host that is forgotten, and finds
// nothing gone that went with it.
func TestForgottenHostIsNoIncident(t *testing.T) {
	w := newWorld(t)
	w.listen("h", "/nginx", "10.0.0.1", 80)
	w.listen("other", "/db", "10.0.0.2", 5432)
	w.pass(time.Hour)
	w.reported("other", model.VerdictCrashed, "h", "z")
	if len(w.Incidents(true)) != 1 {
		t.Fatalf("open: %v", w.Incidents(true))
	}
	if got := kinds(w.forget("h")); !slices.Contains(got, model.EventIncidentClosed) || !slices.Contains(got, model.EventHostForgotten) {
		t.Errorf("events %v", got)
	}
	w.pass(2 * time.Hour)
	w.forget("other") // of which nothing was said
	w.pass(2 * time.Hour)
	if open := w.Incidents(true); len(open) > 0 {
		t.Errorf("open: %+v", open)
	}
	if _, ok := w.incidents.Status("h"); ok {
		t.Error("its state is remembered")
	}
	if got := kinds(w.forget("h")); len(got) > 0 {
		t.Errorf("forgotten again: %v", got)
	}
}

// TestSpent tells which documents can be withdrawn: of what ended long ago, of interfaces that
// are gone, and of what was forgotten at a bound; and no longer once they are.
func TestSpent(t *testing.T) {
	w := newWorld(t)
	w.Graph = New(Limits{EndedPerHost: 2, Dependencies: 10})
	w.NoteSpent()
	spent := func(ago time.Duration) (list []string) {
		for _, n := range w.Spent(w.now.Add(-ago), 1000) {
			list = append(list, n.String())
		}
		slices.Sort(list)
		return list
	}
	w.listen("h", "/a", "10.0.0.1", 80)
	w.stop("h", "/a", "10.0.0.1", 80)
	w.listen("h", "/a", "10.0.0.1", 81)
	equal(t, "soon", spent(time.Hour), nil)
	w.now = w.now.Add(2 * time.Hour)
	equal(t, "later", spent(time.Hour), []string{"listeners.h.tcp/10.0.0.1/80"})
	w.put(model.Name{Host: "h", Package: model.PackageListeners, Key: "tcp/10.0.0.1/80"}, nil)
	equal(t, "withdrawn", spent(time.Hour), nil)
	if n := len(w.Services(ServiceFilter{})); n != 1 {
		t.Errorf("%d services, want the one that listens", n)
	}
	gone := model.Interface{Name: "veth7", State: model.InterfaceGone}
	w.put(model.Name{Host: "h", Package: model.PackageNetConfig, Key: gone.Key()}, gone)
	equal(t, "interface", spent(time.Hour), []string{"netconfig.h.veth7"})
	w.put(model.Name{Host: "h", Package: model.PackageNetConfig, Key: gone.Key()}, model.Interface{Name: "veth7", State: model.InterfacePresent})
	equal(t, "it is back", spent(time.Hour), nil)
	for port := range 5 {
		w.listen("h", "/b", "10.0.0.1", uint16(100+port))
		w.stop("h", "/b", "10.0.0.1", uint16(100+port))
	}
	equal(t, "more than the bound", spent(time.Hour), []string{"listeners.h.tcp/10.0.0.1/100", "listeners.h.tcp/10.0.0.1/101", "listeners.h.tcp/10.0.0.1/102"})
	for port := range 11 {
		w.out("h", "/c", "10.0.0.1", "10.0.0.9", uint16(200+port), n(1))
	}
	if got := spent(time.Hour); len(got) != 4 || !strings.HasPrefix(got[0], "dependencies.h.out/c/") {
		t.Errorf("dependencies: %v", got)
	}
	if got := w.Spent(w.now, 2); len(got) != 2 {
		t.Errorf("asked for two: %v", got)
	}
}

// TestNumbersOfServicesAreGivenBack lets new kinds of services come without end.
func TestNumbersOfServicesAreGivenBack(t *testing.T) {
	w := newWorld(t)
	w.Graph = New(Limits{EndedPerHost: 5})
	for i := range 100 {
		w.read(func(*view) {})
		exe := fmt.Sprint("/job-", i)
		w.listen("h", exe, "10.0.0.1", 80)
		w.stop("h", exe, "10.0.0.1", 80)
	}
	if n := len(w.replicas.byName); n > 6 || n != len(w.replicas.by) {
		t.Errorf("%d names and %d numbers of services, with 5 services", n, len(w.replicas.by))
	}
}
