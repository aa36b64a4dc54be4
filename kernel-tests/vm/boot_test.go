package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// selfTest is the kernel to boot, or nothing: these tests fetch and emulate.
const selfTest = "CASSINI_VM_SELFTEST"

// TestSelf breaks each thing that must make the harness fail, once, on a real
// kernel, and sees that it does and says why.
func TestSelf(t *testing.T) {
	series := os.Getenv(selfTest)
	if series == "" {
		t.Skip("SKIPPED: boots virtual machines; run it with: make test-vm-self")
	}
	tests := []struct {
		name  string
		build string // the package below testdata
		args  []string
		code  int
		want  []string // on standard output
	}{
		{"good", "good", nil, exitDone, []string{"ok  ", "4 passed, 0 failed, 1 skipped", "good TestLoopback", "skip 0."}},
		{"failing test", "failing", nil, exitFailed, []string{"FAIL", "failing: TestBad/deep failed", "| ", "failed on purpose"}},
		{"hanging test", "hanging", []string{"-timeout", "5s"}, exitFailed, []string{"hanging: exit status 2 while TestForever ran", "panic: test timed out after 5s"}},
		{"empty binary", "empty", nil, exitFailed, []string{"empty: no tests ran"}},
		{"no test of that name", "good", []string{"-run", "^TestNone$"}, exitFailed, []string{"good: no tests ran", "no tests to run"}},
		{"only skipped", "good", []string{"-run", "^TestSkipped$"}, exitFailed, []string{"good: no tests ran, 1 skipped"}},
		{"fails at the end", "exiting", nil, exitFailed, []string{"exiting: exit status 1", "something leaked, on purpose"}},
		{"kernel panic", "good", []string{"-break", "panic"}, exitFailed, []string{"the kernel died in good: Kernel panic - not syncing: sysrq triggered crash", "Call Trace"}},
		{"dead init", "good", []string{"-break", "exit"}, exitFailed, []string{"Kernel panic - not syncing: Attempted to kill init!"}},
		{"hanging machine", "good", []string{"-break", "hang", "-timeout", "1s", "-boot-timeout", "1s"}, exitFailed, []string{"timeout: not at its end after 17s in good"}},
		{"no result", "good", []string{"-break", "no-result"}, exitFailed, []string{"good: no result line"}},
		{"unknown module", "good", []string{"-modules", "unobtainium"}, exitFailed, []string{"cannot boot", "find module unobtainium: no such module"}},
		{"too little memory", "good", []string{"-memory", "48", "-boot-timeout", "20s", "-timeout", "1s"}, exitFailed, []string{"FAIL"}},
	}
	binaries := t.TempDir()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			out := t.TempDir()
			args := append([]string{"-kernels", series, "-out", out, "-test", build(t, binaries, test.build)}, test.args...)
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), args, &stdout, &stderr)
			missing := slices.DeleteFunc(slices.Clone(test.want), func(s string) bool { return strings.Contains(stdout.String(), s) })
			if code != test.code || len(missing) > 0 {
				t.Errorf("exit code %d, want %d; missing %q in\n%s\n%s", code, test.code, missing, &stdout, &stderr)
			}
			if _, err := os.Stat(filepath.Join(out, "results.json")); err != nil {
				t.Error(err)
			}
		})
	}
}

// build compiles the tests of a package below testdata.
func build(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name+".test")
	cmd := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", path, "./testdata/"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, out)
	}
	return path
}
