package capture

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"cassini/bpf"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

func cgroupRoots(t *testing.T) (roots []string) {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); fields[2] == "cgroup2" {
			roots = append(roots, fields[1])
		}
	}
	return roots
}

// Programs at the root stand beside others', by links that end with the process.
func TestUDPBesideOthers(t *testing.T) {
	roots := cgroupRoots(t)
	if len(roots) == 0 {
		t.Fatal("no cgroup v2")
	}
	root, err := os.Open(roots[0])
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	attached := func() map[ebpf.ProgramID]bool {
		result, err := link.QueryPrograms(link.QueryOptions{Target: int(root.Fd()), Attach: ebpf.AttachCGroupUDP4Sendmsg})
		if err != nil {
			t.Fatal(err)
		}
		ids := make(map[ebpf.ProgramID]bool)
		for _, p := range result.Programs {
			ids[p.ID] = true
		}
		return ids
	}
	before := attached()
	startUDP(t, bpf.Limits{})
	other, err := bpf.OpenTCP(bpf.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.UDP(); err != nil {
		t.Errorf("beside another: %v", err)
	}
	ours := attached()
	for id := range before { // others' may go meanwhile
		delete(ours, id)
	}
	if len(ours) < 2 {
		t.Errorf("%d programs came, want 2", len(ours))
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
}

const withoutCgroup2 = "without-cgroup2"

// tryWithoutCgroup2 runs in a mount namespace of its own.
func tryWithoutCgroup2() int {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return 1
	}
	_ = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") // the root may be no mount
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); fields[2] == "cgroup2" {
			_ = unix.Unmount(fields[1], unix.MNT_DETACH) // what stays fails the test
		}
	}
	kernel, err := bpf.OpenTCP(bpf.Limits{UDPBytes: true})
	if err != nil {
		fmt.Println(err)
		return 2
	}
	defer kernel.Close()
	for _, err := range []error{kernel.UDP(), kernel.UDPBytes()} {
		if !errors.Is(err, bpf.ErrNoCgroup2) {
			fmt.Println("UDP:", err)
			return 3
		}
	}
	return 0
}

// Without cgroup v2, UDP is not captured and says so; TCP is.
func TestWithoutCgroup2(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, childArg, withoutCgroup2)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
