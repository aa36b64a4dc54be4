package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"cassini/kernel-tests/vm/internal/cpio"
	"cassini/kernel-tests/vm/internal/debian"
	"cassini/kernel-tests/vm/internal/guest"
	"cassini/kernel-tests/vm/internal/kmod"
)

// file is one file of the initramfs.
type file struct {
	path string
	mode uint32
	data []byte
}

// etc is as much of /etc as lets programs name users and hosts.
var etc = [...]file{
	{"/etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n")},
	{"/etc/group", 0o644, []byte("root:x:0:\nnogroup:x:65534:\n")},
	{"/etc/hosts", 0o644, []byte("127.0.0.1 localhost cassini-vm\n::1 localhost ip6-localhost\n")},
	{"/etc/machine-id", 0o444, []byte("ca551100000000000000000000000001\n")},
	{"/etc/os-release", 0o644, []byte("ID=cassini-vm\nNAME=\"Cassini kernel test\"\nPRETTY_NAME=\"Cassini kernel test\"\n")},
}

// mountPoints are there before anything is mounted.
var mountPoints = [...]string{"dev", "proc", "sys", "run", "tmp", "var", "root", "usr/bin", "usr/sbin"}

// readTests reads the test binaries and makes sure that they can run.
func (l *lab) readTests(context.Context) error {
	for _, path := range l.opts.tests {
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read test binary: %w", err)
		}
		if err := checkBinary(data, l.opts.arch); err != nil {
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
		l.files = append(l.files, file{test.Path, 0o755, data})
	}
	return nil
}

var errNotStatic = errors.New("it needs a dynamic loader, and the machine has none: build it with CGO_ENABLED=0 go test -c")

func checkBinary(data []byte, arch string) error {
	binary, err := elf.NewFile(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("it is no program: %w", err)
	}
	if want := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[arch]; binary.Machine != want {
		return fmt.Errorf("it is for %s, the kernel for %s: build it with GOARCH=%s", binary.Machine, arch, arch)
	}
	if slices.ContainsFunc(binary.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		return errNotStatic
	}
	return nil
}

// buildInit compiles /init for the guest.
func (l *lab) buildInit(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "cassini-vm-")
	if err != nil {
		return fmt.Errorf("build /init: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "init")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, "cassini/kernel-tests/vm/init")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+l.opts.arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build /init (run this from Cassini's source tree): %w\n%s", err, out)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("build /init: %w", err)
	}
	l.files = append(l.files, file{"/init", 0o755, data})
	return nil
}

// writeInitramfs packs files, modules and plan for one kernel.
func (l *lab) writeInitramfs(path string, kernel debian.Kernel) error {
	files := append(slices.Clone(l.files), etc[:]...)
	plan := guest.Plan{Output: boardOf(kernel.Arch, ports{}).output, Tests: l.tests, Break: l.opts.fault}
	tree, err := kmod.Open(kernel.Modules)
	if err != nil {
		return err
	}
	modules, err := tree.Closure(slices.Concat(l.opts.modules, l.opts.carried)...)
	if err != nil {
		return fmt.Errorf("kernel %s (choose others with -modules): %w", kernel.Release, err)
	}
	for _, m := range modules {
		f := file{"/cassini/modules/" + m.Name + ".ko", 0o644, m.Data}
		files = append(files, f)
		if !slices.Contains(l.opts.carried, m.Name) {
			plan.Modules = append(plan.Modules, f.path)
		}
	}
	data, err := json.Marshal(plan)
	if err != nil {
		return fmt.Errorf("write plan: %w", err)
	}
	return pack(path, append(files, file{guest.PlanPath, 0o644, data}))
}

func pack(path string, files []file) (err error) {
	out, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write initramfs: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	zip, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		return fmt.Errorf("write initramfs: %w", err)
	}
	archive := cpio.NewWriter(zip)
	for _, dir := range mountPoints {
		if err := archive.Dir(dir, 0o755); err != nil {
			return err
		}
	}
	for _, f := range files {
		if err := archive.File(f.path, f.mode, f.data); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), zip.Close())
}
