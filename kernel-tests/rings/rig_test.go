package rings

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cassini/kernel-tests/undertest"
	"cassini/model"
	"cassini/tools/estate"
	"cassini/tools/estate/fleet"

	"golang.org/x/sys/unix"
)

// rig is an estate with an agent on every host and a manager.
type rig struct {
	*fleet.Fleet
	t       *testing.T
	estate  *estate.Estate
	profile string
	watch   string
	reflect bool // the kernel answers for agents, and answers no pings
}

func TestMain(m *testing.M) {
	undertest.NeedRoot("RING", "test-rings")
	os.Exit(undertest.Main(m, &binary))
}

// binary is the path of the binary under test.
var binary string

// estates numbers those of this process: each has namespaces of its own.
var estates atomic.Int32

// newRig builds an estate and waits until its rings are whole.
func newRig(t *testing.T, switches, hosts int, options ...func(*rig)) *rig {
	t.Helper()
	r := &rig{t: t, watch: "kernel"}
	for _, o := range options {
		o(r)
	}
	t.Parallel()
	var err error
	r.estate, err = estate.New(estate.Config{Prefix: fmt.Sprintf("cr%d-%d", os.Getpid(), estates.Add(1)), Switches: switches, HostsPerSwitch: hosts})
	if err != nil {
		t.Fatal(err)
	}
	r.Fleet = fleet.New(fleet.Config{Estate: r.estate, Binary: binary, Dir: t.TempDir(), Profile: r.profile, Watch: r.watch, Reflect: r.reflect})
	if r.reflect {
		r.filterPings()
	}
	t.Cleanup(r.close)
	r.startManager()
	for _, h := range r.estate.Hosts() {
		r.startAgent(h.Name)
	}
	r.wait("rings are whole", 40*time.Second, func() error { return r.whole(switches * hosts) })
	return r
}

// filterPings has all hosts answer no ICMP echo requests, as many networks do.
func (r *rig) filterPings() {
	r.t.Helper()
	for _, h := range r.estate.Hosts() {
		r.do(r.estate.Do(h.Name, func() error {
			return os.WriteFile("/proc/sys/net/ipv4/icmp_echo_ignore_all", []byte("1"), 0o600)
		}))
	}
}

func (r *rig) close() {
	if r.t.Failed() || testing.Verbose() {
		raw, _ := os.ReadFile(r.LogPath(fleet.Manager))
		r.t.Logf("log of the manager:\n%s", tail(string(raw), 6000))
		r.t.Logf("incidents:\n%s", r.incidentsText())
	}
	r.Fleet.Close()
	if err := r.estate.Close(); err != nil {
		r.t.Error(err)
	}
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

func (r *rig) startManager() {
	r.t.Helper()
	r.do(r.StartManager())
	r.wait("the manager answers", 10*time.Second, func() error {
		var rings []model.RingHealth
		return r.Get("rings", &rings)
	})
}

func (r *rig) startAgent(host string) {
	r.t.Helper()
	r.do(r.StartAgent(host))
}

func (r *rig) signal(host string, s unix.Signal) {
	r.t.Helper()
	r.do(r.Signal(host, s))
}

func (r *rig) crash(host string) {
	r.t.Helper()
	r.do(r.Crash(host))
}

// wait asks until there is no error.
func (r *rig) wait(what string, limit time.Duration, ask func() error) time.Duration {
	r.t.Helper()
	begin := time.Now()
	for {
		err := ask()
		if err == nil {
			return time.Since(begin)
		}
		if time.Since(begin) > limit {
			r.t.Fatalf("not within %v: %s: %v", limit, what, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// whole says why the rings are not.
func (r *rig) whole(members int) error {
	var rings []model.RingHealth
	if err := r.Get("rings", &rings); err != nil {
		return err
	}
	n := 0
	for _, ring := range rings {
		if ring.State != model.RingWhole {
			return fmt.Errorf("%s is %s: unwell %v, unacknowledged %v", ring.ID, ring.State, ring.Unwell, ring.Unacknowledged)
		}
		if ring.Level == 0 {
			n += len(ring.Members)
		}
	}
	if n != members {
		return fmt.Errorf("%d members, want %d", n, members)
	}
	return nil
}

// states are the hosts that are not up.
func (r *rig) states() (map[string]string, error) {
	var hosts []model.HostLiveness
	if err := r.Get("liveness", &hosts); err != nil {
		return nil, err
	}
	states := make(map[string]string)
	for _, h := range hosts {
		if h.State != "up" {
			states[h.Host] = h.State
		}
	}
	return states, nil
}

// waitStates waits until exactly these hosts are not up.
func (r *rig) waitStates(limit time.Duration, want map[string]string) time.Duration {
	r.t.Helper()
	return r.wait(fmt.Sprintf("states are %v", want), limit, func() error {
		got, err := r.states()
		if err == nil && fmt.Sprint(got) != fmt.Sprint(want) {
			err = fmt.Errorf("they are %v", got)
		}
		return err
	})
}

func (r *rig) incidents() (list []model.Incident) {
	r.t.Helper()
	if err := r.Get("incidents", &list); err != nil {
		r.t.Fatal(err)
	}
	return list
}

func (r *rig) incidentsText() string {
	var list []model.Incident
	if err := r.Get("incidents", &list); err != nil {
		return err.Error()
	}
	var b strings.Builder
	for _, i := range list {
		fmt.Fprintf(&b, "%s %s %s %s\n", i.Opened.Format("15:04:05.000"), i.State, i.Kind, i.Summary)
		for _, v := range i.Reports {
			fmt.Fprintf(&b, "    %s %s says %s of %s: %v %s\n", v.At.Format("15:04:05.000"), v.ID.Reporter, v.Kind, v.Subject.Host, v.Evidence.Observations, v.Evidence.Clue)
		}
	}
	return b.String()
}

// noDeaths fails when a host that lives was said to be dead.
func (r *rig) noDeaths() {
	r.t.Helper()
	for _, i := range r.incidents() {
		for _, v := range i.Reports {
			if v.Kind.Death() {
				r.t.Errorf("a death of the living: %s", r.incidentsText())
				return
			}
		}
	}
}

var errNone = errors.New("none yet")
