// Package store is the manager's document log: what agents told, in the order
// in which the manager received it. The log is the truth; the graph and every
// answer about the past are derived from it. The embedded engine is store/bolt;
// each engine passes the conformance suite in store/storetest.
package store

import (
	"context"
	"errors"
	"iter"

	"cassini/model"
)

// Errors of opening a store. The wrapping error says which file and what to do.
var (
	// ErrLocked says that another process has the store open.
	ErrLocked = errors.New("store is in use by another process")
	// ErrReadOnly says that the directory or the file system cannot be written.
	ErrReadOnly = errors.New("store cannot be written")
	// ErrCorrupt says that the file is damaged. It can come from any method, and
	// then from all later ones.
	ErrCorrupt = errors.New("store is damaged")
)

// Errors of a store that is open.
var (
	// ErrFull says that there is no space. Nothing acknowledged is lost, and
	// appending works again when there is space.
	ErrFull = errors.New("no space left for the store")
	// ErrClosed says that Close was called.
	ErrClosed = errors.New("store is closed")
	// ErrBadEntry says that one entry cannot be decoded. Walks go on behind it.
	ErrBadEntry = errors.New("entry of the document log cannot be decoded")
)

// Entry is one document in the log.
type Entry struct {
	Key      Key            `json:"log_key"`
	Document model.Document `json:"document"`
}

// Committed hears what one commit has added to the log, once that is durable and before
// anybody is told: the entries in their order, and the key of the newest one before them, ""
// when there was none. Commits come one at a time, in the order of the log. Of progress
// documents all are among them, also those that others have replaced. It keeps the entries,
// which nobody changes, and returns soon.
type Committed func(before Key, entries []Entry)

// Chunk is some entries of the log in memory that is used again: their bodies are good until
// it is read into once more, all else in them for ever. The zero value is ready. It belongs to
// one goroutine at a time.
type Chunk struct {
	Entries []Entry // in the order of the log
	Last    Key     // of all that were read; "" where there were none
	Bad     uint64  // entries that cannot be decoded, and are left out

	// Room and Ends are the engine's.
	Room []byte
	Ends []int
}

// Filter selects documents by their name; an empty field matches everything.
type Filter struct {
	Host, Package, Key string
}

// Match reports whether the filter selects a name.
func (f Filter) Match(n model.Name) bool {
	return (f.Host == "" || f.Host == n.Host) &&
		(f.Package == "" || f.Package == n.Package) &&
		(f.Key == "" || f.Key == n.Key)
}

// Store is a log of documents, safe for concurrent use. Sequences read in small
// steps and hold nothing between them: a slow consumer costs nobody, and sees
// entries that are appended while it walks. An error ends a sequence, except
// ErrBadEntry.
//
// A store keeps fewer entries than it is given. A document with Progress that
// comes within ProgressWindow of the first of a row of progress documents of its
// name replaces the one before it. Entries that were superseded before the
// retention period are removed, a bounded number for each append; the newest of
// each name stays, unless it says that its thing is forgotten.
type Store interface {
	// Append writes documents in their order and returns their keys once they
	// are durable: all of them or none. Errors wrap model.ErrInvalidDocument,
	// ErrFull, ErrCorrupt or ErrClosed.
	Append(ctx context.Context, docs []model.Document) ([]Key, error)
	// Deliver is Append for a batch whose documents are numbered: of them it writes those
	// behind the host's position, and moves the position, in the same step. A batch that
	// is not numbered it appends.
	Deliver(ctx context.Context, b model.Batch) (model.Receipt, error)
	// Position is how far the numbered documents of a host have come; zero where there
	// are none. Retention removes it with the last name of the host.
	Position(ctx context.Context, host string) (model.Position, error)
	// Latest walks the newest entry of every name, sorted by host, package and
	// key. Those that are Gone are among them.
	Latest(ctx context.Context, f Filter) iter.Seq2[Entry, error]
	// Range walks the log from behind after up to and with until. "" is no bound.
	Range(ctx context.Context, after, until Key) iter.Seq2[Entry, error]
	// Read is Range for whoever goes through the log and keeps nothing of it: it takes the first
	// entries behind after into a chunk, so many as are read in one step.
	Read(ctx context.Context, after, until Key, c *Chunk) error
	// History walks entries from before before backwards. "" begins at the newest.
	History(ctx context.Context, f Filter, before Key) iter.Seq2[Entry, error]
	// Stats are the figures of the store as they stand.
	Stats() (model.StoreStats, error)
	// Close waits for appends under way and releases the store.
	Close() error
}
