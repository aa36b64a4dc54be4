package graph

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

const image = "0123456789abcdef0123456789abcdef"

// identifies tells who a host is, as its agent does when it starts.
func (w *world) identifies(host, machine, dmi, boot string) []model.Event {
	w.t.Helper()
	return w.put(model.Name{Host: host, Package: model.PackageIdentity}, model.Identity{Hostname: host, MachineID: machine, DMI: dmi, BootID: boot, BootTime: w.now, AgentStart: w.now})
}

// talks lets hosts say something now and then.
func (w *world) talks(times int, hosts ...string) {
	w.t.Helper()
	for range times {
		w.pass(5 * time.Minute)
		for _, host := range hosts {
			w.put(model.Name{Host: host, Package: model.PackageOS}, model.OS{Name: "Debian"})
		}
	}
}

// shared are the relations of hosts that share a machine-id.
func (w *world) shared() (list []string) {
	for _, i := range w.Identities("") {
		for _, s := range i.Shared {
			list = append(list, fmt.Sprintf("%s %s %s original=%v", i.Host, s.Relation, s.Host, s.Original))
		}
	}
	return list
}

func TestClone(t *testing.T) {
	for name, live := range map[string]func(w *world){
		"both talk":        func(w *world) { w.talks(4, "web", "copy") },
		"others hear both": func(w *world) { w.planned("z1", "web", "copy", "db"); w.pass(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.identifies("web", image, "d1", "b1")
			w.listen("web", "/nginx", "0.0.0.0", 80)
			w.pass(time.Hour)
			w.identifies("copy", image, "d2", "b2")
			equal(t, "at first", w.found(), []string{})
			live(w)
			equal(t, "incidents", w.found(), []string{"open host-cloned copy"})
			equal(t, "identities", w.shared(), []string{"copy cloned web original=false", "web cloned copy original=true"})
			i := w.Incidents(true)[0]
			if !strings.HasPrefix(i.Summary, "web and copy are two live machines with one machine-id, "+image) || !strings.Contains(i.Action, "systemd-machine-id-setup") || i.Cause != "host:copy" {
				t.Errorf("got %+v", i)
			}
			if list := w.Services(ServiceFilter{Host: "web"}); len(list) != 1 {
				t.Errorf("the original has lost its history: %+v", list)
			}
			w.identifies("copy", image, "d2", "b3") // it was only booted
			w.talks(3, "web", "copy")
			equal(t, "still", w.found(), []string{"open host-cloned copy"})
			w.identifies("copy", strings.Repeat("ab", 16), "d2", "b4") // somebody followed the advice
			w.talks(3, "web", "copy")
			equal(t, "afterwards", w.found(), []string{"closed host-cloned copy"})
			equal(t, "identities", w.shared(), nil)
		})
	}
}

func TestClonesOfOneImageAreOneIncident(t *testing.T) {
	w := newWorld(t)
	for n, host := range []string{"a", "b", "c"} {
		w.identifies(host, image, fmt.Sprint("d", n), fmt.Sprint("b", n))
	}
	w.talks(3, "a", "b", "c")
	equal(t, "incidents", w.found(), []string{"open host-cloned b,c"})
}

// TestWhatIsNoClone: each of these has the machine-id of another host, or changes.
func TestWhatIsNoClone(t *testing.T) {
	for name, c := range map[string]struct {
		steps func(w *world)
		event string // the last host.changed
	}{
		"a renamed host": {func(w *world) {
			w.identifies("www", image, "d1", "b1")
			w.talks(5, "www")
		}, ""},
		"a renamed host whose neighbors miss its first name": {func(w *world) {
			w.planned("z1", "web", "db", "app")
			w.reported("db", model.VerdictEnded, "web", "z1")
			w.identifies("www", image, "d1", "b2")
			w.talks(5, "www")
		}, ""},
		"namespaces of one machine, each with an agent": {func(w *world) {
			w.identifies("container", image, "d1", "b1")
			w.talks(5, "web", "container")
		}, ""},
		"a reinstalled host": {func(w *world) {
			w.identifies("web", strings.Repeat("cd", 16), "d1", "b2")
			w.talks(5, "web")
		}, "web was installed anew: its machine-id is " + strings.Repeat("cd", 16) + " instead of " + image + ", on the same machine"},
		"a changed card": {func(w *world) {
			w.link("web", "eth0", "02:00:00:00:00:09")
			w.identifies("web", image, "d1", "b1")
			w.talks(5, "web")
		}, "web restarted its agent"},
		"a restored snapshot": {func(w *world) {
			w.identifies("web", image, "d1", "b2")
			w.talks(5, "web")
			w.identifies("web", image, "d1", "b1")
			w.talks(5, "web")
		}, "web went back to an earlier boot, of 2026-11-20T20:"},
		"a virtual machine that is migrated while it runs": {func(w *world) {
			w.link("web", "eth0", "02:00:00:00:00:01")
			w.hears("web", "eth0", model.LLDP, "00:1b:fc:00:00:99", "1") // another switch
			w.talks(5, "web")
		}, ""},
		"its disk in another machine": {func(w *world) {
			w.identifies("web", image, "d2", "b2")
			w.talks(5, "web")
		}, "web runs on another machine or board: DMI UUID d2 instead of d1"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.link("web", "eth0", "02:00:00:00:00:01")
			w.identifies("web", image, "d1", "b1")
			w.pass(time.Hour)
			before := len(w.seen)
			c.steps(w)
			for _, i := range w.Incidents(false) {
				if i.Kind == model.IncidentHostIdentity {
					t.Errorf("got %+v", i)
				}
			}
			last := ""
			for _, e := range w.seen[before:] {
				if e.Kind == model.EventHostChanged {
					last = e.Summary
				}
			}
			if !strings.HasPrefix(last, c.event) || (c.event == "") != (last == "") {
				t.Errorf("host.changed %q, want %q", last, c.event)
			}
		})
	}
}

// TestCloneThatFallsSilent: one of the two is off for a day.
func TestCloneThatFallsSilent(t *testing.T) {
	w := newWorld(t)
	w.identifies("web", image, "d1", "b1")
	w.identifies("copy", image, "d2", "b2")
	w.talks(4, "web", "copy")
	w.talks(12*26, "web")
	equal(t, "a day later", w.found(), []string{"closed host-cloned copy"})
	w.talks(1, "copy")
	again, _ := replay(w.docs)
	if a, b := fmt.Sprint(w.Incidents(false)), fmt.Sprint(again.Incidents(false)); a != b {
		t.Errorf("live\n%s\nreplayed\n%s", a, b)
	}
}

// names tells who a host is whose host name is another than what it is called.
func (w *world) names(host, name, machine, boot string) {
	w.t.Helper()
	w.put(model.Name{Host: host, Package: model.PackageIdentity}, model.Identity{Hostname: name, MachineID: machine, BootID: boot, BootTime: w.now, AgentStart: w.now})
}

// TestNamesakes: two machines of one host name are told once both are live, until one of them
// is not heard for a day or has another name.
func TestNamesakes(t *testing.T) {
	for name, ends := range map[string]func(w *world){
		"one is gone":             func(w *world) { w.talks(300, "debian") },
		"the later one is mended": func(w *world) { w.names("debian~2", "web-9", "m2", "b4"); w.talks(3, "debian", "debian~2") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.names("debian", "debian", "m1", "b1")
			w.listen("debian", "/nginx", "0.0.0.0", 80)
			w.pass(time.Hour)
			w.names("debian~2", "debian", "m2", "b2")
			equal(t, "at first", w.found(), []string{})
			w.talks(3, "debian", "debian~2")
			equal(t, "incidents", w.found(), []string{"open host-name-shared debian~2"})
			i := w.Incidents(true)[0]
			if i.Severity != model.SeverityInfo || !strings.Contains(i.Summary, "one host name, debian: debian had it first") || !strings.Contains(i.Action, "set-hostname") {
				t.Errorf("got %+v", i)
			}
			if list := w.Services(ServiceFilter{Host: "debian"}); len(list) != 1 {
				t.Errorf("the original has lost its history: %+v", list)
			}
			equal(t, "identities", w.shared(), []string{"debian namesake debian~2 original=true", "debian~2 namesake debian original=false"})
			if n := w.Stats().Namesakes; n != 1 {
				t.Errorf("%d namesakes are counted", n)
			}
			w.names("debian~2", "debian", "m2", "b3") // it was only booted
			w.names("debian~3", "debian", "m3", "b1")
			w.talks(3, "debian", "debian~2", "debian~3")
			equal(t, "still, and one more of the name", w.found(), []string{"open host-name-shared debian~2,debian~3"})
			w.names("debian~3", "other", "m3", "b2")
			ends(w)
			equal(t, "afterwards", w.found(), []string{"closed host-name-shared debian~2,debian~3"})
		})
	}
}

// TestClonesOfOneName: of clones other things are told, also when they share their name.
func TestClonesOfOneName(t *testing.T) {
	w := newWorld(t)
	w.names("debian", "debian", image, "b1")
	w.names("debian~2", "debian", image, "b2")
	w.talks(5, "debian", "debian~2")
	equal(t, "incidents", w.found(), []string{"open host-cloned debian~2"})
}
