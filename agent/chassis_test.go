package agent

import (
	"testing"
	"testing/fstest"
)

func TestOwnChassis(t *testing.T) {
	for serial, want := range map[string]string{
		"CZ3512ABCD\n":                    "chassis:CZ3512ABCD",
		" 7X1QZ42 \n":                     "chassis:7X1QZ42",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ-0042": "chassis:ABCDEFGHIJKLMNO~",
		"":                                "",
		"\n":                              "",
		"0000000000":                      "",
		"0":                               "",
		"None":                            "",
		"Not Specified":                   "",
		"To Be Filled By O.E.M.":          "",
		"Default string":                  "",
		"Chassis Serial Number":           "",
		"0123456789":                      "",
		"..................":              "",
	} {
		got := ownChassis(fstest.MapFS{"chassis_serial": {Data: []byte(serial)}})
		if len(got) > len(want) && len(got) == maxZone {
			got = got[:len(want)] // with a hash
		}
		if got != want {
			t.Errorf("%q: %q, want %q", serial, got, want)
		}
	}
	if got := ownChassis(fstest.MapFS{}); got != "" {
		t.Errorf("without DMI: %q", got)
	}
}
