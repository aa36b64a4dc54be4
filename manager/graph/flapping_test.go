package graph

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"cassini/model"
)

// flapped are the events of flapping that were seen.
func (w *world) flapped() (nodes []string) {
	for _, e := range w.seen {
		if e.Kind == model.EventFlapping {
			nodes = append(nodes, e.Node)
		}
	}
	return nodes
}

func TestFlappingService(t *testing.T) {
	w, before := newWorld(t), newWorld(t)
	for _, x := range []*world{w, before} {
		x.listen("web", "/usr/sbin/nginx", "10.0.0.1", 80)
		x.listen("web", "/usr/sbin/sshd", "10.0.0.1", 22)
	}
	for range 3 {
		w.stop("web", "/usr/sbin/nginx", "10.0.0.1", 80)
		w.now = w.now.Add(time.Minute)
		w.listen("web", "/usr/sbin/nginx", "10.0.0.1", 80)
	}
	w.stop("web", "/usr/sbin/nginx", "10.0.0.1", 80)
	const id = "service:web/nginx:80"
	if got := w.flapped(); !slices.Equal(got, []string{id}) {
		t.Errorf("events of %q", got)
	}
	n := w.Nodes(NodeFilter{Kinds: []string{model.KindService}, Text: "nginx"})[0]
	if n.Attrs["flapping"] != true || n.Attrs["changes"] != 7 || n.Attrs["state"] != model.StateEnded {
		t.Errorf("attributes %v", n.Attrs)
	}
	d := DiffGraphs(before.Graph, w.Graph)
	if len(d.Went)+len(d.Came) != 0 || len(d.Flapping) != 1 || d.Flapping[0].ID != id || d.Flapping[0].State != model.StateEnded || d.Flapping[0].WindowSeconds != 600 {
		t.Errorf("differences %+v", d)
	}
	const what = "is flapping: 7 changes in 10 minutes; now: ended"
	for name, o := range map[string]model.Overview{"overview": OverviewOf(before.Graph, w.Graph, 5), "problems": ProblemsOf(before.Graph, w.Graph, 5)} {
		if len(o.Went) != 0 || len(o.Sick) != 1 || o.Sick[0] != (model.Ailment{Node: id, What: what}) {
			t.Errorf("%s: %+v", name, o)
		}
	}
	// The clock of another host is years ahead, which is not the time.
	now := w.now
	ahead, err := model.NewDocument(model.Name{Host: "db", Package: model.PackageOS}, now.AddDate(5, 0, 0), model.OS{})
	if err != nil {
		t.Fatal(err)
	}
	w.ApplyAll(DecodeAll([]Logged{{Key: now.Format("2006-01-02.15:04:05.000000") + ".os.db", Document: ahead}}))
	if list := w.Flapping(); len(list) != 1 {
		t.Errorf("by the clock of another host nothing is flapping: %+v", list)
	}
	// Nothing comes any more: by the clock it has calmed down, and is gone.
	later := w.now.Add(9 * time.Minute)
	w.SetClock(func() time.Time { return later })
	if list := w.Flapping(); len(list) != 0 {
		t.Errorf("flapping: %+v", list)
	}
	if o := ProblemsOf(before.Graph, w.Graph, 5); len(o.Sick) != 1 || o.Sick[0] != (model.Ailment{Node: id, What: "is gone"}) {
		t.Errorf("problems %+v", o.Sick)
	}
}

func TestFlappingLink(t *testing.T) {
	w := newWorld(t)
	set := func(carrier, changes int) {
		w.now = w.now.Add(time.Minute)
		w.link("web", "eth0", "02:00:00:00:00:01", func(i *model.Interface) { i.Carrier, i.CarrierChanges = carrier, uint32(changes) })
	}
	set(1, 1)
	set(1, 41) // of a long time, perhaps
	if got := w.flapped(); got != nil {
		t.Fatalf("one document is enough for %q", got)
	}
	set(0, 42)
	set(1, 44) // the counter is 2 further: one more came and went between
	if got := w.flapped(); !slices.Equal(got, []string{"interface:web/eth0"}) {
		t.Errorf("events of %q", got)
	}
	if list := w.Flapping(); len(list) != 1 || list[0].State != "carrier" || list[0].Changes != 7 {
		t.Errorf("flapping %+v", list)
	}
	set(0, 45)
	if o := OverviewOf(w.Graph, w.Graph, 9); len(o.Sick) != 1 || o.Sick[0].What != "is flapping: 8 changes in 10 minutes; now: no carrier" {
		t.Errorf("sick %+v", o.Sick)
	}
}

func TestFlappingHost(t *testing.T) {
	w := newWorld(t)
	w.listen("web", "/usr/sbin/nginx", "10.0.0.1", 80)
	w.listen("db", "/usr/bin/postgres", "10.0.0.2", 5432)
	w.planned("z", "web", "db")
	for range 3 {
		w.reported("web", model.VerdictCrashed, "db", "z")
		w.now = w.now.Add(20 * time.Second)
		w.reported("web", model.VerdictCorrected, "db", "z", corrects(model.VerdictCrashed, "heartbeat"))
	}
	if got := w.flapped(); !slices.Equal(got, []string{"host:db"}) {
		t.Errorf("events of %q, states %q", got, w.states())
	}
	if got := fmt.Sprint(w.Flapping()); got == "[]" || w.Flapping()[0].State != StateUp {
		t.Errorf("flapping %s", got)
	}
	w.reported("web", model.VerdictCrashed, "db", "z")
	o := OverviewOf(w.Graph, w.Graph, 9)
	if len(o.Sick) == 0 || o.Sick[0] != (model.Ailment{Node: "host:db", What: "is flapping: 7 changes in 10 minutes; now: " + string(model.VerdictCrashed)}) {
		t.Errorf("sick %+v", o.Sick)
	}
	for _, s := range o.Sick[1:] {
		if s.Node == "host:db" {
			t.Errorf("told twice: %+v", s)
		}
	}
}

// TestSpoolIsNoFlapping wants documents that come late and together to count by when the
// host wrote them.
func TestSpoolIsNoFlapping(t *testing.T) {
	w := newWorld(t)
	for range 5 {
		w.listen("web", "/usr/sbin/nginx", "10.0.0.1", 80)
		w.now = w.now.Add(12 * time.Hour)
		w.stop("web", "/usr/sbin/nginx", "10.0.0.1", 80)
		w.now = w.now.Add(12 * time.Hour)
	}
	again := New(Limits{})
	received := w.now.Add(time.Hour)
	for i, doc := range w.docs {
		again.Apply(fmt.Sprintf("%s.%s.%s", received.Add(time.Duration(i)*time.Millisecond).Format(keyTime), doc.Package, doc.Host), doc)
	}
	if list := again.Flapping(); len(list) != 0 {
		t.Errorf("flapping %+v", list)
	}
}
