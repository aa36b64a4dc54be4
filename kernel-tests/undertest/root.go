package undertest

import (
	"fmt"
	"os"
)

// NeedRoot ends a suite that needs root and does not have it. It says so, and is a failure where
// CASSINI_REQUIRE_ROOT is set: a suite that was left out is not to be taken for one that passed.
func NeedRoot(suite, target string) {
	if os.Geteuid() == 0 {
		return
	}
	fmt.Printf("%s TESTS NOT RUN: they need root. Run them with: sudo -E make %s\n", suite, target)
	if os.Getenv("CASSINI_REQUIRE_ROOT") != "" {
		os.Exit(1)
	}
	os.Exit(0)
}
