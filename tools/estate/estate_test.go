package estate

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestEveryoneReachesEveryone(t *testing.T) {
	e := newEstate(t, 2, 2)
	all := append(e.Hosts(), e.Manager())
	var names []string
	for _, h := range all {
		names = append(names, fmt.Sprintf("%s %d %v", h.Name, h.Switch, h.Addr))
	}
	if got, want := strings.Join(names, ", "), "s1-h1 1 10.77.1.11, s1-h2 1 10.77.1.12, s2-h1 2 10.77.2.11, s2-h2 2 10.77.2.12, manager 0 10.77.0.10"; got != want {
		t.Errorf("hosts are %s", got)
	}
	for _, from := range all {
		for _, to := range all {
			if !reaches(t, e, from, to, patience) {
				t.Errorf("%s does not reach %s", from.Name, to.Name)
			}
		}
	}
}

func TestFaults(t *testing.T) {
	e := newEstate(t, 2, 3)
	ways := []string{"s1-h1 s1-h2", "s1-h1 s2-h1", "s1-h1 manager", "manager s1-h1", "s1-h2 s1-h3", "s1-h2 s2-h1", "s2-h2 manager"}
	for _, c := range []struct {
		name      string
		cut, mend func() error
		lost      int // of the ways, from the first
		alive     []string
	}{
		{"link", func() error { return e.CutLink("s1-h1") }, func() error { return e.MendLink("s1-h1") }, 4, nil},
		{"port", func() error { return e.CutPort("s1-h1") }, func() error { return e.MendPort("s1-h1") }, 4, nil},
		{"switch", func() error { return e.StopSwitch(1) }, func() error { return e.StartSwitch(1) }, 6, nil},
		{"partition", func() error { return e.Partition(1) }, func() error { return e.Heal(1) }, 6, []string{"s1-h1 s1-h2", "s1-h2 s1-h3"}},
		{"manager", func() error { return e.CutPort("manager") }, func() error { return e.MendPort("manager") }, 7,
			[]string{"s1-h1 s1-h2", "s1-h1 s2-h1", "s1-h2 s1-h3", "s1-h2 s2-h1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			expectWay(t, e, ways...)
			if err := c.cut(); err != nil {
				t.Fatal(err)
			}
			alive := append(c.alive, ways[c.lost:]...)
			for _, way := range ways[:c.lost] {
				if !strings.Contains(strings.Join(alive, ","), way) {
					expectCut(t, e, way)
				}
			}
			expectWay(t, e, alive...)
			if err := c.mend(); err != nil {
				t.Fatal(err)
			}
			expectWay(t, e, ways...)
		})
	}
}

func TestUnknown(t *testing.T) {
	e := newEstate(t, 1, 1)
	for i, err := range []error{
		e.CutLink("s1-h2"), e.MendPort(""), e.StopSwitch(0), e.Heal(2), e.Loss("core", Loss{}, Loss{}),
		e.Do("s9-h9", func() error { return nil }), e.Command(t.Context(), "s1-h7", "true").Run(),
	} {
		if !errors.Is(err, ErrUnknown) {
			t.Errorf("%d: %v", i, err)
		}
	}
	for _, c := range []Config{{}, {Prefix: "A"}, {Prefix: "a/b"}, {Prefix: prefix("x"), Switches: 255}, {Prefix: prefix("x"), HostsPerSwitch: -1}} {
		if _, err := New(c); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// Programs run where they are meant to, however many start them at once, and the test's
// own threads stay at home.
func TestCommand(t *testing.T) {
	home := namespaceOf(t, "/proc/self/ns/net")
	e := newEstate(t, 2, 2)
	var all sync.WaitGroup
	for _, h := range append(e.Hosts(), e.Manager()) {
		want := fmt.Sprintf("net:[%d]\n%s\n", namespaceOf(t, h.Path), h.Name)
		for range 10 {
			all.Go(func() {
				out, err := e.Command(t.Context(), h.Name, "sh", "-c", "readlink /proc/self/ns/net; uname -n").CombinedOutput()
				if err != nil || string(out) != want {
					t.Errorf("%s: %q, %v, want %q", h.Name, out, err, want)
				}
				if got := namespaceOf(t, "/proc/thread-self/ns/net"); got != home {
					t.Errorf("the test is in namespace %d", got)
				}
			})
		}
	}
	all.Wait()
	if got := namespaceOf(t, "/proc/self/ns/net"); got != home {
		t.Errorf("the process is in namespace %d", got)
	}
	if err := e.Command(t.Context(), "s1-h1").Run(); err == nil {
		t.Error("no program ran")
	}
	if err := e.Command(t.Context(), "s1-h1", "false").Run(); err == nil {
		t.Error("false is true")
	}
}

func namespaceOf(t *testing.T, path string) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Error(err)
	}
	return st.Ino
}

// What an estate makes goes with it: its names and its programs. What is left of a
// killed run goes too, and nothing else does.
func TestNothingIsLeft(t *testing.T) {
	e, err := New(Config{Prefix: prefix("left"), Switches: 1, HostsPerSwitch: 1})
	if err != nil {
		t.Fatal(err)
	}
	other, err := New(Config{Prefix: prefix("left-s1"), Switches: 1})
	if err != nil {
		t.Fatal(err)
	}
	sleeper := e.Command(t.Context(), "s1-h1", "sleep", "1000")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	if n := len(named(t, prefix("left"))); n != 4+3 {
		t.Errorf("%d namespaces", n)
	}
	// A run that was killed leaves its names, and here its threads.
	again, err := New(Config{Prefix: prefix("left"), Switches: 0})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(named(t, prefix("left"))); n != 2+3 {
		t.Errorf("%d namespaces", n)
	}
	if err := errors.Join(again.Close(), e.Close()); err != nil {
		t.Error(err)
	}
	began := time.Now()
	if err := sleeper.Wait(); err == nil || time.Since(began) > patience {
		t.Errorf("a program outlived its estate by %v: %v", time.Since(began), err)
	}
	if err := sleeper.Start(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("start: %v", err)
	}
	if n := len(named(t, prefix("left"))); n != 3 {
		t.Errorf("%d namespaces", n)
	}
	if err := errors.Join(Remove(prefix("left-s1")), other.Close(), Remove(prefix("left-s1"))); err != nil {
		t.Error(err)
	}
	if left := named(t, prefix("left")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// When New fails half way, what it made goes too, and what others made stays.
func TestNewFails(t *testing.T) {
	path := "/run/netns/" + prefix("half") + "-manager"
	if err := os.MkdirAll(path, 0o755); err != nil { // a folder cannot be removed by a name that holds something
		t.Fatal(err)
	}
	if err := os.WriteFile(path+"/x", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(path) }()
	e := &Estate{config: Config{Prefix: prefix("half"), Switches: 2, HostsPerSwitch: 1}, byName: make(map[string]*host), bridges: make(map[int]*node)}
	err := e.build()
	if err == nil || !errors.Is(err, os.ErrExist) {
		t.Errorf("error is %v", err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if left := named(t, prefix("half")); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}
