package bolt

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"cassini/manager/archive"
	"cassini/manager/store"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Lock keeps every manager out of a data directory until it is closed. The error wraps
// store.ErrLocked where one runs on it.
func Lock(dir string) (io.Closer, error) { return lockDir(dir) }

// Snapshot begins to read the log as it is at this moment, while appending goes on. Until
// the part is closed, pages that are freed meanwhile are not used again: the file grows.
func (s *Store) Snapshot() (p archive.Part, err error) {
	err = s.guard(func() error {
		for {
			db := s.db.Load()
			p, err = archive.Database(FileName, db)
			if !errors.Is(err, berrors.ErrDatabaseNotOpen) || s.db.Load() == db {
				return err
			}
		}
	})
	return p, err
}

// OwnAs gives a file to the owner of another, when root made it: a manager that runs as
// another user has to open it.
func OwnAs(path, like string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(like)
	if err != nil {
		return classify("look at", like, err)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		if err := os.Lchown(path, int(st.Uid), int(st.Gid)); err != nil {
			return classify("give to its owner", path, err)
		}
	}
	return nil
}

// Replace puts a file in the place of another, which is kept beside it under a name with
// the moment.
func Replace(path, with, word string, now time.Time) (kept string, err error) {
	if err := OwnAs(with, path); err != nil {
		return "", err
	}
	kept = fmt.Sprintf("%s.%s-%s", path, word, now.UTC().Format("20060102T150405Z"))
	if err := os.Link(path, kept); err != nil {
		return "", classify("keep", path, err)
	}
	if err := os.Rename(with, path); err != nil {
		return "", classify("replace", path, err)
	}
	return kept, SyncDir(filepath.Dir(path))
}

// Compact gives space that the log does not use back to the file system. The store is not
// open. It needs room for what is used once more; on an error the file stays as it was.
func Compact(path string) (before, after int64, err error) {
	fresh := path + ".compact"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, 0, classify("remove", fresh, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, 0, classify("look at", path, err)
	}
	if err := compactInto(path, fresh); err != nil {
		return 0, 0, errors.Join(classify("compact", path, err), removeIfThere(fresh))
	}
	made, err := os.Stat(fresh)
	if err != nil {
		return 0, 0, classify("look at", fresh, err)
	}
	if err := OwnAs(fresh, path); err != nil {
		return 0, 0, errors.Join(err, removeIfThere(fresh))
	}
	if err := os.Rename(fresh, path); err != nil {
		return 0, 0, errors.Join(classify("replace", path, err), removeIfThere(fresh))
	}
	return info.Size(), made.Size(), SyncDir(filepath.Dir(path))
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// compactInto copies what is used, and sees first that it is whole.
func compactInto(path, fresh string) error {
	report, err := Check(path)
	if err != nil {
		return err
	}
	if len(report.Problems) > 0 {
		return fmt.Errorf("%w: %s: repair it first: cassini store repair", store.ErrCorrupt, report.Problems[0])
	}
	from, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: lockTimeout})
	if err != nil {
		return err
	}
	to, err := openFile(fresh)
	if err != nil {
		return errors.Join(err, from.Close())
	}
	const batch = 4 << 20 // bytes of one transaction
	return errors.Join(bolt.Compact(to, from, batch), from.Close(), to.Close())
}
