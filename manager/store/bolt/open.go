package bolt

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"cassini/manager/store"
	"cassini/model/boltfile"

	bolt "go.etcd.io/bbolt"
)

const lockTimeout = time.Second

// Open opens the store in cfg.Dir or begins one. Errors say what is wrong, where
// and what to do; they wrap store.ErrLocked, ErrReadOnly, ErrCorrupt, ErrFull or
// the cause.
func Open(cfg Config) (*Store, error) {
	cfg.MaxAge = cmp.Or(cfg.MaxAge, DefaultMaxAge)
	cfg.MaxSize = cmp.Or(cfg.MaxSize, DefaultMaxSize)
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, classify("create data directory", cfg.Dir, err)
	}
	lock, err := lockDir(cfg.Dir)
	if err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg, path: filepath.Join(cfg.Dir, FileName), lock: lock, closing: make(chan struct{})}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return s, nil
}

func (s *Store) open() error {
	if err := removeIfThere(s.path + ".compact"); err != nil { // of a life that ended meanwhile
		return classify("remove", s.path+".compact", err)
	}
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := create(s.path); err != nil {
			return err
		}
	case err != nil:
		return classify("look at", s.path, err)
	case info.Size() < 4*int64(os.Getpagesize()): // less than an empty database
		return corrupt(s.path, fmt.Sprintf("it has only %d bytes", info.Size()))
	}
	if err := inspect(s.path); err != nil {
		return err
	}
	db, err := openFile(s.path)
	if err != nil {
		return err
	}
	s.db.Store(db)
	if err := s.guard(s.prepare); err != nil {
		if s.damaged.Load() == nil {
			err = errors.Join(err, db.Close())
		}
		return err
	}
	return nil
}

// inspect looks at what bbolt would believe: with some damage its first change would never end, or end
// the process.
func inspect(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return classify("open", path, err)
	}
	defer f.Close() // it was read only
	info, err := f.Stat()
	if err == nil {
		err = boltfile.Sound(newAround(f, info.Size()), info.Size(), false)
	}
	if errors.Is(err, boltfile.ErrNotBolt) || errors.Is(err, boltfile.ErrUnsound) {
		return corrupt(path, err)
	}
	if err != nil {
		return classify("read", path, err)
	}
	return nil
}

// create makes a new file under another name first: a crash or a full disk never
// leaves half a database behind.
func create(path string) error {
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return classify("remove", fresh, err)
	}
	db, err := openFile(fresh)
	if err != nil {
		return err
	}
	if err := errors.Join(db.Update(createBuckets), db.Close()); err != nil {
		return classify("create", fresh, err)
	}
	if err := os.Rename(fresh, path); err != nil {
		return classify("create", path, err)
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir makes durable what was renamed in a directory.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return classify("open data directory", dir, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return classify("sync data directory", dir, err)
	}
	return nil
}

// openFile opens a bbolt file. bbolt panics or faults on some damaged files: that
// becomes an error.
func openFile(path string) (db *bolt.DB, err error) {
	var opened *os.File
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if cause := recover(); cause != nil {
			db, err = nil, corrupt(path, cause)
			if opened != nil {
				err = errors.Join(err, opened.Close())
			}
		}
	}()
	db, err = bolt.Open(path, 0o600, &bolt.Options{
		Timeout:      lockTimeout,
		FreelistType: bolt.FreelistMapType,
		OpenFile: func(name string, flag int, perm os.FileMode) (*os.File, error) {
			var err error
			opened, err = os.OpenFile(name, flag, perm)
			return opened, err
		},
	})
	if err != nil {
		return nil, classify("open", path, err)
	}
	return db, nil
}

// prepare brings the file to the format of now, and checks it.
func (s *Store) prepare() error {
	if err := migrate(s.db.Load(), s.path, migrations(), version); err != nil {
		return err
	}
	return s.check()
}

// check reads every page once and finds where the log ends.
func (s *Store) check() error {
	info, err := os.Stat(s.path)
	if err != nil {
		return classify("look at", s.path, err)
	}
	return s.db.Load().View(func(tx *bolt.Tx) error {
		if tx.Size() > info.Size() {
			return corrupt(s.path, fmt.Sprintf("it has %d bytes and should have %d: it was cut short", info.Size(), tx.Size()))
		}
		defer readAhead(tx)()
		if err := checkBuckets(tx, s.path); err != nil {
			return err
		}
		last, _ := tx.Bucket(bucketLog).Cursor().Last()
		if last == nil {
			return nil
		}
		s.newest = store.Key(last)
		s.clock.Last, err = s.newest.Time()
		if err != nil {
			return corrupt(s.path, err)
		}
		return nil
	})
}

func checkBuckets(tx *bolt.Tx, path string) error {
	for _, name := range [][]byte{bucketLog, bucketNames, bucketMeta, bucketPositions} {
		b := tx.Bucket(name)
		if b == nil && string(name) == string(bucketPositions) {
			continue // nothing was numbered yet
		}
		if b == nil {
			return corrupt(path, fmt.Sprintf("bucket %q is missing", name))
		}
		var before []byte
		var sum byte
		err := b.ForEach(func(k, v []byte) error {
			if before != nil && string(before) >= string(k) {
				return corrupt(path, fmt.Sprintf("keys of bucket %q are out of order", name))
			}
			before = append(before[:0], k...)
			for i := 0; i < len(v); i += 512 { // touch the pages that the value is on
				sum |= v[i]
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
