package agent

import (
	"errors"
	"strings"
	"testing"

	"cassini/bpf"
)

// What is missing of SCTP is told apart from what is there; before the kernel has loaded it nothing is
// lost, unless it refuses trampolines.
func TestSCTPHooks(t *testing.T) {
	missing := errors.New("no such function")
	for _, c := range []struct {
		name              string
		probe             sctpProbe
		trampolines       error
		lost, lostTraffic bool
	}{
		{"all", sctpProbe{}, nil, false, false},
		{"no bytes", sctpProbe{traffic: missing}, nil, false, true},
		{"nothing", sctpProbe{captured: missing}, nil, true, true},
		{"not loaded", sctpProbe{captured: bpf.ErrNoSCTP}, nil, false, false},
		{"refused", sctpProbe{captured: bpf.ErrNoSCTP}, missing, true, true},
	} {
		hooks := sctpHooks(c.probe, c.trampolines)
		if len(hooks) != 3 || (hooks[0].Lost != "") != c.lost || (hooks[1].Lost != "") != c.lostTraffic || (hooks[2].Lost != "") != c.lost {
			t.Errorf("%s: %+v", c.name, hooks)
		}
		for _, h := range hooks {
			if h.First != (h.Lost == "") || (c.name == "not loaded") != strings.Contains(h.Hook, "when it does") {
				t.Errorf("%s: %+v", c.name, h)
			}
		}
	}
}
