// Package files finds names of containers in what their runtimes keep on disk, in shapes
// that have stood for years: it needs no daemon, and costs none anything. Nothing is
// written, and no file is trusted: sizes are bounded, and what is no regular file is not
// opened for long (a FIFO in a user's directory would hold the reader).
package files

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"

	"cassini/agent/containers/found"

	"golang.org/x/sys/unix"
)

// maxFile bounds what is read of one file, in bytes.
const maxFile = 16 << 20

// read reads a regular file. The error wraps found.ErrUnknown where there is none.
func read(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil, fmt.Errorf("read %s: %w", path, found.ErrUnknown)
	}
	if err != nil {
		return nil, fmt.Errorf("read what a runtime keeps: %w", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read %s: %w: it is no regular file", path, found.ErrMalformed)
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read what a runtime keeps: %w", err)
	}
	if len(raw) > maxFile {
		return nil, fmt.Errorf("read %s: %w: more than %d bytes", path, found.ErrMalformed, maxFile)
	}
	return raw, nil
}

// roots are the directories where a runtime keeps its state for the system, or for the
// user in whose slice a container is: below the home directory then, and nowhere else,
// so that a user can tell nothing of others' containers.
func roots(system []string, ofUser, uid string) []string {
	if uid == "" || uid == "0" || ofUser == "" {
		return system
	}
	u, err := user.LookupId(uid)
	if err != nil || !filepath.IsAbs(u.HomeDir) {
		return nil
	}
	return []string{filepath.Join(u.HomeDir, ofUser)}
}
