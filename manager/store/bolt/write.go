package bolt

import (
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
	for _, r := range group {
		r.keys = make([]store.Key, len(r.docs))
		for i, d := range r.docs {
			if r.keys[i], err = w.put(d, w.store.clock.Next()); err != nil {
				return err
			}
		}
	}
	if err := w.retain(now); err != nil {
		return err
	}
	return w.counts.write(w.tx)
}

// put adds one document to the log. A progress entry replaces the one before it
// while their row is young.
func (w *writer) put(d model.Document, at time.Time) (store.Key, error) {
	id := nameKey(d.Name)
	var before name
	if v := w.names.Get(id); v != nil {
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
	v, err := encodeEntry(prev, d)
	if err != nil {
		return "", err
	}
	if err := w.log.Put([]byte(now.newest), v); err != nil {
		return "", err
	}
	w.appended++
	return now.newest, w.names.Put(id, now.encode())
}

func (w *writer) remove(k store.Key) error {
	w.counts.entries--
	return w.log.Delete([]byte(k))
}
