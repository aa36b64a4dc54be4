package graph

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"cassini/model"
)

// herd tells of the lives of a program, as an agent that began to count at a minute.
func (w *world) herd(host string, minute int, l model.Lives) []model.Event {
	w.t.Helper()
	p := model.Program{Process: proc("/usr/bin/job", 7), Lives: l, Since: t0.Add(time.Duration(minute) * time.Minute), Last: w.now, CountingSince: t0.Add(time.Duration(minute) * time.Minute)}
	return w.put(model.Name{Host: host, Package: model.PackagePrograms, Key: p.Key()}, p)
}

func TestLivesAddUp(t *testing.T) {
	w := newWorld(t)
	w.out("a", "/usr/bin/job", "10.0.0.1", "10.0.0.2", 80, n(3))
	expect := func(what string, lives, births, deaths, alive uint64) {
		t.Helper()
		nodes := w.Nodes(NodeFilter{Kinds: []string{model.KindProcess}, Text: "job"})
		if len(nodes) != 1 {
			t.Fatalf("%d nodes", len(nodes))
		}
		a := nodes[0].Attrs
		got, want := fmt.Sprint(a["lives"], a["births"], a["deaths"], a["alive"]), fmt.Sprint(lives, births, deaths, alive)
		if lives == 0 {
			want = fmt.Sprint(nil, nil, nil, nil)
		}
		if got != want {
			t.Errorf("%s: lives, births, deaths and alive are %s, want %s", what, got, want)
		}
	}
	expect("one life", 0, 0, 0, 0)
	w.herd("a", 1, model.Lives{Births: 2, Deaths: 1})
	expect("the second", 2, 2, 1, 1)
	w.herd("a", 1, model.Lives{Births: 300, Deaths: 298})
	expect("three hundred", 300, 300, 298, 2)
	w.herd("a", 60, model.Lives{Found: 1, Births: 1})
	expect("the agent starts again, one of two is there", 301, 301, 299, 2)
	w.herd("a", 1, model.Lives{Births: 300, Deaths: 299})
	expect("a document comes late", 301, 301, 299, 2)
	w.herd("a", 60, model.Lives{Found: 1, Births: 10, Deaths: 11})
	expect("all ended", 310, 310, 310, 0)
	w.herd("a", 90, model.Lives{Found: 5})
	expect("five began while no agent looked", 315, 310, 310, 5)
	attrs := w.Nodes(NodeFilter{Kinds: []string{model.KindProcess}, Text: "job"})[0].Attrs
	if since, _ := attrs["since"].(time.Time); !since.Equal(t0.Add(time.Minute)) || attrs["last"] == nil {
		t.Errorf("%v", attrs)
	}
	for _, th := range w.Grouping(model.GroupByExecutable, "", nil).Things {
		if th.Kind == model.KindProcess && (th.Births != 310 || th.Deaths != 310) {
			t.Errorf("%+v", th)
		}
	}
	w.put(model.Name{Host: "a", Package: model.PackagePrograms, Key: "/usr/bin/job"}, nil)
	expect("forgotten", 0, 0, 0, 0)
	for _, bad := range []model.Program{{}, {Process: proc("/x", 1)}, {Process: proc("/usr/bin/job", 1), Lives: model.Lives{Deaths: 9}}} {
		before := w.Stats().Rejected[model.PackagePrograms]
		w.put(model.Name{Host: "a", Package: model.PackagePrograms, Key: "/usr/bin/job"}, bad)
		if w.Stats().Rejected[model.PackagePrograms] != before+1 {
			t.Errorf("taken: %+v", bad)
		}
	}
}

func TestServicesTellTheirLives(t *testing.T) {
	w := newWorld(t)
	w.listen("a", "/web", "10.0.0.1", 80)
	if attrs := w.Nodes(NodeFilter{Kinds: []string{model.KindService}})[0].Attrs; attrs["lives"] != nil {
		t.Errorf("one life: %v", attrs)
	}
	before := w.Nodes(NodeFilter{Kinds: []string{model.KindService}})[0].Attrs
	w.stop("a", "/web", "10.0.0.1", 80)
	w.listen("a", "/web", "10.0.0.1", 80)
	attrs := w.Nodes(NodeFilter{Kinds: []string{model.KindService}})[0].Attrs
	if fmt.Sprint(attrs["lives"], attrs["births"], attrs["deaths"], attrs["alive"]) != "2 2 1 1" {
		t.Errorf("two lives: %v", attrs)
	}
	if d := differing(before, attrs); len(d) != 1 || d["since"] == [2]any{} {
		t.Errorf("a restart is told as %v", d)
	}
}

// What lives in one network namespace after the other is one dependency, whose address is
// nobody's when it has gone, and joins the server's end all the same.
func TestFoldedDependency(t *testing.T) {
	w := newWorld(t)
	w.listen("db", "/postgres", "10.0.0.2", 5432)
	folded := func(netns string, since time.Time, connections uint64) {
		d := w.dep(model.Out, "/usr/bin/job", "172.17.0.2", "10.0.0.2", 5432, n(connections))
		d.NetnsName, d.CountingSince = model.LastingNetns(netns), since
		if d.Key() != "out/usr/bin/job/172.17.0.2->10.0.0.2:5432/tcp@*" {
			t.Errorf("key %s", d.Key())
		}
		w.putDep("a", d)
	}
	folded("net:[1]", t0, 3)
	w.in("db", "/postgres", "172.17.0.2", "10.0.0.2", 5432, n(3))
	folded("net:[2]", t0, 5)
	folded("net:[3]", t0.Add(time.Hour), 7) // the agent started again
	w.expect("process:a/usr/bin/job -> service:db/postgres:5432 12/0 [client server]")
	if w.isOf(w.addresses.of(netip.MustParseAddr("172.17.0.2")), "a") {
		t.Error("the address of lives that ended is the host's")
	}
}
