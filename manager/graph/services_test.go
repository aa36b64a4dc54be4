package graph

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"cassini/model"
)

func (w *world) one() model.Service {
	w.t.Helper()
	s := w.Services(ServiceFilter{})
	if len(s) != 1 {
		w.t.Fatalf("services %+v", s)
	}
	return s[0]
}

func TestServiceLivesWhileAnyListenerDoes(t *testing.T) {
	w := newWorld(t)
	w.listen("web", "/nginx", "10.0.0.1", 80)
	w.listen("web", "/nginx", "0.0.0.0", 80)
	w.listen("web", "/nginx", "::", 80)
	if s := w.one(); s.Addr.String() != "0.0.0.0" || len(s.Addrs) != 3 || !s.Since.Equal(t0) {
		t.Errorf("got %+v", s)
	}
	w.stop("web", "/nginx", "0.0.0.0", 80)
	if s := w.one(); s.State != model.StateListening || s.Addr.String() != "::" || s.Ended != nil {
		t.Errorf("got %+v", s)
	}
	w.now = w.now.Add(time.Hour)
	w.stop("web", "/nginx", "10.0.0.1", 80)
	w.stop("web", "/nginx", "::", 80)
	if s := w.one(); s.State != model.StateEnded || len(s.Addrs) != 2 || s.Ended == nil || !s.Ended.Equal(w.now) {
		t.Errorf("got %+v", s)
	}
}

// One address on two interfaces is two listeners, of one program or of two.
func TestOneAddressOnTwoInterfaces(t *testing.T) {
	w := newWorld(t)
	on := func(name string) func(*model.Listener) {
		return func(l *model.Listener) { l.Interfaces = []string{name} }
	}
	w.listen("vm", "/sshd", "0.0.0.0", 22, on("red"))
	w.listen("vm", "/sshd", "0.0.0.0", 22, on("blue"))
	if s := w.one(); len(s.Addrs) != 1 || !slices.Equal(s.Interfaces, []string{"blue", "red"}) {
		t.Errorf("on two: %+v", s)
	}
	w.stop("vm", "/sshd", "0.0.0.0", 22, on("red"))
	if s := w.one(); s.State != model.StateListening || !slices.Equal(s.Interfaces, []string{"blue"}) {
		t.Errorf("on one: %+v", s)
	}
	w.listen("vm", "/other", "0.0.0.0", 22, on("red"))
	if s := w.Services(ServiceFilter{State: model.StateListening}); len(s) != 2 {
		t.Errorf("another program on the other: %+v", s)
	}
	w.listen("vm", "/sshd", "0.0.0.0", 22)
	if s := w.Services(ServiceFilter{Program: "sshd"}); len(s) != 1 || len(s[0].Interfaces) != 0 {
		t.Errorf("on every one: %+v", s)
	}
}

// A document that tells of another interface than before tells of another listener: it lets go of the one
// before.
func TestDocumentOfAnotherInterface(t *testing.T) {
	w := newWorld(t)
	name := model.Name{Host: "vm", Package: model.PackageListeners, Key: "tcp/0.0.0.0/22"}
	for _, on := range [][]string{nil, {"red"}, {"blue"}} {
		l := model.Listener{Proto: "tcp", Addr: netip.IPv4Unspecified(), Port: 22, Process: proc("/sshd", 22), State: model.StateListening, Since: w.now, Sockets: 1}
		l.Interfaces = on
		w.put(name, l)
		if s := w.one(); !slices.Equal(s.Interfaces, on) {
			t.Errorf("on %q: %q", on, s.Interfaces)
		}
	}
	w.put(name, nil)
	if s := w.one(); s.State != model.StateEnded {
		t.Errorf("its document has gone, and it is %s", s.State)
	}
}

func TestAddressTakenByAnotherProgram(t *testing.T) {
	w := newWorld(t)
	w.listen("web", "/nginx", "0.0.0.0", 80)
	got := kinds(w.listen("web", "/apache2", "0.0.0.0", 80))
	equal(t, "events", got, []string{model.EventServiceEnded, model.EventServiceStarted})
	s := w.Services(ServiceFilter{State: model.StateEnded})
	if len(s) != 1 || s[0].Program() != "nginx" {
		t.Errorf("ended: %+v", s)
	}
	w.put(model.Name{Host: "web", Package: model.PackageListeners, Key: "tcp/0.0.0.0/80"}, nil)
	if s := w.Services(ServiceFilter{State: model.StateEnded}); len(s) != 2 {
		t.Errorf("after the document is gone: %+v", s)
	}
}

func TestEvents(t *testing.T) {
	w := newWorld(t)
	got := kinds(w.listen("web", "/nginx", "0.0.0.0", 80))
	equal(t, "first", got, []string{model.EventHostSeen, model.EventServiceStarted})
	got = kinds(w.listen("web", "/nginx", "::", 80))
	equal(t, "other address", got, []string{model.EventServiceChanged})
	got = kinds(w.listen("web", "/nginx", "::", 80, func(l *model.Listener) { l.PID = 99 }))
	equal(t, "other process", got, []string{model.EventServiceChanged})
	got = kinds(w.in("web", "/nginx", "127.0.0.1", "127.0.0.1", 80, n(1)))
	equal(t, "in of a local client", got, nil)
	got = kinds(w.out("web", "/curl", "127.0.0.1", "127.0.0.1", 80, n(1)))
	equal(t, "out", got, []string{model.EventDependencyNew})
	got = kinds(w.out("web", "/curl", "::1", "::1", 80, model.Counters{Failed: 1, Refused: 1}))
	equal(t, "same pair, failing", got, []string{model.EventDependencyFail})
	got = kinds(w.out("web", "/curl", "::1", "::1", 80, model.Counters{Failed: 2, Refused: 2}))
	equal(t, "still failing", got, nil)
	got = kinds(w.in("web", "/nginx", "192.0.2.1", "10.0.0.1", 80, n(1)))
	equal(t, "in of a stranger", got, []string{model.EventDependencyNew})
	w.stop("web", "/nginx", "::", 80)
	got = kinds(w.stop("web", "/nginx", "0.0.0.0", 80))
	equal(t, "end", got, []string{model.EventServiceEnded})
	for i := 1; i < len(w.seen); i++ {
		if w.seen[i].ID <= w.seen[i-1].ID || w.seen[i].Summary == "" || w.seen[i].Host != "web" {
			t.Errorf("%+v after %s", w.seen[i], w.seen[i-1].ID)
		}
	}
}

func TestHostEvents(t *testing.T) {
	w := newWorld(t)
	id := model.Identity{Hostname: "web", BootID: "1", Agent: "0.1", AgentStart: t0}
	put := func() []string {
		return kinds(w.put(model.Name{Host: "web", Package: model.PackageIdentity}, id))
	}
	equal(t, "first", put(), []string{model.EventHostSeen})
	equal(t, "again", put(), nil)
	id.BootID = "2"
	equal(t, "boot", put(), []string{model.EventHostChanged})
	id.Agent = "0.2"
	equal(t, "agent", put(), []string{model.EventHostChanged})
	os := model.OS{Name: "Debian 13", Kernel: "6.12"}
	name := model.Name{Host: "web", Package: model.PackageOS}
	equal(t, "os", kinds(w.put(name, os)), nil)
	os.Kernel = "6.18"
	equal(t, "kernel", kinds(w.put(name, os)), []string{model.EventHostChanged})
}

func TestEndedServicesAreBounded(t *testing.T) {
	w := newWorld(t)
	w.limits.EndedPerHost = 10
	for i := range 30 {
		w.listen("web", "/x", "0.0.0.0", uint16(i+1))
		w.stop("web", "/x", "0.0.0.0", uint16(i+1))
	}
	w.listen("web", "/x", "0.0.0.0", 30) // listens again
	w.stop("web", "/x", "0.0.0.0", 30)
	got := w.Services(ServiceFilter{})
	s := w.Stats()
	if len(got) != 10 || s.Forgotten != 20 || s.Services[model.StateEnded] != 10 {
		t.Fatalf("%d services, stats %+v", len(got), s)
	}
	for _, x := range got {
		if x.Port <= 20 {
			t.Errorf("kept %s, ended %v", x.ID, x.Ended)
		}
	}
	if h := w.hosts["web"]; len(h.described) != 10 || len(h.places[0].services) != 10 {
		t.Errorf("left behind: %v %v", h.described, h.places)
	}
}

func TestNotUnderstood(t *testing.T) {
	w := newWorld(t)
	for _, pkg := range []string{model.PackageListeners, model.PackageDependencies, model.PackageIdentity, model.PackageOS, "quux"} {
		w.put(model.Name{Host: "web", Package: pkg, Key: "k"}, []int{1})
		w.put(model.Name{Host: "web", Package: pkg, Key: "k"}, map[string]any{"addr": "nonsense"})
	}
	s := w.Stats()
	if s.Rejected[model.PackageListeners] != 2 || s.Rejected[model.PackageDependencies] != 2 || s.Rejected["other"] != 2 || s.Documents != 10 {
		t.Errorf("got %+v", s)
	}
	if fmt.Sprint(s.Nodes) != "map[host:1]" {
		t.Errorf("nodes %v", s.Nodes)
	}
}
