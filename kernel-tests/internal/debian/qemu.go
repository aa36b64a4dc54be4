package debian

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// QEMU is an emulator and what it needs to start.
type QEMU struct {
	Path      string   `json:"path"`
	Version   string   `json:"version"`   // "10.0.2"
	Libraries []string `json:"libraries"` // directories for LD_LIBRARY_PATH
	Firmware  []string `json:"firmware"`  // directories for -L
}

// oldestQEMU is the oldest major version that is trusted: 7.2 crashes or
// answers wrongly on newer kernels when it emulates.
const oldestQEMU = 10

// QEMU returns the system's emulator when it is new enough, else one that is
// fetched and unpacked privately together with those libraries that the system
// lacks.
func (f *Fetcher) QEMU(ctx context.Context, arch string) (QEMU, error) {
	program, pkg, err := emulator(arch)
	if err != nil {
		return QEMU{}, err
	}
	if path, err := exec.LookPath(program); err == nil {
		if q, err := f.Given(ctx, path); err == nil {
			return q, nil
		}
	}
	dir := filepath.Join(f.Dir, "qemu-"+arch)
	if q, err := readQEMU(dir); err == nil {
		return q, q.check(ctx)
	}
	if err := f.fetchQEMU(ctx, dir, pkg); err != nil {
		return QEMU{}, fmt.Errorf("fetch QEMU: %w", err)
	}
	return f.locateQEMU(ctx, dir, program)
}

// Given returns the emulator at a path, if it is new enough.
func (f *Fetcher) Given(ctx context.Context, path string) (QEMU, error) {
	q := QEMU{Path: path}
	return q, q.check(ctx)
}

func emulator(arch string) (program, pkg string, err error) {
	switch arch {
	case "amd64":
		return "qemu-system-x86_64", "qemu-system-x86", nil
	case "arm64":
		return "qemu-system-aarch64", "qemu-system-arm", nil
	default:
		return "", "", fmt.Errorf("choose QEMU: architecture %q is not amd64 or arm64", arch)
	}
}

func (f *Fetcher) fetchQEMU(ctx context.Context, dir, pkg string) error {
	m, err := ThisMachine(ctx)
	if err != nil {
		return err
	}
	all := []string{m.Codename, m.Codename + "-backports"}
	if m.Security != "" {
		all = append(all, m.Codename+"-security")
	}
	r, err := newRoot(ctx, filepath.Join(f.Dir, "apt", "qemu"), hostArch(ctx), "/var/lib/dpkg/status", m, all...)
	if err != nil {
		return err
	}
	plan, err := r.apt(ctx, "apt-get", "--simulate", "--no-install-recommends", "--target-release", m.Codename+"-backports", "install", pkg)
	if err != nil {
		return err
	}
	f.Logger.Info("fetching QEMU", "package", pkg, "suite", m.Codename+"-backports")
	return replaceDir(dir, func(fresh string) error { return r.unpack(ctx, fresh, parsePlan(plan)...) })
}

var planned = regexp.MustCompile(`(?m)^Inst (\S+) (?:\[\S+\] )?\((\S+) `)

// parsePlan reads which packages "apt-get --simulate install" would install.
func parsePlan(plan string) []string {
	var packages []string
	for _, m := range planned.FindAllStringSubmatch(plan, -1) {
		packages = append(packages, m[1]+"="+m[2])
	}
	return packages
}

func (f *Fetcher) locateQEMU(ctx context.Context, dir, program string) (QEMU, error) {
	q := QEMU{Path: "usr/bin/" + program, Firmware: []string{"usr/share/qemu", "usr/share/seabios"}}
	for _, pattern := range []string{"lib/*-linux-gnu", "usr/lib/*-linux-gnu"} {
		found, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, lib := range found {
			relative, _ := filepath.Rel(dir, lib)
			q.Libraries = append(q.Libraries, relative)
		}
	}
	full := q.below(dir)
	if err := full.check(ctx); err != nil {
		return q, err
	}
	data, err := json.MarshalIndent(q, "", "\t")
	if err != nil {
		return q, err
	}
	return full, os.WriteFile(filepath.Join(dir, "qemu.json"), data, 0o644)
}

func readQEMU(dir string) (QEMU, error) {
	var q QEMU
	data, err := os.ReadFile(filepath.Join(dir, "qemu.json"))
	if err == nil {
		err = json.Unmarshal(data, &q)
	}
	return q.below(dir), err
}

// below returns q with paths that are relative to dir made absolute.
func (q QEMU) below(dir string) QEMU {
	join := func(paths []string) []string {
		var full []string
		for _, p := range paths {
			full = append(full, filepath.Join(dir, p))
		}
		return full
	}
	return QEMU{Path: filepath.Join(dir, q.Path), Version: q.Version, Libraries: join(q.Libraries), Firmware: join(q.Firmware)}
}

// Command prepares a run of the emulator.
func (q QEMU) Command(ctx context.Context, args ...string) *exec.Cmd {
	for _, dir := range q.Firmware {
		args = append([]string{"-L", dir}, args...)
	}
	cmd := exec.CommandContext(ctx, q.Path, args...)
	cmd.Env = os.Environ()
	if len(q.Libraries) > 0 {
		cmd.Env = append(cmd.Env, "LD_LIBRARY_PATH="+strings.Join(q.Libraries, ":"))
	}
	return cmd
}

var version = regexp.MustCompile(`version (([0-9]+)\.[0-9.]+)`)

// check runs the emulator once and fills in its version.
func (q *QEMU) check(ctx context.Context) error {
	out, err := q.Command(ctx, "--version").CombinedOutput()
	if err != nil {
		return fmt.Errorf("run %s (remove its directory below the cache to fetch it again): %w\n%s", q.Path, err, out)
	}
	m := version.FindStringSubmatch(string(out))
	if m == nil {
		return fmt.Errorf("run %s: it does not say its version: %s", q.Path, out)
	}
	if major, err := strconv.Atoi(m[2]); err != nil || major < oldestQEMU {
		return errors.Join(fmt.Errorf("use %s: version %s is older than %d, which crashes or answers wrongly on newer kernels", q.Path, m[1], oldestQEMU), err)
	}
	q.Version = m[1]
	return nil
}

func hostArch(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "dpkg", "--print-architecture").Output()
	if err != nil {
		return "amd64"
	}
	return strings.TrimSpace(string(out))
}
