package manager

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"cassini/model"
)

// TestRingsOfTenants puts hosts of two tenants and of none on rings, all behind one switch:
// no ring has hosts of two. Whom an admin revokes is on none at once, and whom a manager
// revoked that ended before it could say so, at the start of the next.
func TestRingsOfTenants(t *testing.T) {
	rings := func(c *Config) { c.Rings.Listen = netip.MustParseAddrPort("127.0.0.1:0") }
	e := newEstate(t, rings)
	hosts := []string{"red-1", "red-2", "blue-1", "blue-2", "core-1"}
	for i, host := range hosts {
		addr := netip.MustParseAddrPort(fmt.Sprintf("127.0.0.1:%d", 9+i))
		if _, err := e.Join(t.Context(), model.Join{RingMember: model.RingMember{Host: host, Addr: addr, Incarnation: 1, Zone: "switch:1"}}); err != nil {
			t.Fatal(err)
		}
	}
	wantRings(t, e.Manager, "switch:1: red-1 red-2", "switch:1#2: blue-1 blue-2", "switch:1#3: core-1")
	if status, body := e.ask(e.admin, "POST", "/api/v1/enroll/revoke", "application/json", `{"host":"red-1"}`); status != 200 {
		t.Fatalf("revoke: %d %s", status, body)
	}
	wantRings(t, e.Manager, "switch:1: red-2", "switch:1#2: blue-1 blue-2", "switch:1#3: core-1")
	if _, err := e.enroll.Revoke("blue-1", "", e.cfg.Now()); err != nil {
		t.Fatal(err)
	}
	if err := e.stop(); err != nil {
		t.Fatal(err)
	}
	again := start(t, e.dir, rings, func(c *Config) { c.Host, c.TLS.On = "manager", true })
	want := []string{"switch:1: red-2", "switch:1#2: blue-2", "switch:1#3: core-1"}
	eventually(t, "rings without whom was revoked", func() bool { return slices.Equal(ringsOf(t, again.Manager), want) })
}

func wantRings(t *testing.T, m *Manager, want ...string) {
	t.Helper()
	if got := ringsOf(t, m); !slices.Equal(got, want) {
		t.Errorf("rings %q, want %q", got, want)
	}
}

// ringsOf are the rings with their members, by name.
func ringsOf(t *testing.T, m *Manager) (list []string) {
	t.Helper()
	view, err := m.Rings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range view.Rings {
		var names []string
		for _, member := range r.Members {
			names = append(names, member.Host)
		}
		slices.Sort(names)
		list = append(list, fmt.Sprintf("%s: %s", r.ID, strings.Join(names, " ")))
	}
	return list
}
