package graph

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"cassini/model"
)

var t0 = time.Date(2026, 11, 20, 19, 0, 0, 0, time.UTC)

// world feeds a graph as a manager does.
type world struct {
	*Graph
	t    testing.TB
	now  time.Time
	docs []model.Document
	seen []model.Event
}

func newWorld(t testing.TB) *world { return &world{Graph: New(Limits{}), t: t, now: t0} }

func (w *world) put(name model.Name, body any, edit ...func(*model.Document)) []model.Event {
	w.t.Helper()
	w.now = w.now.Add(time.Second)
	doc, err := model.NewDocument(name, w.now, body)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range edit {
		f(&doc)
	}
	return w.apply(doc)
}

func (w *world) apply(doc model.Document) []model.Event {
	w.docs = append(w.docs, doc)
	e := w.Apply(fmt.Sprintf("%08d.%s.%s", len(w.docs), doc.Package, doc.Host), doc)
	w.seen = append(w.seen, e...)
	return e
}

func proc(exe string, pid int) model.Process {
	return model.Process{PID: pid, Exe: exe, Cmdline: []string{exe, "-x"}, UID: "www", GID: "www", Cwd: "/"}
}

func (w *world) listen(host, exe, addr string, port uint16, edit ...func(*model.Listener)) []model.Event {
	w.t.Helper()
	l := model.Listener{Proto: "tcp", Addr: netip.MustParseAddr(addr), Port: port, Process: proc(exe, int(port)), State: model.StateListening, Since: w.now, Sockets: 1}
	for _, f := range edit {
		f(&l)
	}
	return w.put(model.Name{Host: host, Package: model.PackageListeners, Key: l.Key()}, l)
}

func (w *world) stop(host, exe, addr string, port uint16, more ...func(*model.Listener)) []model.Event {
	w.t.Helper()
	return w.listen(host, exe, addr, port, append(more, func(l *model.Listener) {
		l.State, l.Ended, l.Since = model.StateEnded, &w.now, t0
	})...)
}

// dep makes a dependency document's body.
func (w *world) dep(dir model.Direction, exe, client, server string, port uint16, c model.Counters) model.Dependency {
	return model.Dependency{
		Direction: dir, Proto: "tcp", Process: proc(exe, 4000), Client: netip.MustParseAddr(client), Server: netip.MustParseAddr(server), Port: port,
		Counters: c, FirstSeen: w.now, LastSeen: w.now, CountingSince: t0,
	}
}

func (w *world) putDep(host string, d model.Dependency) []model.Event {
	w.t.Helper()
	return w.put(model.Name{Host: host, Package: model.PackageDependencies, Key: d.Key()}, d)
}

func (w *world) out(host, exe, client, server string, port uint16, c model.Counters) []model.Event {
	w.t.Helper()
	return w.putDep(host, w.dep(model.Out, exe, client, server, port, c))
}

func (w *world) in(host, exe, client, server string, port uint16, c model.Counters) []model.Event {
	w.t.Helper()
	return w.putDep(host, w.dep(model.In, exe, client, server, port, c))
}

// edges are the dependencies as "client -> server connections/failed seen-by".
func (w *world) edges(f DependencyFilter) []string {
	w.t.Helper()
	list, ok := w.Dependencies(f)
	if !ok {
		w.t.Fatalf("no node %s", f.Of)
	}
	got := []string{}
	for _, d := range list {
		got = append(got, fmt.Sprintf("%s -> %s %d/%d %v", d.Client.ID, d.Server.ID, d.Connections, d.Failed, d.SeenBy))
	}
	return got
}

func (w *world) expect(want ...string) {
	w.t.Helper()
	equal(w.t, "dependencies", w.edges(DependencyFilter{}), want)
}

func equal(t testing.TB, what string, got, want []string) {
	t.Helper()
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func kinds(events []model.Event) []string {
	list := []string{}
	for _, e := range events {
		list = append(list, e.Kind)
	}
	return list
}

func n(connections uint64) model.Counters { return model.Counters{Connections: connections} }
