package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"cassini/model"
)

var update = flag.Bool("update", false, "write golden files")

// asCassini makes the test binary behave as cassini itself.
const asCassini = "TEST_AS_CASSINI"

func TestMain(m *testing.M) {
	if os.Getenv(asCassini) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// result is what one command line did.
type result struct {
	code           int
	stdout, stderr string
}

// ownEnv keeps a configuration of this machine out of the tests.
func ownEnv() map[string]string { return map[string]string{"CASSINI_CONFIG": os.DevNull} }

// sandbox is a system of which nothing is the machine's.
func sandbox(env map[string]string, serve map[string]serveFunc) (*system, *bytes.Buffer, *bytes.Buffer) {
	var stdout, stderr bytes.Buffer
	return &system{
		stdout: &stdout, stderr: &stderr, zone: time.UTC, serve: serve,
		getenv: func(k string) string { return cmp.Or(env[k], ownEnv()[k]) },
		now:    func() time.Time { return now },
		probe:  func(context.Context) ([]model.Hook, error) { return nil, errors.New("not permitted") },
	}, &stdout, &stderr
}

// cassini runs a command line in this process.
func cassini(t *testing.T, env map[string]string, args ...string) result {
	t.Helper()
	idle := func(context.Context, serveConfig) error { return nil }
	sys, stdout, stderr := sandbox(env, map[string]serveFunc{"run": idle, "agent": idle, "manager": idle})
	code := execute(t.Context(), args, sys)
	return result{code, stdout.String(), stderr.String()}
}

// binary runs a command line as a process of its own.
func binary(t *testing.T, args ...string) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = []string{asCassini + "=1", "CASSINI_CONFIG=" + os.DevNull}
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// golden compares got with a file, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name + ".golden"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at it with 'go test -update' and git diff. Got:\n%s", path, got)
	}
}
