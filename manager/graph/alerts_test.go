package graph

import (
	"testing"

	"cassini/model"
)

// An incident that was taken on and became more severe since is nobody's again.
func TestAckOfWhatBecomesWorse(t *testing.T) {
	w := newWorld(t)
	w.reported("m", model.VerdictHung, "web", "z1")
	id := w.Incidents(true)[0].ID
	ack := func() {
		w.put(model.Name{Host: "boss", Package: model.PackageAcks, Key: id}, model.Ack{By: "ann", At: w.now})
	}
	ack()
	w.reported("m", model.VerdictEnded, "web", "z1") // no worse
	if i := w.Incidents(true)[0]; i.ID != id || i.Ack == nil || !i.Worsened.IsZero() {
		t.Errorf("an agent that hung and has ended: %+v", i)
	}
	w.reported("m", model.VerdictCrashed, "web", "z1")
	if i := w.Incidents(true)[0]; i.ID != id || i.Severity != model.SeverityCritical || i.Ack != nil {
		t.Errorf("its host has crashed: %+v", i)
	}
	ack()
	if i := w.Incidents(true)[0]; i.Ack == nil {
		t.Errorf("it is taken on again: %+v", i)
	}
}

// TestAffectedByTheDeaf: nothing that comes in arrives there.
func TestAffectedByTheDeaf(t *testing.T) {
	w := settled(t)
	w.link("web", "eth0", "02:00:00:00:00:01", addresses("10.0.0.1/24"))
	w.out("app", "/usr/bin/curl", "10.0.0.9", "10.0.0.1", 80, n(1))
	w.reported(model.ManagerHost, model.VerdictDeaf, "web", "z1")
	if a := w.Affected(w.Incidents(true)[0]); a.Services != 2 || a.Programs != 1 {
		t.Errorf("got %+v", a)
	}
}
