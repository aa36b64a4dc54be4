package host

import (
	"fmt"
	"os"
	"path"
	"strings"

	"cassini/model"

	"golang.org/x/sys/unix"
)

// commLimit is the most that the kernel keeps of a command's name (TASK_COMM_LEN, include/linux/sched.h).
const commLimit = 15

// nickname is a command's name for an executable.
type nickname struct {
	exe  file
	name string
}

// calledAs is the name by which a process was started where its executable has several: Debian's
// redis-server is a link to redis-check-rdb, and all of busybox is one file. A process can call itself what it likes,
// so that only a name counts that stands beside the executable, and is the same file. "" is none, or nobody
// can tell any more.
func (p *Processes) calledAs(proc *model.Process, exe file) string {
	base := path.Base(strings.TrimSuffix(proc.Exe, " (deleted)"))
	if proc.Exe[0] != '/' || proc.Comm == "" || len(proc.Comm) >= commLimit || strings.ContainsRune(proc.Comm, '/') ||
		strings.HasPrefix(base, proc.Comm) { // python3 of python3.11
		return ""
	}
	nick := nickname{exe, proc.Comm}
	is, known := p.called.get(nick)
	if !known {
		var err error
		if is, err = isLink(proc.PID, path.Join(path.Dir(proc.Exe), proc.Comm)); err != nil {
			return "" // it has gone: the next one may tell
		}
		p.called.put(nick, is)
	}
	if !is {
		return ""
	}
	return proc.Comm
}

// isLink says whether a path, as a process sees it, leads to the program that it runs.
func isLink(pid int, name string) (bool, error) {
	runs, err := os.Stat(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		return false, fmt.Errorf("look at the program of process %d: %w", pid, err)
	}
	root, err := os.Open(fmt.Sprintf("/proc/%d/root", pid))
	if err != nil {
		return false, fmt.Errorf("open the root of process %d: %w", pid, err)
	}
	defer root.Close()
	fd, err := unix.Openat2(int(root.Fd()), name, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return false, nil //nolint:nilerr // most processes call themselves what is no file
	}
	link := os.NewFile(uintptr(fd), name)
	defer link.Close()
	leads, err := link.Stat()
	return err == nil && os.SameFile(runs, leads), nil
}
