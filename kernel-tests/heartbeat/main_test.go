package heartbeat

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"cassini/bpf"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Geteuid() != 0 {
		fmt.Println("RING TESTS NOT RUN: they need root. Run them with: sudo -E make test-privileged")
		if os.Getenv("CASSINI_REQUIRE_ROOT") != "" {
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
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
