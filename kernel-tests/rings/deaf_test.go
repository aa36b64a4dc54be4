package rings

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/model"
	"cassini/tools/estate"
)

// TestDeaf lets one host hear nothing: by a firewall that drops agents' datagrams, by one that
// drops all that comes in, and by a cable that loses one direction, frames of ARP with it.
func TestDeaf(t *testing.T) {
	drop := func(what string) func(*rig) {
		return func(r *rig) {
			r.nft("table inet deaf {\n chain in {\n type filter hook input priority 0\n iifname != lo " + what + " drop\n }\n}\n")
		}
	}
	hear := func(r *rig) { r.nft("delete table inet deaf") }
	for name, c := range map[string]struct{ deafen, hear func(*rig) }{
		"datagrams":  {drop("meta l4proto udp"), hear},
		"everything": {drop(""), hear},
		"frames": {
			func(r *rig) { r.do(r.estate.Loss("s1-h2", estate.Loss{Percent: 100}, estate.Loss{})) },
			func(r *rig) { r.do(r.estate.Loss("s1-h2", estate.Loss{}, estate.Loss{})) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 1, 5)
			c.deafen(r)
			took := r.waitStates(time.Minute, map[string]string{"s1-h2": "deaf"})
			t.Logf("known after %v", took)
			r.wait("the ring is mended without it", 20*time.Second, func() error { return r.whole(4) })
			// Longer than a kernel takes to forget others' addresses that answer nothing, which is
			// 45 s and 8 s more (Documentation/networking/ip-sysctl.rst, base_reachable_time_ms).
			for end := time.Now().Add(70 * time.Second); time.Now().Before(end); time.Sleep(time.Second) {
				if states, err := r.states(); err == nil && states["s1-h2"] != "deaf" {
					t.Fatalf("states are %v", states)
				}
			}
			c.hear(r)
			r.waitStates(90*time.Second, map[string]string{})
			r.wait("rings are whole", 30*time.Second, func() error { return r.whole(5) })
			r.wait("that was all", 10*time.Second, r.onlyDeaf)
		})
	}
}

// nft changes the rules of s1-h2.
func (r *rig) nft(rules string) {
	r.t.Helper()
	cmd := r.estate.Command(r.t.Context(), "s1-h2", "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("nft: %v: %s", err, out)
	}
}

// onlyDeaf says what else is told than one deafness of s1-h2 that is over.
func (r *rig) onlyDeaf() error {
	list := r.incidents()
	if len(list) != 1 || list[0].Kind != model.VerdictDeaf || list[0].State != model.IncidentClosed || !slices.Equal(list[0].Subjects, []string{"s1-h2"}) {
		return fmt.Errorf("incidents:\n%s", r.incidentsText())
	}
	return nil
}
