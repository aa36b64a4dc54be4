package host

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"cassini/model"
)

// userHZ is the unit of times in /proc (USER_HZ), the same on all Linux
// architectures that Go runs on: include/asm-generic/param.h.
const userHZ = 100

// maxCmdline bounds what is kept of a command line, in bytes.
const maxCmdline = 4096

// fillFromProc completes the parts of proc that are empty, if /proc still shows
// the process that started startNs after boot. A process that has gone leaves
// them empty.
func fillFromProc(proc *model.Process, startNs uint64) {
	dir := "/proc/" + strconv.Itoa(proc.PID)
	if !sameLife(dir, startNs) {
		return
	}
	exe, cwd := proc.Exe, proc.Cwd
	if exe == "" {
		exe, _ = os.Readlink(dir + "/exe")
	}
	if cwd == "" {
		cwd, _ = os.Readlink(dir + "/cwd")
	}
	cmdline := readCmdline(dir)
	if !sameLife(dir, startNs) { // went, and the pid was given anew, while we read
		return
	}
	proc.Exe, proc.Cwd = exe, cwd
	if len(cmdline) > 0 {
		proc.Cmdline = cmdline
	}
}

func readCmdline(dir string) []string {
	raw, err := os.ReadFile(dir + "/cmdline")
	if err != nil {
		return nil
	}
	raw = bytes.TrimRight(raw[:min(len(raw), maxCmdline)], "\x00")
	if len(raw) == 0 {
		return nil
	}
	return strings.Split(string(raw), "\x00")
}

// sameLife reports whether the process in dir began startNs after boot.
func sameLife(dir string, startNs uint64) bool {
	raw, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return false
	}
	ticks, ok := startTicks(raw)
	return ok && ticks == startNs/(1e9/userHZ)
}

// startTicks is the field starttime of /proc/PID/stat (proc(5), field 22). The
// command name before it may hold spaces and parentheses.
func startTicks(stat []byte) (uint64, bool) {
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, false
	}
	fields := bytes.Fields(stat[end+1:])
	const starttime = 22 - 3
	if len(fields) <= starttime {
		return 0, false
	}
	ticks, err := strconv.ParseUint(string(fields[starttime]), 10, 64)
	return ticks, err == nil
}
