package graph

import (
	"reflect"
	"testing"

	"cassini/model"
)

// labelled gives a host a text and pairs of keys and values.
func (w *world) labelled(host, text string, pairs ...string) {
	w.t.Helper()
	l := model.HostLabels{Host: host, Label: text, Labels: make(map[string]string)}
	for n := 0; n < len(pairs); n += 2 {
		l.Labels[pairs[n]] = pairs[n+1]
	}
	w.put(model.Name{Host: "manager", Package: model.PackageLabels, Key: host}, l)
}

// TestLabels looks at a host's labels where they are read: its node, and targets to scrape.
func TestLabels(t *testing.T) {
	w := newWorld(t)
	w.estate()
	w.labelled("web", "row one", "rack", "7", "cost-center", "a.b")
	attrs := func() model.Attrs {
		for _, n := range w.Nodes(NodeFilter{Kinds: []string{model.KindHost}}) {
			if n.ID == "host:web" {
				return n.Attrs
			}
		}
		t.Fatal("no such host")
		return nil
	}
	if a := attrs(); a["label"] != "row one" || a["label.rack"] != "7" || a["label.cost-center"] != "a.b" {
		t.Errorf("%v", a)
	}
	found := false
	for _, g := range w.Targets(TargetFilter{Host: "web", Loopback: true}) {
		found = g.Labels["__meta_cassini_label_rack"] == "7" && g.Labels["__meta_cassini_label_cost_center"] == "a.b"
	}
	if !found {
		t.Errorf("targets: %+v", w.Targets(TargetFilter{Loopback: true}))
	}
	w.labelled("web", "", "rack", "8")
	if a := attrs(); a["label"] != nil || a["label.rack"] != "8" || a["label.cost-center"] != nil {
		t.Errorf("others were given: %v", a)
	}
	// of another host than the name says: not understood
	w.put(model.Name{Host: "manager", Package: model.PackageLabels, Key: "web"}, model.HostLabels{Host: "db1", Labels: map[string]string{"rack": "9"}})
	if a := attrs(); a["label.rack"] != "8" || w.Stats().Rejected[model.PackageLabels] != 1 {
		t.Errorf("%v, %v", a, w.Stats().Rejected)
	}
	w.apply(model.Document{Name: model.Name{Host: "manager", Package: model.PackageLabels, Key: "web"}, Time: t0})
	if a := attrs(); a["label.rack"] != nil || len(w.Labels()) != 0 {
		t.Errorf("%v", a)
	}
}

// TestLabelsDiffer: differences tell of labels that were added, removed and changed, also of a
// host that was compared before, and of no other one.
func TestLabelsDiffer(t *testing.T) {
	w := newWorld(t)
	w.link("web", "eth0", "02:00:00:00:00:01")
	w.link("db", "eth0", "02:00:00:00:00:02")
	w.labelled("web", "row one", "rack", "7", "env", "test")
	w.labelled("db", "", "rack", "7")
	before := w.at()
	told := func(want map[string][2]any) {
		t.Helper()
		for range 2 { // the second time sums are known
			d := DiffGraphs(before, w.Graph)
			got := map[string]map[string][2]any{}
			for _, c := range d.Changed {
				got[c.ID] = c.Attrs
			}
			all := map[string]map[string][2]any{"host:web": want}
			if want == nil {
				clear(all)
			}
			if len(d.Came)+len(d.Went) > 0 || !reflect.DeepEqual(got, all) {
				t.Errorf("came %v, went %v, changed %v; want %v", d.Came, d.Went, got, all)
			}
		}
	}
	told(nil)
	w.labelled("web", "row one", "rack", "8", "owner", "shop")
	told(map[string][2]any{"label.rack": {"7", "8"}, "label.env": {"test", nil}, "label.owner": {nil, "shop"}})
	w.labelled("web", "row two", "rack", "7", "env", "test")
	told(map[string][2]any{"label": {"row one", "row two"}})
	w.put(model.Name{Host: "manager", Package: model.PackageLabels, Key: "web"}, nil)
	told(map[string][2]any{"label": {"row one", nil}, "label.rack": {"7", nil}, "label.env": {"test", nil}})
	w.labelled("web", "row one", "env", "test", "rack", "7")
	told(nil)
}
