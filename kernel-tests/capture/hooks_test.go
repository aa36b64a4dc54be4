package capture

import (
	"slices"
	"strings"
	"testing"

	"cassini/agent"
)

// What serves which fact on this kernel, for the table in docs/kernels.md. What the
// capture cannot do without, where it runs at all, is there; and it says what is not.
func TestHooks(t *testing.T) {
	hooks, err := agent.Doctor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[string]bool{
		"tcp connect, listen, established, close":            false,
		"udp bind, first datagram, end":                      false,
		"sockets older than the agent":                       false,
		"bytes, retransmits and RTT of open TCP connections": false,
	}
	for _, h := range hooks {
		t.Logf("CASSINI-HOOK fact=%q hook=%q first=%t", h.Fact, h.Hook, h.First)
		if _, ours := wanted[h.Fact]; ours {
			wanted[h.Fact] = h.First
			if !h.First {
				t.Errorf("%s: %q, %s", h.Fact, h.Hook, h.Reason)
			}
		}
		if strings.Contains(h.Reason, "MEMLOCK") {
			t.Errorf("%s: a reason leads astray: %s", h.Fact, h.Reason)
		}
		if !h.First && (h.Lost == "" || h.Reason == "") {
			t.Errorf("%s: not the first choice, and nothing says why or what is lost: %+v", h.Fact, h)
		}
	}
	for fact, first := range wanted {
		if !first {
			t.Errorf("%s: no first choice serves it", fact)
		}
	}
}

// Asked again, a kernel gives the same reasons: programs of one collection are refused in any order.
func TestHooksGiveOneReason(t *testing.T) {
	first, err := agent.Doctor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for range 8 {
		again, err := agent.Doctor(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(again, first) {
			t.Fatalf("another reason:\n%+v\nbefore:\n%+v", again, first)
		}
	}
}
