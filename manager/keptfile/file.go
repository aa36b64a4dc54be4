package keptfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"cassini/manager/archive"
	"cassini/model/boltfile"

	bolt "go.etcd.io/bbolt"
)

// File is one such file. It is for its owner alone. It is safe for concurrent use.
type File struct {
	db      *bolt.DB
	path    string
	remedy  string
	file    *os.File    // the one that db has
	damaged atomic.Bool // bbolt has panicked

	writing sync.Mutex
	broken  bool // a change is under way, or has panicked
}

// Open opens a file, or begins one, with these buckets in it. Where they are there, nothing is
// written. The remedy says what to do when the file is damaged. Errors are as those of Update.
func Open(path, remedy string, buckets ...[]byte) (*File, error) {
	f := &File{path: path, remedy: remedy}
	err := f.guard("open", func() (err error) {
		if f.db, err = bolt.Open(path, 0o600, &bolt.Options{OpenFile: f.open}); err != nil {
			return err
		}
		return f.prepare(buckets)
	})
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (f *File) open(name string, flag int, mode os.FileMode) (file *os.File, err error) {
	f.file, err = boltfile.OpenSound(name, flag, mode)
	return f.file, err
}

// prepare makes the buckets that are not there.
func (f *File) prepare(buckets [][]byte) error {
	var missing [][]byte
	err := f.db.View(func(tx *bolt.Tx) error {
		for _, name := range buckets {
			if tx.Bucket(name) == nil {
				missing = append(missing, name)
			}
		}
		return nil
	})
	if err != nil || len(missing) == 0 {
		return err
	}
	return f.db.Update(func(tx *bolt.Tx) error {
		var errs []error
		for _, name := range missing {
			_, err := tx.CreateBucketIfNotExists(name)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
}

// Update makes what do changes durable, all or none. Errors wrap ErrDamaged, or the cause. Where
// bbolt has panicked at a change it may keep its lock, and nothing more is written.
func (f *File) Update(do func(*bolt.Tx) error) error {
	f.writing.Lock()
	defer f.writing.Unlock()
	return f.guard("write", func() error {
		if f.broken {
			return fmt.Errorf("%w: an earlier change was broken off", ErrDamaged)
		}
		f.broken = true
		err := f.db.Update(do)
		f.broken = false
		return err
	})
}

// View reads what is in the file, with errors as those of Update.
func (f *File) View(do func(*bolt.Tx) error) error {
	return f.guard("read", func() error { return f.db.View(do) })
}

// Snapshot begins to read the file as it is at this moment, with errors as those of Update. Those of
// the part's Write are mostly of where it is written to.
func (f *File) Snapshot() (p archive.Part, err error) {
	err = f.guard("read", func() error {
		p, err = archive.Database(filepath.Base(f.path), f.db)
		return err
	})
	return p, err
}

// guard runs what touches the file, with errors as those of Update.
func (f *File) guard(verb string, do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if cause := recover(); cause != nil {
			f.damaged.Store(true)
			err = f.explain(verb, fmt.Errorf("%w: %v", ErrDamaged, cause))
		}
	}()
	if err := do(); err != nil {
		return f.explain(verb, err)
	}
	return nil
}

// Path is where the file is.
func (f *File) Path() string { return f.path }

// Close closes the file. Where bbolt has panicked it may have left locks of its own that nobody
// gives up: then only the file itself is closed.
func (f *File) Close() error {
	switch {
	case f.damaged.Load():
		return f.file.Close()
	case f.db != nil:
		return f.db.Close()
	}
	return nil
}
