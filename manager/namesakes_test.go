package manager

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cassini/manager/api"
	"cassini/model"
)

// box is the n-th machine of an estate.
func box(n int) model.Machine {
	return model.Machine{MachineID: fmt.Sprintf("m%d", n), DMI: fmt.Sprintf("d%d", n), BootID: fmt.Sprintf("b%d", n)}
}

// reports has a machine say who it is, as a host that is called so.
func (r *running) reports(host, name string, m model.Machine) {
	r.t.Helper()
	doc, err := model.NewDocument(model.Name{Host: host, Package: model.PackageIdentity}, time.Now(), model.Identity{Hostname: name, MachineID: m.MachineID, DMI: m.DMI, BootID: m.BootID})
	if err == nil {
		err = r.Accept(r.t.Context(), []model.Document{doc})
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// TestNames: where there are no certificates, the log says which machine has which name.
func TestNames(t *testing.T) {
	dir := t.TempDir()
	own := func(c *Config) { c.Machine = box(99) }
	r := start(t, dir, own)
	called := func(name string, m model.Machine, want string) {
		t.Helper()
		if got, err := r.Name(t.Context(), name, m); err != nil || got != want {
			t.Errorf("%s %s is called %q, %v; want %q", name, m.MachineID, got, err, want)
		}
	}
	called("debian", box(1), "debian")
	called("debian", box(2), "debian~2") // before either has said anything
	called("debian", box(2), "debian~2")
	called("debian", box(1), "debian")
	called("web-17", box(1), "web-17~2") // the manager's own name
	called("web-17", box(99), "web-17")
	r.reports("debian", "debian", box(1))
	r.reports("debian~2", "debian", box(2))
	r.reports("older", "older", model.Machine{})
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = start(t, dir, own)
	called("debian", box(3), "debian~3")
	called("debian", box(2), "debian~2")
	called("debian", model.Machine{MachineID: "installed anew", DMI: "d1"}, "debian")
	called("debian", model.Machine{}, "debian") // it says too little
	called("older", box(4), "older")
	called("web-1", box(1), "web-1") // it was renamed
	r.reports("cloud", "cloud", model.Machine{MachineID: "image"})
	r.reports("cloud~2", "cloud", model.Machine{DMI: "d30"})
	called("cloud", model.Machine{MachineID: "another"}, "cloud~2") // which it may be; cloud it is not
	long := strings.Repeat("x", 63)
	called(long+"a", box(5), long+"a")
	called(long+"b", box(6), long+"b")
	called(long+"a", box(7), long[:62]+"~2")
	called(long+"b", box(8), long[:62]+"~3")
	if _, err := r.Name(t.Context(), long+"ab", box(9)); !errors.Is(err, api.ErrInvalid) {
		t.Errorf("a name that no host can have: %v", err)
	}
}

// TestNamesAtOnce gives many machines of one name as many names.
func TestNamesAtOnce(t *testing.T) {
	r := start(t, t.TempDir())
	var all sync.WaitGroup
	names := make([]string, 20)
	for n := range names {
		all.Go(func() {
			var err error
			if names[n], err = r.Name(t.Context(), "debian", box(n+1)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			t.Errorf("%s twice: %v", name, names)
		}
		seen[name] = true
	}
}

// TestPromisesEnd: a host that was given a name and never reported does not keep it.
func TestPromisesEnd(t *testing.T) {
	var now atomic.Int64
	now.Store(time.Now().UnixNano())
	r := start(t, t.TempDir(), func(c *Config) { c.Now = func() time.Time { return time.Unix(0, now.Load()) } })
	for _, want := range []string{"debian~2", "debian"} {
		if got, err := r.Name(t.Context(), "debian", box(1)); err != nil || got != "debian" {
			t.Fatalf("%q, %v", got, err)
		}
		if want == "debian" {
			now.Add(int64(promisedFor))
		}
		if got, err := r.Name(t.Context(), "debian", box(2)); err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
}

// TestNamesAreBounded: what was promised to hosts that reported makes room.
func TestNamesAreBounded(t *testing.T) {
	r := start(t, t.TempDir())
	r.promised.mu.Lock()
	for n := range maxPromised {
		r.promised.byHost[fmt.Sprint("host-", n)] = promise{name: fmt.Sprint("host-", n), machine: box(n), at: time.Now()}
	}
	r.promised.mu.Unlock()
	if _, err := r.Name(t.Context(), "debian", box(1)); !errors.Is(err, errPromised) {
		t.Errorf("beyond the bound: %v", err)
	}
	r.reports("host-7", "host-7", box(7))
	if got, err := r.Name(t.Context(), "debian", box(1)); err != nil || got != "debian" {
		t.Errorf("%q, %v", got, err)
	}
}
