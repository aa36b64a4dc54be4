package debian

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// ErrNoMirror says that this machine's apt sources name no Debian archive that
// could have what is wanted.
var ErrNoMirror = errors.New("no Debian mirror in this machine's apt sources")

// Mirrors are the archives that the machine's own apt sources name.
type Mirrors struct {
	Codename string // of this machine's release: "bookworm"
	Main     string // URI of the archive with releases and backports
	Security string // URI of the archive with security updates, "" when there is none
}

// ThisMachine asks apt for the archives of this machine.
func ThisMachine(ctx context.Context) (Mirrors, error) {
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return Mirrors{}, fmt.Errorf("tell the release of this machine: %w", err)
	}
	out, err := exec.CommandContext(ctx, "apt-get", "indextargets",
		"--format", "$(REPO_URI) $(RELEASE)", "Identifier: Packages").Output()
	if err != nil {
		return Mirrors{}, fmt.Errorf("ask apt for its sources (kernels come from Debian's mirrors; elsewhere use -qemu and a cache filled on Debian): %w", err)
	}
	return parseTargets(codename(string(release)), string(out))
}

// parseTargets reads lines of "URI SUITE".
func parseTargets(codename, targets string) (Mirrors, error) {
	m := Mirrors{Codename: codename}
	for line := range strings.Lines(targets) {
		uri, suite, ok := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case !ok:
		case suite == codename+"-security" || suite == "stable-security" || suite == "oldstable-security":
			m.Security = uri
		case suite == codename || suite == "stable" || suite == "oldstable" || suite == "testing" || suite == "unstable" || suite == "sid":
			m.Main = uri
		}
	}
	if codename == "" || m.Main == "" {
		return m, fmt.Errorf("%w: release %q has no entry of that name (see apt-get indextargets)", ErrNoMirror, codename)
	}
	return m, nil
}

// uri returns the archive that holds a suite.
func (m Mirrors) uri(suite string) (string, error) {
	if !strings.HasSuffix(suite, "-security") {
		return m.Main, nil
	}
	if m.Security == "" {
		return "", fmt.Errorf("%w: %s needs a security archive", ErrNoMirror, suite)
	}
	return m.Security, nil
}

func codename(osRelease string) string {
	for line := range strings.Lines(osRelease) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); ok {
			return strings.Trim(name, `"`)
		}
	}
	return ""
}
