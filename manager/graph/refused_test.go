package graph

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

// refuses tells which machines are refused under the name of a host, by their DMI UUIDs.
func (w *world) refuses(host string, dmis ...string) {
	w.t.Helper()
	r := model.Refused{Host: host}
	for _, dmi := range dmis {
		r.Machines = append(r.Machines, model.Claimant{Machine: model.Machine{DMI: dmi}, Addr: netip.MustParseAddr("192.0.2.9")})
	}
	var body any
	if len(dmis) > 0 {
		body = r
	}
	w.put(model.Name{Host: "manager", Package: model.PackageRefused, Key: host}, body)
}

// TestRefused: machines that show the certificate of a host are one incident until none is left.
func TestRefused(t *testing.T) {
	w := newWorld(t)
	w.names("web", "web", "m1", "b1")
	w.refuses("web", "d2")
	w.refuses("web", "d2")
	w.pass(48 * time.Hour)
	w.refuses("web", "d2", "d3")
	equal(t, "open", w.found(), []string{"open host-cloned web"})
	i := w.Incidents(true)[0]
	if i.Severity != model.SeverityWarning || i.Cause != "host:web" || !strings.Contains(i.Summary, "the certificate of web") || !strings.Contains(i.Summary, "at 192.0.2.9, DMI UUID d2") ||
		!strings.Contains(i.Action, "give that machine one of its own") || len(i.Evidence) != 2 || !strings.Contains(i.Evidence[1], "d3") {
		t.Errorf("got %+v", i)
	}
	if again, _ := replay(w.docs); len(again.Incidents(true)) != 1 || !again.Refused()["web"].Equal(w.Refused()["web"]) {
		t.Errorf("replayed: %+v", again.Refused())
	}
	w.refuses("web", "d3")
	equal(t, "one has gone", w.found(), []string{"open host-cloned web"})
	w.refuses("web")
	equal(t, "both have gone", w.found(), []string{"closed host-cloned web"})
	w.refuses("web", "d3")
	equal(t, "it is back", w.found(), []string{"open host-cloned web", "closed host-cloned web"})
	w.put(model.Name{Host: "web", Package: model.PackageForgotten}, nil)
	equal(t, "forgotten", w.found(), []string{"closed host-cloned web", "closed host-cloned web"})
	if len(w.Refused()) != 0 {
		t.Errorf("left are %+v", w.Refused())
	}
	w.put(model.Name{Host: "manager", Package: model.PackageRefused, Key: "web"}, model.Refused{Host: "db"})
	if w.Stats().Rejected[model.PackageRefused] != 1 {
		t.Error("a document of another host is taken")
	}
}

// TestRefusedOfClone: a clone by its machine-id is itself cloned; that the first is mended does
// not end what is told of the second.
func TestRefusedOfClone(t *testing.T) {
	w := newWorld(t)
	w.names("web", "web", "m1", "b1")
	w.pass(time.Hour)
	w.names("copy", "copy", "m1", "b2")
	w.talks(2, "web", "copy")
	w.refuses("copy", "d3")
	equal(t, "both", w.found(), []string{"open host-cloned copy"})
	w.names("copy", "copy", "m2", "b3")
	w.talks(3, "web", "copy")
	equal(t, "the first is mended", w.found(), []string{"open host-cloned copy"})
	w.refuses("copy")
	equal(t, "both are", w.found(), []string{"closed host-cloned copy"})
}
