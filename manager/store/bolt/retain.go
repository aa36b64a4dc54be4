package bolt

import (
	"bytes"
	"fmt"
	"time"

	"cassini/manager/store"

	bolt "go.etcd.io/bbolt"
)

// Retention walks the log from its oldest end, a few entries for each append,
// and remembers where it is. An entry that it comes to makes the one of the same
// name before it superfluous: nobody can ask for a moment between the two any
// more. So each name keeps what was true when the retention period began, and
// the walk never has to go back.

// stepsBeyond is how many entries an append looks at besides two for each that
// it wrote.
const stepsBeyond = 16

// retain removes what is superfluous at now, a bounded amount.
func (w *writer) retain(now time.Time) error {
	from := w.tx.Bucket(bucketMeta).Get(metaExpired)
	until := store.Until(now.Add(-w.store.cfg.MaxAge))
	if hold := w.store.cfg.Hold; hold != nil && hold() {
		until = ""
	}
	if used(w.store.db.Load(), w.tx) > w.store.cfg.MaxSize/4*3 {
		until = "\xff"
	}
	found := w.walk(from, until, 2*int(w.appended)+stepsBeyond)
	if found.last == nil {
		return nil
	}
	for _, k := range found.superseded {
		if err := w.expire(k); err != nil {
			return err
		}
	}
	for _, e := range found.gone {
		if err := w.forget(e); err != nil {
			return err
		}
	}
	return w.tx.Bucket(bucketMeta).Put(metaExpired, found.last)
}

// found is what a walk came by.
type found struct {
	last       []byte // where it stopped, nil when it did not move
	superseded []store.Key
	gone       []store.Entry // documents that say that their thing is forgotten
}

// walk looks at up to steps entries behind from and before until.
func (w *writer) walk(from []byte, until store.Key, steps int) (f found) {
	c := w.log.Cursor()
	k, v := c.Seek(from)
	if k != nil && string(k) == string(from) {
		k, v = c.Next()
	}
	for ; k != nil && store.Key(k) < until && steps > 0; steps-- {
		if prev := prevOf(v); prev != "" {
			f.superseded = append(f.superseded, prev)
		}
		if e, err := decodeEntry(k, v); err == nil && e.Document.Gone() {
			f.gone = append(f.gone, e)
		}
		f.last = append(f.last[:0], k...)
		k, v = c.Next()
	}
	return f
}

// expire removes an entry if it is still there.
func (w *writer) expire(k store.Key) error {
	if w.log.Get([]byte(k)) == nil {
		return nil
	}
	w.expired++
	return w.remove(k)
}

// forget removes the last trace of a name, unless it came back later.
func (w *writer) forget(e store.Entry) error {
	id := nameKey(e.Document.Name)
	if parseName(w.names.Get(id)).newest != e.Key {
		return nil
	}
	w.counts.names--
	w.store.touch(bucketNames, id)
	if err := w.names.Delete(id); err != nil {
		return err
	}
	if err := w.forgetHost(e.Document.Host); err != nil {
		return err
	}
	return w.expire(e.Key)
}

// forgetHost removes the position of a host of which there is no name any more.
func (w *writer) forgetHost(host string) error {
	prefix := []byte(host + "\x00")
	if k, _ := w.names.Cursor().Seek(prefix); bytes.HasPrefix(k, prefix) {
		return nil
	}
	if b := w.tx.Bucket(bucketPositions); b != nil {
		w.store.touch(bucketPositions, []byte(host))
		return b.Delete([]byte(host))
	}
	return nil
}

// checkSize refuses to grow without end when there is nothing left to remove.
func (w *writer) checkSize() error {
	if size := used(w.store.db.Load(), w.tx); size > 2*w.store.cfg.MaxSize {
		return fmt.Errorf("%w: the newest documents alone take %d bytes, twice the limit of %d: raise the limit of the document log",
			store.ErrFull, size, w.store.cfg.MaxSize)
	}
	return nil
}

// used is how many bytes of the file hold something.
func used(db *bolt.DB, tx *bolt.Tx) int64 {
	stats := db.Stats()
	free := int64(stats.FreePageN+stats.PendingPageN) * int64(db.Info().PageSize)
	return tx.Size() - free
}
