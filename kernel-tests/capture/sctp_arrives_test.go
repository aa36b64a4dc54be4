package capture

import (
	"context"
	"errors"
	"os"
	"testing"

	"cassini/agent/modules"
	"cassini/bpf"

	"golang.org/x/sys/unix"
)

// SCTP that the kernel loads while the capture runs is captured from then on, and a word of
// the kernel says when. It must be the first of SCTP's tests, as
// the others load it: hence the file's name.
func TestSCTPArrives(t *testing.T) {
	r := start(t, bpf.Limits{})
	waiter, err := modules.Hear(bpf.SCTPModule)
	if err != nil {
		t.Fatal(err)
	}
	defer waiter.Close()
	switch err := r.OpenSCTP(t.Context()); {
	case err == nil:
		notTested(t, "SCTP was loaded before")
	case !errors.Is(err, bpf.ErrNoSCTP):
		t.Fatalf("before it is loaded: %v", err)
	}
	loadSCTP(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := waiter.Wait(ctx); err != nil {
		t.Fatalf("nobody said that it was loaded: %v", err)
	}
	if err := r.OpenSCTP(t.Context()); err != nil {
		t.Fatalf("%+v", err)
	}
	fd, port := sctpListen(t, unix.SOCK_STREAM, "127.0.0.1")
	defer closeFD(t, fd)
	r.listener("the first of SCTP's", sctpService(port))
}

// The kernel says it of every module.
func TestModuleIsHeardOf(t *testing.T) {
	const name = "kernel" // part of every kernel, and listed as a module
	const trigger = "/sys/module/" + name + "/uevent"
	w, err := modules.Hear(name)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := os.WriteFile(trigger, []byte("add"), 0o200); err != nil {
		notTested(t, "the kernel cannot be asked to say that a module was loaded: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := w.Wait(ctx); err != nil {
		t.Error(err)
	}
}
