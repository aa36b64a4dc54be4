package graph

import (
	"strings"
	"testing"
	"time"

	"cassini/model"
)

// copies tells who a host is that has a copy of another one's data directory.
func (w *world) copies(host, of, machine, boot string) {
	w.t.Helper()
	w.put(model.Name{Host: host, Package: model.PackageIdentity}, model.Identity{Hostname: "web", MachineID: machine, BootID: boot, BootTime: w.now, AgentStart: w.now, CopyOf: of})
}

// TestCopies: a clone that came with the data directory of the original is told as soon as both are
// live, whether it has a machine-id of its own or not, until it is mended.
func TestCopies(t *testing.T) {
	for name, machine := range map[string]string{"the same machine-id": "m1", "another machine-id": "m2", "none": ""} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.names("web", "web", "m1", "b1")
			w.listen("web", "/nginx", "0.0.0.0", 80)
			w.pass(time.Hour)
			w.copies("web~2", "web", machine, "b2")
			equal(t, "at first", w.found(), []string{})
			equal(t, "identities at first", w.shared(), []string{"web cloned web~2 original=true", "web~2 cloned web original=false"})
			w.talks(2, "web", "web~2")
			equal(t, "incidents", w.found(), []string{"open host-cloned web~2"})
			i := w.Incidents(true)[0]
			if i.Severity != model.SeverityWarning || !strings.Contains(i.Summary, "copy of the agent's data directory of web") || !strings.Contains(i.Action, "cassini identity") || !strings.Contains(i.Action, "--host web ") {
				t.Errorf("got %+v", i)
			}
			w.talks(30, "web", "web~2")
			equal(t, "identities", w.shared(), []string{"web cloned web~2 original=true", "web~2 cloned web original=false"})
			equal(t, "later", w.found(), []string{"open host-cloned web~2"})
			if list := w.Services(ServiceFilter{Host: "web"}); len(list) != 1 {
				t.Errorf("the original has lost its history: %+v", list)
			}
			again, _ := replay(w.docs)
			if a, b := len(again.Incidents(true)), len(w.Incidents(true)); a != b {
				t.Errorf("replayed: %d incidents, and %d live", a, b)
			}
			w.names("web~2", "web-9", "m9", "b3")
			w.talks(30, "web", "web~2")
			equal(t, "mended", w.found(), []string{"closed host-cloned web~2"})
		})
	}
}

// TestCopyOfOneThatIsOff: a template is off while machines that were made of it run.
func TestCopyOfOneThatIsOff(t *testing.T) {
	w := newWorld(t)
	w.names("web", "web", "m1", "b1")
	w.pass(48 * time.Hour)
	w.copies("web~2", "web", "m1", "b2")
	w.copies("web~3", "gone", "m1", "b3")
	w.talks(30, "web~2", "web~3")
	for _, i := range w.found() {
		if strings.HasSuffix(i, "web") {
			t.Errorf("the original is taken for a clone: %s", i)
		}
	}
}
