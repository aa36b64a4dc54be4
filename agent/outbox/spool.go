package outbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"cassini/model"
	"cassini/model/boltfile"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// ErrLocked says that another process uses the spool.
var ErrLocked = errors.New("another Cassini agent uses this data directory; stop it or choose another --data-dir")

// documents maps a position (incarnation and sequence, 8 bytes each, big endian) to a
// document as JSON. Keys of 8 bytes are an older Cassini's: they have no position and sort
// before the others. outboxes has the incarnation of the newest life.
var (
	documents   = []byte("documents")
	outboxes    = []byte("outbox")
	incarnation = []byte("incarnation")
)

// spool is the outbox on disk.
type spool struct {
	path string
	db   *bolt.DB
}

// openSpool opens the file for another life, which it numbers: higher than the one before,
// and than those of a file that was lost, as far as the clock tells.
func openSpool(path string, now time.Time) (*spool, model.Incarnation, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{OpenFile: boltfile.OpenSound})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, 0, fmt.Errorf("%s: %w", path, ErrLocked)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("open %s: %w; if it is damaged, move it away: it holds only documents not yet delivered", path, err)
	}
	s, life := &spool{path, db}, model.Incarnation(0)
	err = prepare(db, func(before model.Incarnation) model.Incarnation {
		life = max(before+1, model.Incarnation(max(now.UnixMicro(), 0)))
		return life
	})
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("prepare %s: %w", path, err), db.Close())
	}
	return s, life, nil
}

// prepare makes what a spool consists of, and the life that follows the one it had.
func prepare(db *bolt.DB, next func(before model.Incarnation) model.Incarnation) error {
	return db.Update(func(tx *bolt.Tx) error {
		if _, err := tx.CreateBucketIfNotExists(documents); err != nil {
			return err
		}
		b, err := tx.CreateBucketIfNotExists(outboxes)
		if err != nil {
			return err
		}
		return writeLife(b, next(readLife(b)))
	})
}

// smallSpool is how large a file may stay that holds nothing, in bytes.
const smallSpool = 4 << 20

// shrink puts a small file in the place of a large one that holds nothing: bbolt's never
// shrinks, and what of it was read stays in memory.
func (s *spool) shrink() error {
	path := s.path
	size, err := s.size()
	if err != nil || size <= smallSpool {
		return err
	}
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) { // of a run that was killed
		return fmt.Errorf("shrink the spool: %w", err)
	}
	db, err := bolt.Open(fresh, 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		return fmt.Errorf("shrink the spool: %w", err)
	}
	life, err := s.life()
	if err == nil {
		err = prepare(db, func(model.Incarnation) model.Incarnation { return life })
	}
	if err == nil {
		err = os.Rename(fresh, path) // it is locked already
	}
	if err != nil {
		return errors.Join(fmt.Errorf("shrink the spool: %w", err), db.Close(), os.Remove(fresh))
	}
	old := s.db
	s.db = db
	return old.Close()
}

func (s *spool) size() (bytes int64, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		bytes = tx.Size()
		return nil
	})
	return bytes, err
}

func (s *spool) life() (life model.Incarnation, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		life = readLife(tx.Bucket(outboxes))
		return nil
	})
	return life, err
}

func readLife(b *bolt.Bucket) model.Incarnation {
	if v := b.Get(incarnation); len(v) == 8 {
		return model.Incarnation(binary.BigEndian.Uint64(v))
	}
	return 0
}

func writeLife(b *bolt.Bucket, life model.Incarnation) error {
	return b.Put(incarnation, binary.BigEndian.AppendUint64(nil, uint64(life)))
}

func spoolKey(p model.Position) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(p.Incarnation)), p.Sequence)
}

func parseKey(key []byte) model.Position {
	if len(key) != 16 {
		return model.Position{}
	}
	return model.Position{Incarnation: model.Incarnation(binary.BigEndian.Uint64(key)), Sequence: binary.BigEndian.Uint64(key[8:])}
}

func (s *spool) len() (n int, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		n = tx.Bucket(documents).Stats().KeyN
		return nil
	})
	return n, err
}

// each hands out all documents that can be read, the oldest first.
func (s *spool) each(f func(model.Document)) error {
	return s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(documents).ForEach(func(key, raw []byte) error {
			if it, err := decodeItem(key, raw); err == nil {
				f(it.doc)
			}
			return nil
		})
	})
}

// clean removes documents that are not of a host, "" being any, and those that cannot be read:
// they would hold up what is behind them for good. It says how many there were of each.
func (s *spool) clean(host string) (others, damaged int, err error) {
	err = s.db.Update(func(tx *bolt.Tx) error {
		var unwanted [][]byte
		b := tx.Bucket(documents)
		err := b.ForEach(func(key, raw []byte) error {
			switch it, err := decodeItem(key, raw); {
			case err != nil:
				damaged++
			case host != "" && it.doc.Host != host:
				others++
			default:
				return nil
			}
			unwanted = append(unwanted, key)
			return nil
		})
		for _, key := range unwanted {
			err = errors.Join(err, b.Delete(key))
		}
		return err
	})
	return others, damaged, err
}

func (s *spool) append(items []item) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		for _, it := range items {
			raw, err := json.Marshal(it.doc)
			if err != nil {
				return fmt.Errorf("encode document %s: %w", it.doc.Name, err)
			}
			if err := tx.Bucket(documents).Put(spoolKey(it.at), raw); err != nil {
				return err
			}
		}
		return nil
	})
}

// head returns the oldest items, at most n and not much more than batchBytes, and the key
// of each.
func (s *spool) head(n int) (keys [][]byte, items []item, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		cursor, size := tx.Bucket(documents).Cursor(), 0
		for key, raw := cursor.First(); key != nil && len(items) < n && size <= batchBytes; key, raw = cursor.Next() {
			size += len(raw)
			it, err := decodeItem(key, raw)
			if err != nil {
				return fmt.Errorf("read spooled document: %w", err)
			}
			items = append(items, it)
			keys = append(keys, append([]byte(nil), key...))
		}
		return nil
	})
	return keys, items, err
}

// remove deletes everything up to last, inclusive.
func (s *spool) remove(last []byte) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		cursor := tx.Bucket(documents).Cursor()
		for key, _ := cursor.First(); key != nil && string(key) <= string(last); key, _ = cursor.First() {
			if err := cursor.Delete(); err != nil {
				return err
			}
		}
		return nil
	})
}

// renumber begins a life and gives all documents places in it, in their order. The last
// place is returned.
func (s *spool) renumber(life model.Incarnation) (last model.Position, err error) {
	last = model.Position{Incarnation: life}
	err = s.db.Update(func(tx *bolt.Tx) error {
		if err := writeLife(tx.Bucket(outboxes), life); err != nil {
			return err
		}
		old := tx.Bucket(documents)
		var raws [][]byte
		if err := old.ForEach(func(_, raw []byte) error {
			raws = append(raws, append([]byte(nil), raw...))
			return nil
		}); err != nil {
			return err
		}
		if err := tx.DeleteBucket(documents); err != nil {
			return err
		}
		fresh, err := tx.CreateBucket(documents)
		for i := 0; i < len(raws) && err == nil; i++ {
			last.Sequence++
			err = fresh.Put(spoolKey(last), raws[i])
		}
		return err
	})
	return last, err
}

func (s *spool) close() error { return s.db.Close() }
