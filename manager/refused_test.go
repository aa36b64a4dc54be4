package manager

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/manager/audit"
	"cassini/manager/speakers"
	"cassini/model"
)

// refusing has a manager refuse machines under the name of a host.
type refusing struct {
	*running
	clock *aging
}

// asks has a machine ask under a host's name, as the API does, and then time pass.
func (r refusing) asks(host string, m model.Machine, want speakers.Answer) {
	r.t.Helper()
	got, err := r.Introduce(r.t.Context(), host, m, netip.Addr{})
	if err != nil || got != want {
		r.t.Errorf("%s as %s: got %v, %v; want %v", m.DMI, host, got, err, want)
	}
	if got == speakers.Another {
		r.Refuse(host, m.Mark(), m, netip.MustParseAddr("192.0.2.9"))
	}
	r.pass(15 * time.Second)
}

func (r refusing) pass(d time.Duration) {
	r.clock.advance(d)
	r.tellRefused(r.t.Context())
}

// cloned are the incidents, of which there is one at most for each host.
func (r refusing) cloned(want ...string) {
	r.t.Helper()
	var got []string
	for _, i := range r.graph.Incidents(false) {
		got = append(got, fmt.Sprintf("%s %s %d", i.State, i.Cause, len(i.Evidence)))
	}
	if !slices.Equal(got, want) {
		r.t.Errorf("incidents are %q, want %q", got, want)
	}
}

func newRefusing(t *testing.T, dir string, clock *aging) refusing {
	return refusing{start(t, dir, func(c *Config) { c.Now = clock.now }), clock}
}

// TestRefused: a machine that shows the certificate of another one is an incident, however often
// it asks and however often the manager is started, until it is gone.
func TestRefused(t *testing.T) {
	clock, dir := &aging{}, t.TempDir()
	r := newRefusing(t, dir, clock)
	r.reports("web-1", "web-1", box(1))
	for range 100 {
		r.asks("web-1", box(1), speakers.Itself)
		r.asks("web-1", box(2), speakers.Another)
	}
	r.cloned("open host:web-1 1")
	if i := r.graph.Incidents(true)[0]; i.Kind != model.IncidentHostIdentity || !strings.Contains(i.Summary, "at 192.0.2.9, DMI UUID d2, machine-id m2") {
		t.Errorf("it says %s", i.Summary)
	}
	booted := box(2)
	booted.BootID = "later"
	r.asks("web-1", booted, speakers.Another)
	r.cloned("open host:web-1 1")
	before := r.graph.Incidents(true)[0]
	r.asks("web-1", box(3), speakers.Another)
	r.cloned("open host:web-1 2")
	// Whoever was told of it is told again.
	if i := r.graph.Incidents(true)[0]; i.Summary != before.Summary+"; and 1 more" || !i.Changed.After(before.Changed) {
		t.Errorf("it changed at %v to %s; before %v", i.Changed, i.Summary, before.Changed)
	}
	list, err := r.audit.List(audit.Filter{Action: "host.machine", Limit: 10})
	if err != nil || len(list) != 2 || list[1].Target != "web-1" || list[1].From != "192.0.2.9" || list[1].Result != audit.Refused || !strings.Contains(list[1].Detail, "DMI UUID d2") {
		t.Errorf("audited %+v, %v", list, err)
	}

	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	clock.advance(time.Hour) // in which it was away
	r = newRefusing(t, dir, clock)
	r.pass(time.Second)
	r.cloned("open host:web-1 2")
	r.pass(time.Minute)
	r.asks("web-1", booted, speakers.Another)
	r.pass(refusedFor - 30*time.Second)
	r.cloned("open host:web-1 2") // one of the two is gone
	if left := r.graph.Refused()["web-1"].Machines; len(left) != 1 || left[0].Machine.DMI != "d2" {
		t.Errorf("left are %+v", left)
	}
	was := r.graph.Incidents(true)[0]
	r.asks("web-1", box(3), speakers.Another) // and comes again, of which they know
	r.cloned("open host:web-1 2")
	if i := r.graph.Incidents(true)[0]; i.Summary != was.Summary || !i.Changed.Equal(was.Changed) {
		t.Errorf("it changed to %s; before %s", i.Summary, was.Summary)
	}
	r.pass(refusedFor + time.Minute)
	r.cloned("closed host:web-1 2")
}

// TestRefusedIsMended: a machine that speaks under a name of its own is not refused any more,
// also when it was booted for that; nor one that turns out to be the host.
func TestRefusedIsMended(t *testing.T) {
	for name, mended := range map[string]func(r refusing){
		"a certificate of its own": func(r refusing) { r.asks("web-9", box(2), speakers.Itself); r.pass(refusedSoon) },
		"and it was booted": func(r refusing) {
			booted := box(2)
			booted.BootID = "later"
			r.asks("web-9", booted, speakers.Itself)
			r.pass(refusedSoon)
		},
		"its mark alone is known": func(r refusing) {
			if got, err := r.Speaks(r.t.Context(), "web-9", box(2).Mark()); err != nil || got != speakers.Itself {
				r.t.Errorf("%v, %v", got, err)
			}
			r.pass(2 * refusedSoon)
		},
		"the host is forgotten, and it is the host": func(r refusing) {
			if _, err := r.Forget(r.t.Context(), "web-1"); err != nil {
				r.t.Fatal(err)
			}
			r.asks("web-1", box(2), speakers.Itself)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRefusing(t, t.TempDir(), &aging{})
			r.reports("web-1", "web-1", box(1))
			r.asks("web-1", box(2), speakers.Another)
			r.cloned("open host:web-1 1")
			mended(r)
			r.cloned("closed host:web-1 1")
		})
	}
}

// TestRefusedBeside: a program in a container of the machine has a name, and it is refused still.
func TestRefusedBeside(t *testing.T) {
	r := newRefusing(t, t.TempDir(), &aging{})
	r.reports("web-1", "web-1", box(1))
	for range 20 {
		r.asks("web-1", box(2), speakers.Another)
		r.asks("container", box(2), speakers.Itself)
	}
	r.cloned("open host:web-1 1")
}

// TestRefusedBounds: what is remembered is bounded.
func TestRefusedBounds(t *testing.T) {
	var f refused
	now := time.Now()
	for host := range maxRefusedHosts + 10 {
		for n := range maxRefused + 3 {
			if news := f.add(fmt.Sprint(host), "", box(n), netip.Addr{}, now); news != (n < maxRefused && host < maxRefusedHosts) {
				t.Fatalf("machine %d of host %d: %v", n, host, news)
			}
		}
	}
	if left := f.left(now); len(left) != maxRefusedHosts || len(left["0"].Machines) != maxRefused {
		t.Errorf("%d hosts, %d machines", len(left), len(left["0"].Machines))
	}
}
