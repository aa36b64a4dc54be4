package capture

import (
	"errors"
	"strings"
	"testing"

	"cassini/agent"
	"cassini/bpf"
)

// A kernel that lets no program read its memory is told as such, and what to do.
func TestLockdown(t *testing.T) {
	if !bpf.Confidential() {
		t.Skip("NOT TESTED: the kernel is not booted with lockdown=confidentiality; make test-vm boots one so")
	}
	tcp, err := bpf.OpenTCP(bpf.Limits{})
	if err == nil {
		_ = tcp.Close()
		t.Fatal("programs that read the kernel's memory load: what is said of lockdown no longer holds")
	}
	if !errors.Is(err, bpf.ErrUnsupported) || !strings.Contains(err.Error(), "lockdown=integrity") {
		t.Errorf("it says %v", err)
	}
	hooks, err := agent.Doctor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hooks {
		if h.First || !strings.Contains(h.Reason, "lockdown=integrity") {
			t.Errorf("%s: %q, %s", h.Fact, h.Hook, h.Reason)
		}
	}
}
