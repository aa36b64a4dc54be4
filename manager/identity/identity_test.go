package identity

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var t0 = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// web is a virtual machine; edits make of it what happens to such machines.
func web(edit ...func(*Machine)) Machine {
	m := Machine{MachineID: "m1", DMI: "d1", BootID: "b1", BootTime: t0, MACs: []string{"02:00:00:00:00:01", "02:00:00:00:00:02"}}
	for _, f := range edit {
		f(&m)
	}
	return m
}

func dmi(s string) func(*Machine)     { return func(m *Machine) { m.DMI = s } }
func machine(s string) func(*Machine) { return func(m *Machine) { m.MachineID = s } }
func macs(s ...string) func(*Machine) { return func(m *Machine) { m.MACs = s } }
func boot(s string, after time.Duration) func(*Machine) {
	return func(m *Machine) { m.BootID, m.BootTime = s, t0.Add(after) }
}

func TestCompare(t *testing.T) {
	for name, c := range map[string]struct {
		other        Machine
		live, alsoIt bool
		want         Twins
	}{
		"another machine":                             {web(machine("m2")), true, true, Strangers},
		"neither has a machine-id":                    {web(machine("")), true, true, Strangers},
		"a clone that has booted":                     {web(dmi("d2"), boot("b2", time.Hour), macs("02:00:00:00:00:09")), true, true, Cloned},
		"a clone without firmware's UUID":             {web(dmi(""), boot("b2", time.Hour)), true, true, Cloned},
		"a clone with the same firmware's UUID":       {web(boot("b2", time.Hour)), true, true, Cloned},
		"a clone of a running machine, with a UUID":   {web(dmi("d2")), true, true, Cloned},
		"a container beside its machine":              {web(macs("02:00:00:00:00:09")), true, true, OneKernel},
		"renamed while it runs":                       {web(), false, true, Renamed},
		"renamed, and booted":                         {web(boot("b2", time.Hour)), false, true, Renamed},
		"its image on another machine, and it is off": {web(dmi("d2"), boot("b2", time.Hour)), false, true, MayBe},
	} {
		if got := Compare(web(), c.other, c.live, c.alsoIt); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
		if got := Compare(c.other, web(), c.alsoIt, c.live); got != c.want {
			t.Errorf("%s, the other way round: got %s, want %s", name, got, c.want)
		}
	}
}

func TestBecame(t *testing.T) {
	for name, c := range map[string]struct {
		now   Machine
		boots []string
		want  Change
	}{
		"nothing":                      {web(), nil, Unchanged},
		"live-migrated":                {web(), []string{"b0"}, Unchanged},
		"a reboot":                     {web(boot("b2", time.Hour)), []string{"b0"}, Rebooted},
		"a reboot with another kernel": {web(boot("b2", time.Hour), macs("02:00:00:00:00:02")), nil, Rebooted},
		"reinstalled":                  {web(machine("m2"), boot("b2", time.Hour)), nil, Reinstalled},
		"reinstalled, no UUID":         {web(machine("m2"), boot("b2", time.Hour), dmi("")), nil, Reinstalled},
		"another machine":              {web(machine("m2"), boot("b2", time.Hour), dmi("d2"), macs("02:00:00:00:00:09")), nil, Replaced},
		"a changed card, one stays":    {web(macs("02:00:00:00:00:02", "02:00:00:00:00:09")), nil, Unchanged},
		"all cards changed":            {web(macs("02:00:00:00:00:09")), nil, NewHardware},
		"a changed card, after a boot": {web(macs("02:00:00:00:00:09"), boot("b2", time.Hour)), nil, Rebooted},
		"a snapshot, resumed":          {web(boot("b0", -time.Hour)), []string{"b0"}, Restored},
		"a boot with a wrong clock":    {web(boot("bx", -24*time.Hour)), nil, Rebooted},
		"its disk in another machine":  {web(dmi("d2"), boot("b2", time.Hour), macs("02:00:00:00:00:09")), nil, Rehosted},
	} {
		if got := Became(web(), c.now, c.boots); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
