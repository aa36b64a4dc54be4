// Package undertest is for tests from outside: it makes the binary that they run, finds ports for it, and says
// what was left out.
package undertest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Binary is the path of the binary that CASSINI_BINARY names, or else of one that is built
// into a directory.
func Binary(dir string) (string, error) {
	if path := os.Getenv("CASSINI_BINARY"); path != "" {
		return path, nil
	}
	path := filepath.Join(dir, "cassini")
	out, err := exec.Command("go", "build", "-o", path, "cassini/cmd/cassini").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build cassini: %w\n%s", err, out)
	}
	return path, nil
}

// Main runs tests with the binary's path in binary, for TestMain to exit with the answer.
func Main(m *testing.M, binary *string) int {
	dir, err := os.MkdirTemp("", "cassini-undertest")
	if err == nil {
		defer os.RemoveAll(dir)
		*binary, err = Binary(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
