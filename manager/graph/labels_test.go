package graph

import (
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
