package enroll

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cassini/model"

	"golang.org/x/sys/unix"
)

// pretend runs a program as on a machine of another name and identity: these are files that
// it sees, in namespaces of its own.
const pretend = `
hostname "$1"
mount --bind "$2/machine-id" /etc/machine-id
mount --bind "$2/boot-id" /proc/sys/kernel/random/boot_id
mount -t tmpfs none /sys/class
mkdir -p /sys/class/dmi/id /run/netns
cp "$2/dmi" /sys/class/dmi/id/product_uuid
mount -t tmpfs none /run/netns
shift 2
exec "$@"`

// machine is one that the rig pretends to have at a host of the estate.
type machine struct {
	r    *rig
	at   string // host of the estate
	name string // host name
	id   string // of the machine
	dmi  string // UUID; "" is none
	boot string // the machine-id's only one by default

	shown []string // flags for what it shows, where it does not join
	full  bool     // its agent discovers its network too, and sees no other machine's
}

func (m machine) argv(args ...string) []string {
	m.r.t.Helper()
	dir := filepath.Join(m.r.dir, "machine-"+m.at)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		m.r.t.Fatal(err)
	}
	for file, text := range map[string]string{"machine-id": "machine-id of " + m.id, "boot-id": "boot-id of " + cmp.Or(m.boot, m.id), "dmi": m.dmi} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text+"\n"), 0o600); err != nil {
			m.r.t.Fatal(err)
		}
	}
	argv := []string{"unshare", "-m", "-u"}
	if m.full {
		argv = append(argv, "-p", "--fork", "--kill-child", "--mount-proc")
	}
	return append(append(argv, "sh", "-euc", pretend, "sh", m.name, dir, m.r.binary), args...)
}

// join lets the machine join, and returns what the command says.
func (m machine) join(token string) (string, error) {
	m.r.t.Helper()
	cmd := m.r.estate.Command(m.r.t.Context(), m.at, m.argv("join", "--manager", m.r.url(), "--data-dir", m.r.data(m.at))...)
	cmd.Env = append(os.Environ(), "CASSINI_CONFIG="+os.DevNull, "CASSINI_TOKEN="+token)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return string(out), err
}

func (m machine) start() {
	m.r.t.Helper()
	args := append(m.r.agent(m.at), m.shown...)
	if m.full {
		args = slices.DeleteFunc(args, func(arg string) bool { return arg == "--liveness-only" })
	}
	if m.r.scheme == "http" {
		args = append(args, "--insecure")
	}
	m.r.exec(m.at, m.argv(args...))
}

// apart waits until machine a is debian, and machine b debian~2.
func (r *rig) apart() {
	r.t.Helper()
	r.wait("both are told apart", func() error {
		ids, err := r.identities()
		if err == nil && (len(ids) != 2 || ids["debian"] != "machine-id of a" || ids["debian~2"] != "machine-id of b") {
			err = fmt.Errorf("identities are %v", ids)
		}
		return err
	})
}

// identities are the hosts that reported, and their machine-ids.
func (r *rig) identities() (map[string]string, error) {
	out, err := r.admin("identity", "-o", "json")
	if err != nil {
		return nil, err
	}
	var list []model.HostIdentity
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for _, i := range list {
		ids[i.Host] = i.MachineID
	}
	return ids, nil
}

// up waits until exactly these are up, each watched by the other, and some of them in another
// life than when they were last waited for.
func (r *rig) up(anew []string, want ...string) {
	r.t.Helper()
	r.wait("hosts are "+strings.Join(want, ", "), func() error {
		out, err := r.admin("hosts", "-o", "json")
		if err != nil {
			return err
		}
		var list []model.HostLiveness
		if err := json.Unmarshal([]byte(out), &list); err != nil {
			return err
		}
		lives := map[string]model.Incarnation{}
		for _, h := range list {
			if h.State == "up" && len(h.WatchedBy) > 0 && !(slices.Contains(anew, h.Host) && h.Incarnation == r.lives[h.Host]) {
				lives[h.Host] = h.Incarnation
			}
		}
		if !slices.Equal(slices.Sorted(maps.Keys(lives)), want) {
			return errors.New(out)
		}
		r.lives = lives
		return nil
	})
}

// TestTwoMachinesOfOneName is the life of two machines that an image calls alike: both are
// watched, each under a name of its own, which it keeps.
func TestTwoMachinesOfOneName(t *testing.T) {
	r := newRig(t, 2, "")
	first, second := machine{r: r, at: "s1-h1", name: "debian", id: "a"}, machine{r: r, at: "s1-h2", name: "debian", id: "b"}
	token := r.token("--role", "agent", "--limit", "9")
	if out, err := first.join(token); err != nil || !strings.HasPrefix(out, "debian joined;") || strings.Contains(out, "another machine") {
		t.Fatalf("%s, %v", out, err)
	}
	if out, err := second.join(token); err != nil || !strings.HasPrefix(out, "debian~2 joined;") || !strings.Contains(out, "has the name debian") || !strings.Contains(out, "hostnamectl") {
		t.Fatalf("%s, %v", out, err)
	}
	first.start()
	second.start()
	r.up(nil, "debian", "debian~2")
	r.apart()

	r.stop(manager, unix.SIGKILL)
	r.stop("s1-h2", unix.SIGKILL)
	r.startManager()
	second.start()
	r.up([]string{"debian~2"}, "debian", "debian~2")
	r.apart()

	// It loses what it had: a token for many gives it no name that is in use, also not a third.
	r.stop("s1-h2", unix.SIGTERM)
	if err := os.RemoveAll(r.data("s1-h2")); err != nil {
		t.Fatal(err)
	}
	_, err := second.join(token)
	r.refused(err, "cassini token create --role agent --host debian~2")
	if out, err := second.join(r.token("--role", "agent", "--host", "debian~2")); err != nil || !strings.HasPrefix(out, "debian~2 joined;") {
		t.Fatalf("%s, %v", out, err)
	}
	second.start()
	r.up([]string{"debian~2"}, "debian", "debian~2")
	r.apart()

	// Somebody follows the advice.
	r.stop("s1-h2", unix.SIGTERM)
	second.name = "web-9"
	second.start()
	r.wait("the agent says what to do", func() error {
		if log := r.log("s1-h2"); !strings.Contains(log, "agent.pem is of host debian, and this is web-9") {
			return errors.New(log)
		}
		return nil
	})
	if out, err := second.join(token); err != nil || !strings.HasPrefix(out, "web-9 joined;") {
		t.Fatalf("%s, %v", out, err)
	}
	second.start()
	r.up([]string{"web-9"}, "debian", "web-9")
	if out, err := r.admin("agents"); err != nil || !strings.Contains(out, "debian~2") {
		t.Errorf("%s, %v", out, err)
	}
}

// TestTwoMachinesOfOneNameInsecure: without TLS nobody joins, and the manager says all the same
// what each is called.
func TestTwoMachinesOfOneNameInsecure(t *testing.T) {
	r := newRig(t, 2, "insecure: true\n")
	first, second := machine{r: r, at: "s1-h1", name: "debian", id: "a"}, machine{r: r, at: "s1-h2", name: "debian", id: "b"}
	for _, m := range []machine{first, second} { // which of two that begin at once is the first is left to chance
		if err := os.MkdirAll(r.data(m.at), 0o700); err != nil {
			t.Fatal(err)
		}
		m.start()
		r.wait(m.at+" is called by a name", func() error {
			_, err := os.Stat(filepath.Join(r.data(m.at), "name.json"))
			return err
		})
	}
	r.up(nil, "debian", "debian~2")
	r.apart()

	// Both keep their names, whoever comes first.
	for _, host := range []string{"s1-h1", "s1-h2", manager} {
		r.stop(host, unix.SIGKILL)
	}
	r.startManager()
	second.start()
	first.start()
	r.up([]string{"debian", "debian~2"}, "debian", "debian~2")
	r.apart()

	// One that lost what it had is known again.
	r.stop("s1-h2", unix.SIGTERM)
	if err := os.RemoveAll(r.data("s1-h2")); err != nil {
		t.Fatal(err)
	}
	second.start()
	r.wait("it is called as before", func() error {
		raw, err := os.ReadFile(filepath.Join(r.data("s1-h2"), "name.json"))
		if err == nil && !strings.Contains(string(raw), `"host":"debian~2"`) {
			t.Fatalf("it is %s", raw)
		}
		return err
	})
	r.up([]string{"debian~2"}, "debian", "debian~2")
	r.apart()
}
