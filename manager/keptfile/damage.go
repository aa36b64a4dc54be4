package keptfile

import (
	"errors"
	"fmt"
	"io/fs"

	"cassini/model/boltfile"

	berrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"
)

// ErrDamaged says that a file cannot be understood.
var ErrDamaged = errors.New("it is damaged")

// explain says of an error what to do about it.
func (f *File) explain(verb string, err error) error {
	is := func(targets ...error) bool {
		for _, target := range targets {
			if errors.Is(err, target) {
				return true
			}
		}
		return false
	}
	advice := "see whether the file system of the data directory is full, or cannot be written"
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	switch {
	case is(berrors.ErrTimeout):
		advice = "another program has it open: stop that, or choose another data directory"
	case is(berrors.ErrInvalid, berrors.ErrChecksum, berrors.ErrVersionMismatch, berrors.ErrInvalidMapping, boltfile.ErrNotBolt, boltfile.ErrUnsound):
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
		fallthrough
	case is(ErrDamaged):
		advice = f.remedy
	case is(unix.ENOSPC, unix.EDQUOT, unix.EFBIG):
		advice = "free some space on the file system of the data directory"
	case is(unix.EROFS, unix.EACCES, unix.EPERM):
		advice = "let this user write there, or choose another data directory"
	}
	return fmt.Errorf("%s %s: %w; %s", verb, f.path, err, advice)
}
