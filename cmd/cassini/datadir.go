package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// prepareDataDir makes the data directory if need be, and sees that it can be
// written. Only its owner may read what it holds: command lines can be secret.
func prepareDataDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return explainDataDir(dir, err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return explainDataDir(dir, err)
	}
	if !info.IsDir() {
		return explainDataDir(dir, unix.ENOTDIR)
	}
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return explainDataDir(dir, err)
	}
	return nil
}

func explainDataDir(dir string, err error) error {
	const other = "choose another with --data-dir or CASSINI_DATA_DIR"
	switch {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return fmt.Errorf("data directory %s: permission denied; run as root, or %s", dir, other)
	case errors.Is(err, unix.EROFS):
		return fmt.Errorf("data directory %s: the file system is read-only; %s", dir, other)
	case errors.Is(err, unix.ENOTDIR):
		return fmt.Errorf("data directory %s: it, or a part of its path, is a file; %s", dir, other)
	case errors.Is(err, unix.ENOSPC):
		return fmt.Errorf("data directory %s: no space left; free some, or %s", dir, other)
	}
	return fmt.Errorf("data directory %s: %w; %s", dir, err, other)
}
