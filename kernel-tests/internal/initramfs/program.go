package initramfs

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

var errNotStatic = errors.New("it needs a dynamic loader, and the machine has none: build it with CGO_ENABLED=0")

// CheckProgram says why a program does not run in a machine of an architecture; nil where it does.
func CheckProgram(data []byte, arch string) error {
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

// Build compiles a program of Cassini's source tree for the machine, to lie at a path there.
func Build(ctx context.Context, pkg, arch, at string) (File, error) {
	dir, err := os.MkdirTemp("", "cassini-vm-")
	if err != nil {
		return File{}, fmt.Errorf("build %s: %w", at, err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "program")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", path, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if out, err := cmd.CombinedOutput(); err != nil {
		return File{}, fmt.Errorf("build %s (run this from Cassini's source tree): %w\n%s", at, err, out)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return File{}, fmt.Errorf("build %s: %w", at, err)
	}
	return File{at, 0o755, data}, nil
}

// Init compiles /init.
func Init(ctx context.Context, arch string) (File, error) {
	return Build(ctx, "cassini/kernel-tests/vm/init", arch, "/init")
}
