package heartbeat

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"cassini/bpf"
	"cassini/kernel-tests/undertest"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	undertest.NeedRoot("HEARTBEAT", "test-privileged")
	if noTimers() != nil {
		fmt.Println("THE KERNEL'S WATCH OF HEARTBEATS IS NOT TESTED: this kernel has no timers for programs (before 5.15).")
		fmt.Println("User space watches here, which is tested instead.")
	}
	goleak.VerifyTestMain(m)
}

// noTimers asks the kernel without the program under test: where it has timers, that
// program has to load.
var noTimers = sync.OnceValue(func() error {
	err := features.HaveProgramHelper(ebpf.SocketFilter, asm.FnTimerInit)
	if errors.Is(err, ebpf.ErrNotSupported) {
		return err
	}
	return nil
})

func needTimers(t testing.TB) {
	t.Helper()
	if err := noTimers(); err != nil {
		t.Skipf("NOT TESTED: this kernel has no timers for programs: %v", err)
	}
}

// patience ends a wait for what never comes; it is no measure of speed.
const patience = 30 * time.Second

// newRandom is random, and says by which seed.
func newRandom(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func isFull(err error) bool { return errors.Is(err, bpf.ErrFull) }
