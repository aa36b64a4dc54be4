//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"cassini/kernel-tests/internal/guest"
)

// mounts are the file systems of an ordinary server with cgroup v2.
var mounts = [...]struct{ kind, on, options string }{
	{"proc", "/proc", ""},
	{"sysfs", "/sys", ""},
	{"devtmpfs", "/dev", ""},
	{"devpts", "/dev/pts", ""},
	{"tmpfs", "/dev/shm", ""},
	{"tmpfs", "/run", "mode=755"},
	{"tmpfs", "/tmp", "mode=1777"},
	{"tmpfs", "/var", "mode=755"},
	{"cgroup2", "/sys/fs/cgroup", "nsdelegate"},
	{"bpf", "/sys/fs/bpf", "mode=700"},
	{"tracefs", "/sys/kernel/tracing", ""},
	{"debugfs", "/sys/kernel/debug", ""},
	{"securityfs", "/sys/kernel/security", ""},
}

func mountAll() []error {
	var problems []error
	for _, m := range mounts {
		_ = os.MkdirAll(m.on, 0o755) // there already, or mount says why not
		err := unix.Mount(m.kind, m.on, m.kind, 0, m.options)
		if err != nil && !errors.Is(err, unix.EBUSY) {
			problems = append(problems, fmt.Errorf("mount %s on %s: %w", m.kind, m.on, err))
		}
	}
	return problems
}

func prepare(plan guest.Plan) []error {
	var problems []error
	for _, path := range plan.Modules {
		if err := load(path); err != nil {
			problems = append(problems, fmt.Errorf("load module %s: %w", path, err))
		}
	}
	if err := loopbackUp(); err != nil {
		problems = append(problems, err)
	}
	if err := unix.Sethostname([]byte("cassini-vm")); err != nil {
		problems = append(problems, fmt.Errorf("set host name: %w", err))
	}
	return problems
}

func load(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	if err := unix.FinitModule(int(file.Fd()), "", 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	return nil
}

func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("bring lo up: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("bring lo up: %w", err)
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("bring lo up: %w", err)
	}
	return nil
}
