package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"cassini/manager/store"

	berrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"
)

// classify turns an error of the file system or of bbolt into one that says what
// to do, and wraps the sentinel that stands for it.
func classify(verb, path string, err error) error {
	is := func(targets ...error) bool {
		for _, t := range targets {
			if errors.Is(err, t) {
				return true
			}
		}
		return false
	}
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		path, err = p.Path, p.Err
	}
	switch {
	case is(store.ErrCorrupt, store.ErrClosed, store.ErrFull):
		return err
	case is(unix.ENOSPC, unix.EDQUOT):
		return full(verb, path, err)
	case is(unix.EROFS):
		return fmt.Errorf("%s %s: %w: %w: the file system is mounted read-only; remount it writable or choose another data directory",
			verb, path, store.ErrReadOnly, err)
	case is(unix.EACCES, unix.EPERM):
		return fmt.Errorf("%s %s: %w: %w: give this user the right to write there or choose another data directory",
			verb, path, store.ErrReadOnly, err)
	case is(unix.ENOTDIR):
		return fmt.Errorf("%s %s: %w: part of the path is a file; choose another data directory", verb, path, err)
	case is(berrors.ErrTimeout):
		return fmt.Errorf("%s %s: another program has the file open: stop it, or choose another data directory: %w", verb, path, store.ErrLocked)
	case is(berrors.ErrInvalid, berrors.ErrChecksum, berrors.ErrVersionMismatch, berrors.ErrInvalidMapping):
		return corrupt(path, err)
	case noSpace(path): // bbolt loses the cause when the file cannot grow
		return full(verb, path, err)
	}
	return fmt.Errorf("%s %s: %w", verb, path, err)
}

func full(verb, path string, cause error) error {
	return fmt.Errorf("%s %s: %w: %w: free some space on the file system of the data directory", verb, path, store.ErrFull, cause)
}

// noSpace reports whether the file system of path has less than a page left.
func noSpace(path string) bool {
	var fs unix.Statfs_t
	return unix.Statfs(filepath.Dir(path), &fs) == nil && fs.Bavail*uint64(fs.Bsize) < 4096
}
