package dashboards

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	dir, err := os.MkdirTemp("", "cassini-dashboards")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if binary = os.Getenv("CASSINI_BINARY"); binary == "" {
		binary = filepath.Join(dir, "cassini")
		if out, err := exec.Command("go", "build", "-o", binary, "cassini/cmd/cassini").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build cassini: %v\n%s", err, out)
			return 1
		}
	}
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
