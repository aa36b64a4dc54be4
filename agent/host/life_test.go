package host

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"cassini/bpf"
)

func TestLives(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	me := owner(t, os.Getpid())
	later, nobody := me, me
	later.StartNs += 1e9
	nobody.Tgid = 1 << 22
	for name, tt := range map[string]struct {
		owner bpf.Owner
		exe   string
		want  bool
	}{"this": {me, exe, true}, "another program": {me, "/usr/bin/true", false}, "another life": {later, exe, false}, "nobody": {nobody, exe, false}} {
		if got := Lives(tt.owner, tt.exe); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if Gone(os.Getpid()) || !Gone(1<<22) {
		t.Error("this process has gone, or nobody has not")
	}
}

// A program whose file was removed since, as an upgrade does it, is still the same.
func TestLivesDeleted(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	image, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(t.TempDir(), "sleep")
	if err := os.WriteFile(exe, image, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "1h")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = cmd.Process.Kill(), cmd.Wait() }()
	if err := os.Remove(exe); err != nil {
		t.Fatal(err)
	}
	if !Lives(owner(t, cmd.Process.Pid), exe) {
		t.Error("it is taken for another program")
	}
}

// owner is a process as the kernel tells it.
func owner(t *testing.T, pid int) bpf.Owner {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	ticks, ok := startTicks(raw)
	if !ok {
		t.Fatal("no start time")
	}
	return bpf.Owner{Tgid: uint32(pid), StartNs: ticks * (1e9 / userHZ)}
}
