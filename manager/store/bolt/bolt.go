// Package bolt keeps the document log in one bbolt file. Appends that come at
// the same time share one transaction, so that many agents cost few syncs.
//
// The file has three buckets. "log" maps a log key to the key of the entry of
// the same name before it, a newline, and the document as JSON: histories are
// linked lists. "names" maps a document name to its newest log key and the start
// of its row of progress entries. "meta" holds the counts and how far retention
// has come.
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

// FileName is the name of the database in Config.Dir.
const FileName = "documents.db"

// Store implements store.Store.
type Store struct {
	cfg  Config
	path string
	lock *os.File
	db   *bolt.DB

	queueing sync.Mutex
	queue    []*request
	closed   bool

	writing sync.Mutex // held by whoever commits; guards clock
	clock   store.Clock

	damaged                             atomic.Pointer[damage]
	appended, thinned, expired, clocked atomic.Uint64
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
	s.writing.Lock()
	defer s.writing.Unlock()
	var err error
	if s.damaged.Load() == nil { // else bbolt's own locks may never be free again
		err = s.db.Close()
	}
	return errors.Join(err, s.lock.Close())
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
