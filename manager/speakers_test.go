package manager

import (
	"net/netip"
	"testing"

	"cassini/manager/speakers"
	"cassini/model"
)

// TestIntroduce: what the log says of a machine tells it from another one that comes by its name,
// also after the manager was started again.
func TestIntroduce(t *testing.T) {
	dir := t.TempDir()
	r := start(t, dir, func(c *Config) { c.Machine = box(99) })
	original, clone := box(1), box(2)
	clone.MachineID = original.MachineID
	speaks := func(host string, m model.Machine, want speakers.Answer) {
		t.Helper()
		if got, err := r.Speaks(t.Context(), host, m.Mark()); err != nil || got != want {
			t.Errorf("%s speaks as %s: got %v, %v; want %v", m.Mark(), host, got, err, want)
		}
	}
	introduced := func(host string, m model.Machine, want speakers.Answer) {
		t.Helper()
		if got, err := r.Introduce(t.Context(), host, m, netip.Addr{}); err != nil || got != want {
			t.Errorf("%s is introduced as %s: got %v, %v; want %v", m.Mark(), host, got, err, want)
		}
	}
	if _, err := r.Name(t.Context(), "new", box(3)); err != nil {
		t.Fatal(err)
	}
	introduced("new", box(4), speakers.Another) // it was promised
	r.reports("debian", "debian", original)
	speaks("debian", original, speakers.Itself)
	speaks("debian", clone, speakers.Unknown)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	r = start(t, dir, func(c *Config) { c.Machine = box(99) })
	speaks("debian", clone, speakers.Unknown)
	introduced("debian", clone, speakers.Another)
	speaks("debian", clone, speakers.Another)
	if got, err := r.Name(t.Context(), "debian", clone); err != nil || got != "debian~2" {
		t.Errorf("the clone is called %s, %v", got, err)
	}
	booted := original
	booted.BootID = "second"
	speaks("debian", booted, speakers.Unknown)
	introduced("debian", booted, speakers.Itself)
	speaks("debian", booted, speakers.Itself)
	introduced("web-17", box(5), speakers.Another) // the manager's own
	introduced("web-17", box(99), speakers.Itself)

	// Other cards, of which the manager was told when the name was given.
	carded := model.Machine{MachineID: "m30", DMI: "d30", BootID: "b1", MACs: []string{"02:00:00:00:00:01"}}
	if got, err := r.Name(t.Context(), "carded", carded); err != nil || got != "carded" {
		t.Fatalf("called %s, %v", got, err)
	}
	changed := carded
	changed.BootID, changed.MACs = "b2", []string{"02:00:00:00:00:02"}
	introduced("carded", changed, speakers.Itself) // nobody hears it under its other card
	moved := changed
	moved.DMI = "d31"
	introduced("carded", moved, speakers.Another)
	introduced("carded", carded, speakers.Itself)

	// What cannot be told from the original is called otherwise once it was found to be another.
	untold := model.Machine{MachineID: "image", BootID: "b1"}
	r.reports("cloud", "cloud", untold)
	speaks("cloud", untold, speakers.Itself)
	untold.BootID = "b2"
	introduced("cloud", untold, speakers.Itself) // nobody hears the first one
	speaks("cloud", model.Machine{BootID: "b1"}, speakers.Unknown)
	introduced("cloud", model.Machine{MachineID: "image", BootID: "b1"}, speakers.Itself)
	speaks("cloud", untold, speakers.Another)
	if got, err := r.Name(t.Context(), "cloud", untold); err != nil || got != "cloud~2" {
		t.Errorf("it is called %s, %v", got, err)
	}
}
