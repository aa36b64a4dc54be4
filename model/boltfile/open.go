package boltfile

import (
	"errors"
	"os"
	"time"

	berrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"
)

// patience is for how long another program may have a file.
const patience = time.Second

// OpenSound opens a file for bbolt (as its Options.OpenFile), which closes it also where there is an error. It is locked
// and all of it is looked at, unless it is new: with some damage bbolt panics, its first change never ends,
// or it ends the process. Errors are those of Sound, or wrap bbolt's ErrTimeout where another program has it.
func OpenSound(name string, flag int, mode os.FileMode) (*os.File, error) {
	f, err := os.OpenFile(name, flag, mode)
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		return f, err
	}
	info, err := f.Stat()
	if err == nil && info.Size() > 0 {
		err = Sound(f, info.Size(), true)
	}
	return f, err
}

// lock keeps other programs out of a file, as bbolt does a second time when it is handed it.
func lock(f *os.File) error {
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
