package bolt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"cassini/manager/store"

	"golang.org/x/sys/unix"
)

const lockName = "documents.lock"

// lockDir makes this process the only one that works in dir. The kernel gives
// the lock up when the process ends, however it ends.
func lockDir(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, classify("open lock", path, err)
	}
	_ = OwnAs(path, dir) // best effort: who cannot open it is told so
	if err := flock(f, dir); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	// For people and for the message above; a full disk is no reason to fail here.
	if f.Truncate(0) == nil {
		_, _ = f.WriteAt(fmt.Appendln(nil, os.Getpid()), 0)
	}
	return f, nil
}

func flock(f *os.File, dir string) error {
	for until := time.Now().Add(lockTimeout); ; {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR):
			return classify("lock", f.Name(), err)
		case time.Now().After(until):
			return fmt.Errorf("lock %s: another Cassini%s runs on this data directory: stop it, or give this one another directory: %w",
				dir, holder(f), store.ErrLocked)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// holder names the process that has the lock, as far as the file tells.
func holder(f *os.File) string {
	text := make([]byte, 16)
	n, _ := f.ReadAt(text, 0)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (pid %d)", pid)
}
