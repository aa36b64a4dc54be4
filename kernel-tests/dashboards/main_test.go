package dashboards

import (
	"cassini/kernel-tests/undertest"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"go.uber.org/goleak"
)

// binary is the one under test.
var binary string

func TestMain(m *testing.M) {
	if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, "kernel-tests/dashboards: NOT RUN:", err)
		if os.Getenv("CASSINI_REQUIRE_ROOT") != "" {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(run(m))
}

// prepare says why the tests cannot run.
func prepare() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("they need root, for network namespaces")
	}
	if _, err := exec.LookPath("prometheus"); err != nil {
		return fmt.Errorf("they need Prometheus (Debian: apt-get install prometheus): %w", err)
	}
	return nil
}

func run(m *testing.M) int {
	code := undertest.Main(m, &binary)
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
