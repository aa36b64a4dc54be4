package bench

import (
	"fmt"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// CPU is what all threads of a process used so far, to the nanosecond, without its
// children: the clock of clock_getcpuclockid(3).
func CPU(pid int) (time.Duration, error) {
	const cpuClockSched = 2
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|cpuClockSched), &ts); err != nil {
		return 0, fmt.Errorf("read the CPU time of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// Children is what the children of a process used that have ended and were waited for, in
// steps of 10 ms (cutime and cstime of proc(5), of which user space sees 100 a second).
func Children(pid int) (time.Duration, error) {
	stat, err := read(pid, procfs.Proc.Stat)
	if err != nil {
		return 0, fmt.Errorf("read the CPU time of process %d's children: %w", pid, err)
	}
	return time.Duration(stat.CUTime+stat.CSTime) * 10 * time.Millisecond, nil
}

// Ended says whether a process is a zombie or gone.
func Ended(pid int) bool {
	stat, err := read(pid, procfs.Proc.Stat)
	return err != nil || stat.State == "Z"
}

// Use is the memory of a process, in bytes (VmRSS, RssAnon and VmHWM of proc(5)).
type Use struct {
	Resident int64
	Own      int64 // of that, what is not of a file
	Most     int64 // that was ever resident
}

// Memory is the memory that a process has in use.
func Memory(pid int) (Use, error) {
	status, err := read(pid, procfs.Proc.NewStatus)
	if err != nil {
		return Use{}, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	return Use{int64(status.VmRSS), int64(status.RssAnon), int64(status.VmHWM)}, nil
}

func read[T any](pid int, what func(procfs.Proc) (T, error)) (T, error) {
	proc, err := procfs.NewProc(pid)
	if err != nil {
		var none T
		return none, err
	}
	return what(proc)
}
