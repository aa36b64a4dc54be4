package bolt

import (
	"bytes"
	"time"

	"cassini/manager/store"
	"cassini/model"

	bolt "go.etcd.io/bbolt"
)

// writer fills one transaction.
type writer struct {
	store      *Store
	tx         *bolt.Tx
	log, names *bolt.Bucket
	counts     counts
	entries    []store.Entry // that it has added
	known      *bolt.Cursor  // over names
	room       *room
	id, key    []byte // of the document before; bbolt copies them

	appended, thinned, expired uint64
}

func (w *writer) write(group []*request) error {
	w.log.FillPercent = 0.9 // keys come in order: half-empty pages would stay so
	now := w.store.cfg.Now()
	var err error
	if w.counts, err = readCounts(w.tx); err != nil {
		return corrupt(w.store.path, err)
	}
	if err := w.checkSize(); err != nil {
		return err
	}
	w.store.clock.Begin(now)
	w.entries = make([]store.Entry, 0, documents(group))
	for _, r := range group {
		docs, err := w.unknown(r)
		if err != nil {
			return err
		}
		for i := range docs {
			key, err := w.put(&docs[i], w.store.clock.Next())
			if err != nil {
				return err
			}
			if r.asked {
				r.keys = append(r.keys, key)
			}
		}
	}
	if err := w.retain(now); err != nil {
		return err
	}
	return w.counts.write(w.tx)
}

// documents is how many a group has at most.
func documents(group []*request) (n int) {
	for _, r := range group {
		n += len(r.docs)
	}
	return n
}

// put adds one document to the log. A progress entry replaces the one before it
// while their row is young.
func (w *writer) put(d *model.Document, at time.Time) (store.Key, error) {
	w.id = appendNameKey(w.id[:0], d.Name)
	var before name
	// One cursor, which finds its way anew, takes no memory each time as Get does.
	if k, v := w.known.Seek(w.id); bytes.Equal(k, w.id) {
		before = parseName(v)
	} else {
		w.counts.names++
	}
	now := name{newest: store.NewKey(at, d.Name)}
	prev := before.newest
	w.counts.entries++
	if d.Progress {
		now.row = at
		if !before.row.IsZero() && at.Sub(before.row) < store.ProgressWindow {
			now.row = before.row
			prev = prevOf(w.log.Get([]byte(before.newest)))
			w.thinned++
			if err := w.remove(before.newest); err != nil {
				return "", err
			}
		}
	}
	v, err := appendEntry(w.room.take(entrySize(prev, d)), prev, d)
	if err != nil {
		return "", err
	}
	w.key = append(w.key[:0], now.newest...)
	w.store.touch(bucketLog, w.key)
	w.store.touch(bucketNames, w.id)
	if err := w.log.Put(w.key, v); err != nil {
		return "", err
	}
	w.appended++
	e := store.Entry{Key: now.newest, Document: *d}
	e.Document.Time = d.Time.Round(0) // as it is in the file
	w.entries = append(w.entries, e)
	return now.newest, w.names.Put(w.id, now.append(w.room.take(now.size())))
}

func (w *writer) remove(k store.Key) error {
	w.counts.entries--
	w.store.touch(bucketLog, []byte(k))
	return w.log.Delete([]byte(k))
}
