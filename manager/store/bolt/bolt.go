// Package bolt keeps the document log in one bbolt file. Appends that come at
// the same time share one transaction, so that many agents cost few syncs.
//
// The file has four buckets. "log" maps a log key to the key of the entry of
// the same name before it, a newline, and the document as JSON: histories are
// linked lists. "names" maps a document name to its newest log key and the start
// of its row of progress entries. "meta" holds the counts and how far retention
// has come, "positions" how far the numbered documents of each host have come.
package bolt

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"cassini/manager/store"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Defaults of Config.
const (
	DefaultMaxAge  = 30 * 24 * time.Hour
	DefaultMaxSize = 1 << 30 // bytes
)

// Config is what Open needs.
type Config struct {
	Dir string // created if it is not there; the file in it is FileName
	// MaxAge is how long entries stay that were superseded. 0 means DefaultMaxAge.
	MaxAge time.Duration
	// MaxSize is the size in bytes that the file should not outgrow: from three
	// quarters of it superseded entries are removed before MaxAge. At twice the
	// size, with nothing left to remove, appends fail with store.ErrFull.
	// 0 means DefaultMaxSize.
	MaxSize int64
	// Committed, if set, hears of each commit.
	Committed store.Committed
	// Hold says that nothing is to be removed because of its age, since the clock may be wrong.
	// Nil never says so.
	Hold func() bool
	// Now is the manager's clock. Nil means time.Now.
	Now func() time.Time
	// Logger hears of what an operator should know. Nil discards.
	Logger *slog.Logger
}

// Retention is how long and how much the log remembers; see Config.
type Retention struct {
	MaxAge  time.Duration
	MaxSize int64 // bytes
}

// SetRetention changes it while the store is open; a zero field is the default.
func (s *Store) SetRetention(r Retention) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.cfg.MaxAge, s.cfg.MaxSize = cmp.Or(r.MaxAge, DefaultMaxAge), cmp.Or(r.MaxSize, DefaultMaxSize)
}

// Retention is what counts now.
func (s *Store) Retention() Retention {
	s.writing.Lock()
	defer s.writing.Unlock()
	return Retention{MaxAge: s.cfg.MaxAge, MaxSize: s.cfg.MaxSize}
}

// FileName is the name of the database in Config.Dir.
const FileName = "documents.db"

// Store implements store.Store.
type Store struct {
	cfg  Config
	path string
	lock *os.File
	db   atomic.Pointer[bolt.DB] // another one after each compaction

	queueing sync.Mutex
	queue    []*request
	closed   bool

	writing sync.Mutex // held by whoever commits; guards clock, newest and room
	room    room
	clock   store.Clock
	newest  store.Key         // that an entry ever had, "" in an empty log
	touched map[spot]struct{} // keys that were written since it was begun to be compacted; nil while it is not

	damaged                             atomic.Pointer[damage]
	appended, thinned, expired, clocked atomic.Uint64

	compacting                        sync.Mutex // held by whoever does
	compacted, uncompacted, reclaimed atomic.Uint64
	retired                           sync.WaitGroup // files that others took the place of
	closing                           chan struct{}
}

var _ store.Store = (*Store)(nil)

// damage is what showed that the file is corrupt.
type damage struct{ cause any }

// Close waits for the commit under way, refuses later calls with
// store.ErrClosed and releases the file.
func (s *Store) Close() error {
	s.queueing.Lock()
	already := s.closed
	s.closed = true
	s.queueing.Unlock()
	if already {
		return nil
	}
	close(s.closing)
	s.compacting.Lock() // it gives up soon
	defer s.compacting.Unlock()
	s.writing.Lock()
	defer s.writing.Unlock()
	var err error
	if s.damaged.Load() == nil { // else bbolt's own locks may never be free again
		err = s.db.Load().Close()
		s.retired.Wait()
	}
	return errors.Join(err, s.lock.Close())
}

// view reads the file that is in use.
func (s *Store) view(f func(db *bolt.DB, tx *bolt.Tx) error) error {
	return s.guard(func() error {
		for {
			db := s.db.Load()
			err := db.View(func(tx *bolt.Tx) error { return f(db, tx) })
			if !errors.Is(err, berrors.ErrDatabaseNotOpen) || s.db.Load() == db {
				return err
			}
		}
	})
}

// guard runs f, which touches the file's mapped pages. A damaged file makes
// bbolt return errors, panic or fault; each becomes an error that wraps
// store.ErrCorrupt, and so does every call after it.
func (s *Store) guard(f func() error) (err error) {
	if d := s.damaged.Load(); d != nil {
		return corrupt(s.path, d.cause)
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if cause := recover(); cause != nil {
			s.damaged.Store(&damage{cause})
			err = corrupt(s.path, cause)
		}
	}()
	err = f()
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return store.ErrClosed
	}
	return err
}

func corrupt(path string, cause any) error {
	return fmt.Errorf("read %s: %w (%v): stop Cassini, move the file away to begin with an empty one, or put a backup in its place",
		path, store.ErrCorrupt, cause)
}
