package modules

import (
	"context"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/net/bpf"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFilter(t *testing.T) {
	vm, err := bpf.NewVM(filter([]byte("add@/module/sctp\x00")))
	if err != nil {
		t.Fatal(err)
	}
	for message, want := range map[string]bool{
		"add@/module/sctp\x00ACTION=add\x00":       true,
		"add@/module/sctp\x00":                     true,
		"add@/module/sctp":                         false,
		"add@/module/sctp_diag\x00ACTION=add\x00":  false,
		"remove@/module/sctp\x00ACTION=remove\x00": false,
		"add@/devices/virtual/net/veth0\x00":       false,
		"":                                         false,
	} {
		n, err := vm.Run([]byte(message))
		if err != nil || n > 0 != want {
			t.Errorf("%q: %d bytes, %v; want it let through: %t", message, n, err, want)
		}
	}
}

// Whoever ends the context waits no longer.
func TestWaitEnds(t *testing.T) {
	w, err := Hear("no_module_of_this_name")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- w.Wait(ctx) }()
	cancel()
	if err := <-done; err == nil {
		t.Error("it came")
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}
