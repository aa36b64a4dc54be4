package host

import (
	"errors"
	"os"
	"strconv"
	"syscall"

	"cassini/bpf"
)

// Lives says whether a process is there that the kernel named, and still runs exe.
func Lives(owner bpf.Owner, exe string) bool {
	dir := "/proc/" + strconv.FormatUint(uint64(owner.Tgid), 10)
	now, err := os.Readlink(dir + "/exe")
	return sameLife(dir, owner.StartNs) && (err != nil || now == exe || now == exe+" (deleted)")
}

// Gone says whether there is no process of a pid: one system call.
func Gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
