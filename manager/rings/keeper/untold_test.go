package keeper

import (
	"slices"
	"testing"

	"cassini/model"
	"cassini/model/wire"
)

// kinds are those of verdicts.
func kinds(list []model.Verdict) (all []model.VerdictKind) {
	for _, v := range list {
		all = append(all, v.Kind)
	}
	return all
}

func leave(t *testing.T, a *agent) {
	t.Helper()
	a.shut(true) // what it says afterwards would be a sign of life
	if err := a.Send(model.ManagerRing(a.join.Host), a.manager, wire.Message{Type: wire.Leave, ID: 1, Reason: wire.LeaveStopped}); err != nil {
		t.Fatal(err)
	}
}

func TestDocumentsReachTheLog(t *testing.T) {
	log := &docLog{fails: 2}
	l := live(t, t.TempDir(), func(c *Config) { c.Keep = log.keep })
	a := newAgent(t, "h1", "z1", 1)
	a.joins(l.Keeper)
	if v := l.view(); v.Untold != 1 {
		t.Errorf("while the log fails, %d documents are to be told", v.Untold)
	}
	leave(t, a)
	l.eventually("the log has it all", func(v View) bool { return v.host("h1").State == "stopped" && v.Untold == 0 })
	if got := kinds(log.verdicts(t)); !slices.Equal(got, []model.VerdictKind{model.VerdictStopped}) {
		t.Errorf("verdicts %v", got)
	}
	if doc, ok := log.rings()["z1"]; !ok || !doc.Gone() || doc.Host != "boss" {
		t.Errorf("the ring that has ended is %+v", doc)
	}
}

func TestDocumentsThatDidNotReachTheLogAreToldByTheNextLife(t *testing.T) {
	dir := t.TempDir()
	broken := &docLog{fails: 1 << 30}
	l := live(t, dir, func(c *Config) { c.Keep = broken.keep })
	a, b := newAgent(t, "h1", "z1", 1), newAgent(t, "h2", "z2", 1)
	a.joins(l.Keeper)
	b.joins(l.Keeper)
	leave(t, a)
	l.eventually("it has left", func(v View) bool { return v.host("h1").State == "stopped" })
	l.end()

	again := live(t, dir)
	again.eventually("the log has it all", func(v View) bool { return v.Untold == 0 })
	if got := kinds(again.log.verdicts(t)); !slices.Equal(got, []model.VerdictKind{model.VerdictStopped}) {
		t.Errorf("verdicts %v", got)
	}
	told := again.log.rings()
	var r model.Ring
	if gone, z2 := told["z1"], told["z2"]; !gone.Gone() || z2.Decode(&r) != nil || len(r.Members) != 1 || r.Members[0].Host != "h2" {
		t.Errorf("rings %+v", told)
	}
	again.end()
	if left := onDisk(t, dir).untold; len(left) != 0 {
		t.Errorf("%d documents are told a third time", len(left))
	}
}

func TestOutgoingIsBounded(t *testing.T) {
	o := outgoing{wake: make(chan struct{}, 1)}
	if lost := o.add(make([]model.Document, maxOutgoing-1)...); lost != 0 {
		t.Errorf("lost %d", lost)
	}
	if lost := o.add(make([]model.Document, 3)...); lost != 2 || len(o.docs) != maxOutgoing {
		t.Errorf("lost %d of 3, and has %d", lost, len(o.docs))
	}
}
