package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"cassini/kernel-tests/internal/debian"
	"cassini/kernel-tests/internal/guest"
	"cassini/kernel-tests/internal/initramfs"
)

// readTests reads the test binaries and makes sure that they can run.
func (l *lab) readTests(context.Context) error {
	for _, path := range l.opts.tests {
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read test binary: %w", err)
		}
		if err := initramfs.CheckProgram(data, l.opts.arch); err != nil {
			return fmt.Errorf("use test binary %s: %w", path, err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".test")
		if slices.ContainsFunc(l.tests, func(t guest.Test) bool { return t.Name == name }) || strings.ContainsAny(name, " \t\n") {
			return fmt.Errorf("use test binary %s: the name %q is taken or has spaces", path, name)
		}
		test := guest.Test{Name: name, Path: "/cassini/tests/" + name, Timeout: l.opts.timeout}
		test.Args = []string{"-test.v=test2json", "-test.paniconexit0", "-test.timeout=" + l.opts.timeout.String()}
		if l.opts.run != "" {
			test.Args = append(test.Args, "-test.run="+l.opts.run)
		}
		l.tests = append(l.tests, test)
		l.files = append(l.files, initramfs.File{Path: test.Path, Mode: 0o755, Data: data})
	}
	return nil
}

// buildInit compiles /init for the guest.
func (l *lab) buildInit(ctx context.Context) error {
	init, err := initramfs.Init(ctx, l.opts.arch)
	l.files = append(l.files, init)
	return err
}

// writeInitramfs packs files, modules and plan for one kernel.
func (l *lab) writeInitramfs(path string, kernel debian.Kernel) error {
	files := slices.Clone(l.files)
	plan := guest.Plan{Output: boardOf(kernel.Arch, ports{}).output, Tests: l.tests, Break: l.opts.fault}
	modules, err := initramfs.Modules(kernel, slices.Concat(l.opts.modules, l.opts.carried)...)
	if err != nil {
		return fmt.Errorf("%w (choose others with -modules)", err)
	}
	for _, m := range modules {
		files = append(files, m.File)
		if !slices.Contains(l.opts.carried, m.Name) {
			plan.Modules = append(plan.Modules, m.Path)
		}
	}
	data, err := json.Marshal(plan)
	if err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	return initramfs.Write(path, append(files, initramfs.File{Path: guest.PlanPath, Mode: 0o644, Data: data}))
}
