package bpf

import "testing"

func TestPreempts(t *testing.T) {
	const dynamic = "#1 SMP PREEMPT_DYNAMIC Debian 6.12.57-1 (2025-11-05)"
	for _, c := range []struct {
		name, version, now, boot string
		want                     bool
	}{
		{"never", "#1 SMP Debian 6.1.0-1", "", "preempt=full", false},
		{"always", "#1 SMP PREEMPT Debian 6.1.0-1", "", "", true},
		{"in real time", "#1 SMP PREEMPT_RT Debian 6.1.0-1", "", "preempt=none", true},
		{"it says so", dynamic, "none voluntary (full)\n", "preempt=none", true},
		{"it says lazily", dynamic, "none voluntary full (lazy)\n", "", true},
		{"it says no", dynamic, "none (voluntary) full\n", "preempt=full", false},
		{"told so at its boot", dynamic, "", "BOOT_IMAGE=/vmlinuz preempt=full quiet\n", true},
		{"told otherwise at its boot", dynamic, "", "quiet preempt=voluntary", false},
		{"told twice", dynamic, "", "preempt=full preempt=none", false},
		{"nobody says anything", dynamic, "", "quiet", true},
	} {
		if got := preempts(c.version, c.now, c.boot); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
