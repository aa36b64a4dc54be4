package netconf

import (
	"context"
	"errors"
	"fmt"
	"os"

	"cassini/agent/netns"

	"golang.org/x/sys/unix"
)

// awaitExit waits until a process has gone, without asking. It reports false when
// the context ended first or the process cannot be watched.
func awaitExit(ctx context.Context, pid int) bool {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if errors.Is(err, unix.EINVAL) { // before Linux 5.10
		fd, err = unix.PidfdOpen(pid, 0)
	}
	if err != nil {
		return errors.Is(err, unix.ESRCH)
	}
	_ = unix.SetNonblock(fd, true)
	file := os.NewFile(uintptr(fd), "pidfd")
	defer file.Close()
	stop := context.AfterFunc(ctx, func() { _ = file.Close() })
	defer stop()
	raw, err := file.SyscallConn()
	if err != nil {
		return false
	}
	err = raw.Read(func(fd uintptr) bool {
		ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(ready, 0)
		return err == nil && n > 0
	})
	return err == nil && ctx.Err() == nil
}

// names watches the directory of named namespaces, and the one above it, where it
// is made.
type names struct{ file *os.File }

func watchNames() (*names, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watch for named network namespaces: %w", err)
	}
	w := &names{file: os.NewFile(uintptr(fd), "inotify")}
	w.watch()
	return w, nil
}

// watch adds the directory, or waits for it to be made.
func (w *names) watch() {
	raw, err := w.file.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		if _, err := unix.InotifyAddWatch(int(fd), netns.RunDir(), unix.IN_CREATE|unix.IN_DELETE|unix.IN_ATTRIB); err != nil {
			_, _ = unix.InotifyAddWatch(int(fd), "/run", unix.IN_CREATE|unix.IN_ONLYDIR)
		}
	})
}

// run calls changed when names may have come or gone, until the context ends.
func (w *names) run(ctx context.Context, changed func()) {
	stop := context.AfterFunc(ctx, func() { _ = w.file.Close() })
	defer stop()
	buf := make([]byte, 64<<10)
	for {
		if _, err := w.file.Read(buf); err != nil || ctx.Err() != nil {
			return
		}
		w.watch()
		changed()
	}
}
