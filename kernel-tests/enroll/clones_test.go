package enroll

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/model"

	"golang.org/x/sys/unix"
)

// copyTo is a disk that is copied: the data directory of the machine, as another one has it.
func (m machine) copyTo(at string) {
	m.r.t.Helper()
	if err := os.RemoveAll(m.r.data(at)); err != nil {
		m.r.t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-a", m.r.data(m.at), m.r.data(at)).CombinedOutput(); err != nil {
		m.r.t.Fatalf("copy: %v: %s", err, out)
	}
}

// clone is a machine with the system of another one on hardware of its own.
func (m machine) clone(at, dmi, boot string) machine {
	m.copyTo(at)
	return machine{r: m.r, at: at, name: m.name, id: m.id, dmi: dmi, boot: boot, shown: m.shown}
}

// incidents are the open ones about who hosts are: of which host, what is told, and what to do.
func (r *rig) incidents() (list []model.Incident, err error) {
	out, err := r.admin("incidents", "-o", "json", "--open")
	if err == nil {
		err = json.Unmarshal([]byte(out), &list)
	}
	return slices.DeleteFunc(list, func(i model.Incident) bool { return i.Kind != model.IncidentHostIdentity }), err
}

// told waits until there is an incident about a clone, that tells of both and what to do.
func (r *rig) told(clone, original string) {
	r.t.Helper()
	r.wait("the clone is an incident", func() error {
		list, err := r.incidents()
		if err == nil && (len(list) != 1 || list[0].Cause != model.HostID(clone)) {
			err = fmt.Errorf("open are %+v", list)
		}
		if err == nil && !(strings.Contains(list[0].Summary, original) && strings.Contains(list[0].Summary, "copy of the agent's data directory") && strings.Contains(list[0].Action, "cassini identity")) {
			r.t.Fatalf("it says %+v", list[0])
		}
		return err
	})
}

// history are the documents of a host in the log that say who it is, the newest first.
func (r *rig) history(host string) (list []model.Identity) {
	r.t.Helper()
	token := ""
	if r.scheme == "https" {
		token = r.viewer
	}
	code, text := r.ask(manager, "GET", "/api/v1/history?package=identity&host="+url.QueryEscape(host), "", token, "")
	var entries []struct{ Document model.Document }
	if err := json.Unmarshal([]byte(text), &entries); err != nil || code != http.StatusOK {
		r.t.Fatalf("%d %v: %s", code, err, text)
	}
	for _, e := range entries {
		var id model.Identity
		if err := e.Document.Decode(&id); err != nil {
			r.t.Fatal(err)
		}
		list = append(list, id)
	}
	return list
}

// alone fails unless all that a host ever said of itself was said by one machine.
func (r *rig) alone(host, dmi string) {
	r.t.Helper()
	for _, id := range r.history(host) {
		if id.DMI != dmi {
			r.t.Errorf("%s said that it is %+v, and it is the machine with DMI UUID %s", host, id, dmi)
		}
	}
}

// firstBoot fails unless all that a host ever said of itself was said in its first boot.
func (r *rig) firstBoot(host string) {
	r.t.Helper()
	for _, id := range r.history(host) {
		if id.BootID != "boot-id of a" {
			r.t.Errorf("%s said that it is %+v", host, id)
		}
	}
}

// beside runs a clone of web-1 beside it, until both are watched and an incident tells of them.
func (m machine) beside(dmi string) (clone machine) {
	r, life := m.r, m.r.lives["web-1"]
	r.t.Helper()
	clone = m.clone("s1-h2", dmi, "later")
	clone.start()
	r.up(nil, "db-1", "web-1", "web-1~2")
	if r.lives["web-1"] != life {
		r.t.Errorf("the original began anew: life %d, and %d before", r.lives["web-1"], life)
	}
	r.told("web-1~2", "web-1")
	return clone
}

// kept waits until an agent says that it hears from the kernel, or is on rings, and fails if the
// machine is called otherwise than before.
func (m machine) kept(anew, want string, others ...string) {
	m.r.t.Helper()
	m.r.up([]string{anew}, slices.Sorted(slices.Values(append(others, want)))...)
	raw, err := os.ReadFile(filepath.Join(m.r.data(m.at), "machine.json"))
	if err != nil || !strings.Contains(string(raw), fmt.Sprintf(`"host":%q`, want)) {
		m.r.t.Errorf("%s is kept as %s, %v; want %s", m.at, raw, err, want)
	}
}

// revokedWithCopies shuts a host out, and with it those that came of copies of it.
func (r *rig) revokedWithCopies(host, copies string) {
	r.t.Helper()
	out, err := r.admin("agents", "revoke", host)
	if err != nil || !strings.Contains(out, "copies of its data directory: "+copies) {
		r.t.Errorf("%s, %v", out, err)
	}
	for _, at := range []string{"s1-h2", "s1-h4"} {
		if code, text := r.ask(at, "POST", "/api/v1/documents", `{"host":"web-1","documents":[]}`, "", at); code != http.StatusUnauthorized || !strings.Contains(text, "revoked") {
			r.t.Errorf("%s may speak: %d %s", at, code, text)
		}
	}
}

// clones makes an estate of an original and another host, of both of which neighbors know
// whether they are up.
func clones(t *testing.T, config, dmi string) (r *rig, original machine) {
	t.Helper()
	return pair(newRig(t, 4, config), machine{at: "s1-h1", name: "web-1", id: "a", dmi: dmi})
}

// pair starts a machine and another one beside it, db-1.
func pair(r *rig, original machine) (*rig, machine) {
	t := r.t
	t.Helper()
	original.r = r
	other := machine{r: r, at: "s1-h3", name: "db-1", id: "c", dmi: "dmi-3", full: original.full}
	if r.scheme == "https" {
		r.viewer = r.token("--role", "viewer")
	}
	for _, m := range []machine{original, other} {
		if r.scheme == "https" {
			if out, err := m.join(r.token("--role", "agent")); err != nil {
				t.Fatalf("%s, %v", out, err)
			}
		} else if err := os.MkdirAll(r.data(m.at), 0o700); err != nil {
			t.Fatal(err)
		}
		m.start()
	}
	r.up(nil, "db-1", "web-1")
	return r, original
}

// TestClones: a machine is cloned while it runs, disk, host name, machine-id and the agent's data
// directory with its certificate. Both are watched, apart from each other; the original keeps its
// name and all that was told of it.
func TestClones(t *testing.T) {
	for name, config := range map[string]string{"by certificate": "", "without TLS": "insecure: true\n"} {
		t.Run(name, func(t *testing.T) {
			r, original := clones(t, config, "dmi-1")
			clone := original.beside("dmi-2")
			r.alone("web-1", "dmi-1")
			r.alone("web-1~2", "dmi-2")

			// Both keep their names, whoever comes first.
			for _, host := range []string{"s1-h1", "s1-h2", manager} {
				r.stop(host, unix.SIGKILL)
			}
			r.startManager()
			clone.boot = "later still"
			clone.start()
			clone.kept("web-1~2", "web-1~2", "db-1")
			original.start()
			original.kept("web-1", "web-1", "db-1", "web-1~2")
			r.alone("web-1", "dmi-1")
			r.alone("web-1~2", "dmi-2")

			// A clone of the clone, while that is off.
			r.stop("s1-h2", unix.SIGTERM)
			third := clone.clone("s1-h4", "dmi-4", "third")
			third.start()
			third.kept("web-1~3", "web-1~3", "db-1", "web-1")
			r.alone("web-1~3", "dmi-4")
			if r.scheme == "https" {
				r.revokedWithCopies("web-1", "web-1~2 web-1~3")
			}
		})
	}
}

// TestClonesUntold: nothing that a clone can say of itself tells it from the original after it
// was booted. Then it counts that the original is up.
func TestClonesUntold(t *testing.T) {
	for name, config := range map[string]string{"by certificate": "", "without TLS": "insecure: true\n"} {
		t.Run(name, func(t *testing.T) {
			r, original := clones(t, config, "")
			original.beside("")
			r.firstBoot("web-1")

			// The original is booted, and is still itself.
			r.stop("s1-h1", unix.SIGKILL)
			original.boot = "second"
			original.start()
			original.kept("web-1", "web-1", "db-1", "web-1~2")
		})
	}
}

// TestCloneWhileTheManagerIsAway: a clone that cannot be told from the original goes on under its
// name, without its places on rings, until the manager is there and says no.
func TestCloneWhileTheManagerIsAway(t *testing.T) {
	r, original := clones(t, "", "")
	life := r.lives["web-1"]
	clone := original.clone("s1-h2", "", "later")
	r.stop(manager, unix.SIGKILL)
	clone.start()
	r.wait("the clone begins", func() error {
		if log := r.log("s1-h2"); !strings.Contains(log, "it is taken for it") || !strings.Contains(log, "on rings") {
			return errors.New(log)
		}
		return nil
	})
	r.startManager()
	select {
	case <-r.running["s1-h2"].done: // it ends by itself, and is started again
	case <-time.After(patience):
		t.Fatalf("it goes on: %s", r.log("s1-h2"))
	}
	if log := r.log("s1-h2"); !strings.Contains(log, "it asks for a name of its own when it is started again") {
		t.Errorf("it says %s", log)
	}
	clone.start()
	r.up(nil, "db-1", "web-1", "web-1~2")
	if r.lives["web-1"] != life {
		t.Errorf("the original began anew: life %d, and %d before", r.lives["web-1"], life)
	}
	r.firstBoot("web-1")
}

// TestNoClones: what looks like a clone to whoever compares one thing alone. All of them keep
// their name.
func TestNoClones(t *testing.T) {
	for name, config := range map[string]string{"by certificate": "", "without TLS": "insecure: true\n"} {
		t.Run(name, func(t *testing.T) {
			r, m := clones(t, config, "dmi-1")
			snapshot := machine{r: r, at: "s1-h1", name: "web-1", id: "a", dmi: "dmi-1"}
			snapshot.copyTo("snapshot")

			// It is migrated while it runs: it stands still for a moment, and all of it is the same.
			p := r.running["s1-h1"].cmd.Process
			if err := errors.Join(p.Signal(unix.SIGSTOP), p.Signal(unix.SIGCONT)); err != nil {
				t.Fatal(err)
			}
			again := func(what string, edit func()) {
				t.Helper()
				r.stop("s1-h1", unix.SIGKILL)
				edit()
				m.start()
				t.Log(what)
				m.kept("web-1", "web-1", "db-1")
			}
			again("it is booted", func() { m.boot = "second" })
			again("it is installed anew, and its data directory kept", func() { m.id, m.boot = "b", "third" })
			again("its firmware cannot be read any more", func() { m.dmi, m.boot = "", "third" })
			again("and again", func() { m.dmi, m.boot = "dmi-1", "fourth" })
			again("a snapshot is restored, of its disk and its memory", func() {
				m.id, m.boot = "a", ""
				back := machine{r: r, at: "snapshot"}
				back.copyTo("s1-h1")
			})
			if list, err := r.incidents(); err != nil || len(list) > 0 {
				t.Errorf("%+v, %v", list, err)
			}
		})
	}
}
