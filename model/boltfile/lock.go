package boltfile

import (
	"errors"
	"os"
	"time"

	berrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"
)

// Lock keeps other programs out of a file, as bbolt does a second time when it is handed it. Another
// one may have the file for so long; then the error wraps bbolt's ErrTimeout.
func Lock(f *os.File, patience time.Duration) error {
	for until := time.Now().Add(patience); ; time.Sleep(patience / 20) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return err
		}
		if time.Now().After(until) {
			return berrors.ErrTimeout
		}
	}
}
