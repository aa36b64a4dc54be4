package bpf

import (
	"os"
	"slices"
	"strings"

	"github.com/cilium/ebpf/features"
	"golang.org/x/sys/unix"
)

// preempted says whether a task may be preempted inside a program: since Linux 7.0
// (include/linux/tracepoint.h).
func preempted() bool {
	version, err := features.LinuxVersionCode()
	return err != nil || version >= 7<<16
}

// preemptsItself says whether the kernel preempts its own tasks: as it was built, as it says, or as it was told
// at its boot.
func preemptsItself() bool {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return true
	}
	// What cannot be read is empty.
	now, _ := os.ReadFile("/sys/kernel/debug/sched/preempt")
	boot, _ := os.ReadFile("/proc/cmdline")
	return preempts(unix.ByteSliceToString(name.Version[:]), string(now), string(boot))
}

// preempts tells that by the version of uname(2), by the file preempt of debugfs, whose modes are
// like "none (voluntary) full", and by the kernel's command line (kernel/sched/core.c,
// sched_dynamic_show and setup_preempt_mode). Of a kernel that can do both and says nothing it is taken to be so.
func preempts(version, now, boot string) bool {
	built := strings.Fields(version)
	if slices.Contains(built, "PREEMPT") || slices.Contains(built, "PREEMPT_RT") {
		return true
	}
	if !slices.Contains(built, "PREEMPT_DYNAMIC") {
		return false
	}
	if _, rest, ok := strings.Cut(now, "("); ok {
		mode, _, _ := strings.Cut(rest, ")")
		return !waits(mode)
	}
	for _, word := range slices.Backward(strings.Fields(boot)) { // the last one counts
		if mode, ok := strings.CutPrefix(word, "preempt="); ok {
			return !waits(mode)
		}
	}
	return true
}

// waits says whether in this mode the kernel's own tasks go on until they give way.
func waits(mode string) bool { return mode == "none" || mode == "voluntary" }
