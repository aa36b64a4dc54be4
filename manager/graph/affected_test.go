package graph

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"cassini/model"
)

func TestAffected(t *testing.T) {
	w := settled(t)
	w.link("web", "eth0", "02:00:00:00:00:01", addresses("10.0.0.1/24"))
	w.listen("app", "/app", "0.0.0.0", 8080)
	w.out("app", "/app", "10.0.0.9", "10.0.0.1", 80, n(1))
	w.stop("web", "/nginx", "0.0.0.0", 80)
	w.pass(2 * time.Minute)
	list := w.Incidents(true)
	if len(list) != 1 {
		t.Fatalf("incidents %q", w.found())
	}
	a := w.Affected(list[0])
	if a.Services != 1 || !slices.Contains(a.First, "service:app/app:8080") {
		t.Errorf("got %+v", a)
	}
	w.out("app", "/usr/bin/curl", "10.0.0.9", "10.0.0.1", 80, n(1))
	if a := w.Affected(list[0]); a.Services != 1 || a.Programs != 1 {
		t.Errorf("got %+v", a)
	}
	w.planned("z1", "web", "app")
	w.reported("m", model.VerdictSegment, "z1", "z1")
	if a := w.Affected(w.Incidents(true)[0]); a.Hosts != 0 || a.Services != 2 { // but for what ended
		t.Errorf("of a zone: %+v", a)
	}
}

// TestAffectedTogether wants a client to be affected that both of two replicas are gone for.
func TestAffectedTogether(t *testing.T) {
	w := newWorld(t)
	for i, db := range []string{"db-1", "db-2"} {
		addr := fmt.Sprintf("10.0.0.%d", i+1)
		w.link(db, "eth0", fmt.Sprintf("02:00:00:00:00:0%d", i+1), addresses(addr+"/24"))
		w.listen(db, "/db", "0.0.0.0", 5432)
		w.out("app", "/usr/bin/curl", "10.0.0.9", addr, 5432, n(1))
	}
	w.planned("z1", "db-1", "db-2")
	w.reported("m", model.VerdictSegment, "z1", "z1")
	a := w.Affected(w.Incidents(true)[0])
	if a.Hosts != 0 || a.Services != 2 || a.Programs != 1 || !slices.Contains(a.First, "process:app/usr/bin/curl") {
		t.Errorf("got %+v", a)
	}
}
