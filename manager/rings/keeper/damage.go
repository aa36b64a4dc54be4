package keeper

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"

	berrors "go.etcd.io/bbolt/errors"
	"golang.org/x/sys/unix"
)

// ErrDamaged says that the file of rings cannot be understood.
var ErrDamaged = errors.New("it is damaged")

// guard runs what touches the file. bbolt fails, panics or faults on damaged files: each
// becomes an error that says what to do.
func (d *disk) guard(verb string, do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if cause := recover(); cause != nil {
			d.damaged = true
			err = d.explain(verb, fmt.Errorf("%w: %v", ErrDamaged, cause))
		}
	}()
	if err := do(); err != nil {
		return d.explain(verb, err)
	}
	return nil
}

// explain says of an error what to do about it.
func (d *disk) explain(verb string, err error) error {
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
	case is(berrors.ErrInvalid, berrors.ErrChecksum, berrors.ErrVersionMismatch, berrors.ErrInvalidMapping):
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
		fallthrough
	case is(ErrDamaged):
		advice = "stop Cassini and move the file away: agents join again by themselves, with new keys"
	case is(unix.ENOSPC, unix.EDQUOT, unix.EFBIG):
		advice = "free some space on the file system of the data directory"
	case is(unix.EROFS, unix.EACCES, unix.EPERM):
		advice = "let this user write there, or choose another data directory"
	}
	return fmt.Errorf("%s %s: %w; %s", verb, d.path, err, advice)
}
