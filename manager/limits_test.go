package manager

import (
	"errors"
	"net/netip"
	"testing"

	"cassini/manager/rings"
	"cassini/model"
)

// TestLimits refuses who comes beyond, and nobody else.
func TestLimits(t *testing.T) {
	at := netip.MustParseAddrPort("127.0.0.1:0")
	m := start(t, t.TempDir(), func(c *Config) { c.Rings.Listen, c.Limits.Hosts = at, 1 })
	join := func(host string) error {
		_, err := m.Join(t.Context(), model.Join{RingMember: model.RingMember{Host: host, Addr: netip.MustParseAddrPort("127.0.0.1:9"), Incarnation: 1}})
		return err
	}
	if err := join("web-1"); err != nil {
		t.Fatal(err)
	}
	if err := join("web-2"); !errors.Is(err, rings.ErrFull) {
		t.Errorf("the second of one: %v", err)
	}
	if err := join("web-1"); err != nil {
		t.Errorf("the first again: %v", err)
	}
}
