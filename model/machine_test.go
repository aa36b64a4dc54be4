package model

import (
	"strings"
	"testing"
)

func TestNamesake(t *testing.T) {
	long := strings.Repeat("x", 64)
	for _, tc := range []struct {
		name string
		n    int
		want string
	}{
		{"debian", 2, "debian~2"},
		{"ip-10-0-0-1", 17, "ip-10-0-0-1~17"},
		{"web.example.org", 2, "web.example.org~2"},
		{long, 2, long[:62] + "~2"},
		{long, 100, long[:60] + "~100"},
	} {
		got := Namesake(tc.name, tc.n)
		if got != tc.want || len(got) > MaxHostName {
			t.Errorf("%s %d: got %s", tc.name, tc.n, got)
		}
		if name, n := CutNamesake(got); n != tc.n || !strings.HasPrefix(tc.name, name) {
			t.Errorf("%s: taken apart as %s %d", got, name, n)
		}
	}
}

func TestNoNamesake(t *testing.T) {
	for _, host := range []string{"debian", "", "~2", "debian~", "debian~1", "debian~02", "debian~-2", "debian~x", "debian~2x", "debian~99999999999999999999"} {
		if name, n := CutNamesake(host); name != host || n != 1 {
			t.Errorf("%q: taken apart as %q %d", host, name, n)
		}
	}
}

func TestMachineOver(t *testing.T) {
	known := Machine{MachineID: "m", DMI: "d", BootID: "b", MACs: []string{"02:00:00:00:00:01"}}
	got := Machine{MachineID: "n"}.Over(known)
	if got.MachineID != "n" || got.DMI != "d" || got.BootID != "b" || len(got.MACs) != 1 || got.IsZero() || !(Machine{}).IsZero() {
		t.Errorf("got %+v", got)
	}
}
