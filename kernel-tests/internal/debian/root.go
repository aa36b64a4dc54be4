package debian

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// root is a private apt: own sources, lists and cache.
type root struct {
	dir    string
	conf   string
	status string // dpkg's: what counts as installed
}

// Keyring is where Debian keeps the keys of its archives.
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// conf leaves the machine's proxies and transports, and takes away what would
// touch the machine: hooks, its lists, its cache.
const conf = `
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
#clear APT::Architectures;
APT::Architecture "%[2]s";
APT::Architectures { "%[2]s"; };
APT::Sandbox::User "root";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Debug::NoLocking "true";
Dir::Etc::sourcelist "%[1]s/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State::lists "%[1]s/lists";
Dir::State::status "%[3]s";
Dir::State::extended_states "%[1]s/extended_states";
Dir::Cache "%[1]s/cache";
`

// newRoot makes a private apt below dir and reads the lists of the suites.
func newRoot(ctx context.Context, dir, arch, status string, m Mirrors, suites ...string) (*root, error) {
	r := &root{dir: dir, conf: filepath.Join(dir, "apt.conf"), status: status}
	if r.status == "" {
		r.status = filepath.Join(dir, "status")
	}
	var sources strings.Builder
	for _, suite := range suites {
		uri, err := m.uri(suite)
		if err != nil {
			return nil, err
		}
		signed := ""
		if _, err := os.Stat(keyring); err == nil {
			signed = "[signed-by=" + keyring + "] "
		}
		fmt.Fprintf(&sources, "deb %s%s %s main\n", signed, uri, suite)
	}
	if err := r.write(sources.String(), arch); err != nil {
		return nil, fmt.Errorf("make a private apt root: %w", err)
	}
	_, err := r.apt(ctx, "apt-get", "update", "--error-on=any")
	return r, err
}

func (r *root) write(sources, arch string) error {
	for _, sub := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(r.dir, sub), 0o755); err != nil {
			return err
		}
	}
	files := map[string]string{
		r.conf:                               fmt.Sprintf(conf, r.dir, arch, r.status),
		filepath.Join(r.dir, "sources.list"): sources,
	}
	if r.status == filepath.Join(r.dir, "status") {
		files[r.status] = ""
	}
	for name, content := range files {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// apt runs a program of apt's on this root.
func (r *root) apt(ctx context.Context, program string, args ...string) (string, error) {
	return command(ctx, r.dir, program, append([]string{"-c", r.conf, "-q"}, args...)...)
}

// unpack downloads packages ("name=version") and unpacks them below dir.
func (r *root) unpack(ctx context.Context, dir string, packages ...string) error {
	debs := filepath.Join(r.dir, "debs")
	if err := os.RemoveAll(debs); err != nil {
		return err
	}
	if err := os.MkdirAll(debs, 0o755); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(debs) }()
	if _, err := command(ctx, debs, "apt-get", append([]string{"-c", r.conf, "-q", "download"}, packages...)...); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if _, err := command(ctx, debs, "dpkg-deb", "-x", file, dir); err != nil {
			return err
		}
	}
	return nil
}

func command(ctx context.Context, dir, name string, args ...string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stderr = dir, &stderr
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("run %s %s: %w\n%s", name, strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}
