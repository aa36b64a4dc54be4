package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cassini/kernel-tests/internal/debian"
	"cassini/kernel-tests/internal/guest"
	"cassini/kernel-tests/internal/initramfs"
	"cassini/kernel-tests/vm/internal/verdict"
)

// lab is all that the kernels of one run share.
type lab struct {
	opts    options
	logger  *slog.Logger
	fetcher *debian.Fetcher
	qemu    debian.QEMU
	files   []initramfs.File // of the initramfs, but for the modules
	tests   []guest.Test
	lock    *os.File
}

// newLab takes the cache for itself, reads the binaries, builds /init and finds
// QEMU: everything that can fail before a machine boots.
func newLab(ctx context.Context, opts options, logger *slog.Logger) (*lab, error) {
	l := &lab{opts: opts, logger: logger}
	l.fetcher = &debian.Fetcher{Dir: opts.cache, Logger: logger, Refresh: opts.refresh}
	for _, step := range []func(context.Context) error{l.readTests, l.buildInit, l.makeDirs, l.findQEMU} {
		if err := step(ctx); err != nil {
			l.close()
			return nil, err
		}
	}
	return l, nil
}

func (l *lab) makeDirs(context.Context) (err error) {
	if err := errors.Join(os.MkdirAll(l.opts.cache, 0o755), os.MkdirAll(l.opts.out, 0o755)); err != nil {
		return fmt.Errorf("make directories (choose others with -cache and -out): %w", err)
	}
	l.lock, err = debian.Lock(l.opts.cache, l.logger)
	return err
}

func (l *lab) close() {
	if l.lock != nil {
		_ = l.lock.Close() // which unlocks
	}
}

func (l *lab) findQEMU(ctx context.Context) (err error) {
	if l.opts.qemu != "" {
		l.qemu, err = l.fetcher.Given(ctx, l.opts.qemu)
		return err
	}
	l.qemu, err = l.fetcher.QEMU(ctx, l.opts.arch)
	return err
}

// Result is what became of one kernel.
type Result struct {
	debian.Kernel
	verdict.Run
	Seconds  float64           `json:"seconds"` // from power on to power off
	Failures []verdict.Failure `json:"failures,omitempty"`
}

// test fetches a kernel, boots it and judges. It never fails: what goes wrong
// stands in the result.
func (l *lab) test(ctx context.Context, name string) Result {
	var result Result
	result.Arch = l.opts.arch
	result.Series, result.Flavour, _ = debian.ParseName(name) // which the options were looked at for
	kernel, err := l.fetcher.Kernel(ctx, name, l.opts.arch)
	if err != nil {
		result.Failures = []verdict.Failure{{What: "cannot get the kernel: " + err.Error()}}
		return result
	}
	result.Kernel = kernel
	machine, err := l.boot(ctx, kernel, &result)
	if err != nil {
		result.Failures = []verdict.Failure{{What: "cannot boot: " + err.Error()}}
		return result
	}
	result.Run = machine.Run
	result.Failures = verdict.Judge(machine)
	if dir := filepath.Join(l.opts.cache, "vm", "failed"); len(result.Failures) > 0 && l.opts.fault == guest.BreakNothing {
		if err := portsOf(l.prefix(kernel)).keep(dir, time.Now()); err != nil {
			l.logger.Warn("the next run overwrites these logs", "error", err)
		} else {
			l.logger.Info("logs of the failure are kept", "in", dir)
		}
	}
	return result
}

// prefix is what the names of a machine's files begin with.
func (l *lab) prefix(kernel debian.Kernel) string {
	return filepath.Join(l.opts.out, kernel.Name()+"-"+kernel.Arch)
}

// boot runs one machine to its end and collects what it said.
func (l *lab) boot(ctx context.Context, kernel debian.Kernel, result *Result) (verdict.Machine, error) {
	prefix := l.prefix(kernel)
	initramfs := prefix + ".initramfs.gz"
	if err := l.writeInitramfs(initramfs, kernel); err != nil {
		return verdict.Machine{}, err
	}
	defer func() { _ = os.Remove(initramfs) }()
	m := verdict.Machine{Limit: l.opts.boot + time.Duration(len(l.tests))*(l.opts.timeout+guestGrace)}
	for _, test := range l.tests {
		m.Want = append(m.Want, test.Name)
	}
	limited, cancel := context.WithTimeout(ctx, m.Limit)
	defer cancel()
	ports := portsOf(prefix)
	if err := ports.clear(); err != nil {
		return m, err
	}
	l.logger.Info("booting", "kernel", kernel.Release, "arch", kernel.Arch, "limit", m.Limit)
	begin := time.Now()
	m.QEMU = l.emulate(limited, kernel, initramfs, ports)
	result.Seconds = time.Since(begin).Seconds()
	m.TimedOut = limited.Err() != nil
	console, err := os.ReadFile(ports.console)
	if err != nil {
		return m, errors.Join(m.QEMU, fmt.Errorf("read the console: %w", err))
	}
	output, err := os.ReadFile(ports.output)
	if err != nil {
		return m, fmt.Errorf("read the results: %w", err)
	}
	m.Console, m.Run = strings.ToValidUTF8(string(console), "?"), verdict.Parse(strings.ToValidUTF8(string(output), "?"))
	return m, nil
}
