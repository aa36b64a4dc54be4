package systemd

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// exposure is how open to attack systemd-analyze may find each unit, from 0 to 10. The
// agent's is mostly what it is there for: the network, and rights over eBPF. systemd 252 says
// 3.2 and 1.9; later ones look at more.
var exposure = map[string]float64{"cassini-agent.service": 4.0, "cassini-manager.service": 3.0}

// directives are the lines of a unit, by name.
func directives(t *testing.T, unit string) map[string][]string {
	t.Helper()
	raw, err := os.ReadFile(unit)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for line := range strings.Lines(string(raw)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			all[key] = append(all[key], value)
		}
	}
	return all
}

func TestRights(t *testing.T) {
	for unit, want := range map[string]string{
		"cassini-agent.service":   "CAP_BPF CAP_PERFMON CAP_NET_ADMIN CAP_NET_RAW CAP_SYS_PTRACE CAP_DAC_READ_SEARCH",
		"cassini-manager.service": "CAP_NET_RAW",
	} {
		d := directives(t, unit)
		for _, key := range []string{"AmbientCapabilities", "CapabilityBoundingSet"} {
			if !slices.Equal(d[key], []string{want}) {
				t.Errorf("%s: %s is %q", unit, key, d[key])
			}
		}
		if !slices.Equal(d["User"], []string{"cassini"}) || !slices.Equal(d["NoNewPrivileges"], []string{"yes"}) || !slices.Equal(d["Type"], []string{"notify"}) {
			t.Errorf("%s: %v", unit, d)
		}
	}
}

// onThisMachine copies the units with a program that is here, which systemd-analyze looks for.
func onThisMachine(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for unit := range exposure {
		raw, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, unit), bytes.ReplaceAll(raw, []byte("/usr/bin/cassini"), []byte("/bin/true")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func analyze(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("systemd-analyze")
	if err != nil {
		const why = "systemd-analyze is not here; install it (Debian: apt-get install systemd)"
		if os.Getenv("CASSINI_REQUIRE_ROOT") != "" {
			t.Fatal(why)
		}
		t.Skip("NOT TESTED: " + why)
	}
	out, err := exec.Command(path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("systemd-analyze %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func TestUnitsAreValid(t *testing.T) {
	dir := onThisMachine(t)
	for unit := range exposure {
		if out := analyze(t, "verify", "--man=no", filepath.Join(dir, unit)); out != "" {
			t.Errorf("%s: %s", unit, out)
		}
	}
}

func TestUnitsAreShutIn(t *testing.T) {
	dir := onThisMachine(t)
	level := regexp.MustCompile(`Overall exposure level for [^:]*: ([0-9.]+)`)
	for unit, limit := range exposure {
		found := level.FindStringSubmatch(analyze(t, "security", "--offline=true", "--no-pager", filepath.Join(dir, unit)))
		if found == nil {
			t.Fatalf("%s: no level", unit)
		}
		if got, err := strconv.ParseFloat(found[1], 64); err != nil || got > limit {
			t.Errorf("%s: exposure is %s, want %v at most", unit, found[1], limit)
		}
	}
}
