//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"cassini/kernel-tests/internal/guest"
)

// grace is how much longer than its own timeout a test binary may live: time
// for it to print where it hangs.
const grace = 10 * time.Second

// run runs one test binary and ends whatever it leaves behind.
func run(test guest.Test, out *os.File) (exit int, seconds float64) {
	begin := time.Now()
	exit, err := execute(test, out)
	seconds = time.Since(begin).Seconds()
	if err != nil {
		say(out, guest.LineProblem, fmt.Errorf("run %s: %w", test.Name, err))
	}
	reap()
	return exit, seconds
}

func execute(test guest.Test, out *os.File) (int, error) {
	dir := filepath.Join("/tmp", test.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return guest.Killed, err
	}
	cmd := exec.Command(test.Path, test.Args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	cmd.Env = []string{
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "TMPDIR=/tmp", "TERM=dumb",
		"CASSINI_VM=1", "CASSINI_REQUIRE_ROOT=1", "GOTRACEBACK=all",
	}
	if err := cmd.Start(); err != nil {
		return guest.Killed, err
	}
	killer := time.AfterFunc(test.Timeout+grace, func() { _ = cmd.Process.Kill() })
	defer killer.Stop()
	err := cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil // Killed after a signal
	}
	return cmd.ProcessState.ExitCode(), err
}

// reap ends all other processes, so that one binary's leftovers are not the
// next one's surprise.
func reap() {
	const everybody = -1
	_ = unix.Kill(everybody, unix.SIGKILL)
	for {
		if _, err := unix.Wait4(everybody, nil, 0, nil); err != nil && !errors.Is(err, unix.EINTR) {
			return // no child is left
		}
	}
}
