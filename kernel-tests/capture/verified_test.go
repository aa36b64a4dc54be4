package capture

import (
	"errors"
	"os"
	"testing"

	"github.com/cilium/ebpf"

	"cassini/bpf"
)

// mostVerified is how many instructions of one program the verifier may look at: it takes most of an
// agent's start, some 100 ns each, and a loop that it follows step by step is many.
const mostVerified = 40_000

// loaded are the programs in the kernel.
func loaded(t *testing.T) map[ebpf.ProgramID]bool {
	t.Helper()
	ids := make(map[ebpf.ProgramID]bool)
	for id := ebpf.ProgramID(0); ; {
		next, err := ebpf.ProgramGetNextID(id)
		if errors.Is(err, os.ErrNotExist) {
			return ids
		}
		if err != nil {
			t.Fatal(err)
		}
		id, ids[next] = next, true
	}
}

// The verifier is soon done with every program, so that an agent starts at once.
func TestVerifiedAtOnce(t *testing.T) {
	before, types := loaded(t), bpf.NewTypes()
	kernel, err := bpf.OpenTCP(bpf.Limits{Types: types, UDPBytes: true})
	if err != nil {
		t.Fatal(err)
	}
	defer kernel.Close()
	// What is refused here is not looked at; other tests say so.
	if unix, err := bpf.OpenUnix(bpf.UnixLimits{Types: types, Bytes: true}); err == nil {
		defer unix.Close()
	}
	if taps, err := bpf.OpenTaps(types); err == nil {
		defer taps.Close()
	}
	if accepts, err := bpf.OpenAccepts(types); err == nil {
		defer accepts.Close()
	}
	looked := 0
	for id := range loaded(t) {
		if before[id] {
			continue
		}
		program, err := ebpf.NewProgramFromID(id)
		if err != nil {
			continue // another's, and gone
		}
		info, err := program.Info()
		_ = program.Close()
		if err != nil {
			t.Error(err)
			continue
		}
		if n, ok := info.VerifiedInstructions(); ok {
			looked++
			t.Logf("%s: %d", info.Name, n)
			if n > mostVerified {
				t.Errorf("%s: the verifier looked at %d instructions, want %d at most", info.Name, n, mostVerified)
			}
		}
	}
	if looked == 0 {
		t.Error("the kernel told of no program how many instructions the verifier looked at")
	}
}
