package outbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"cassini/model"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// ErrLocked says that another process uses the spool.
var ErrLocked = errors.New("another Cassini agent uses this data directory; stop it or choose another --data-dir")

// documents is the one bucket: sequence number (8 bytes, big endian) to JSON.
var documents = []byte("documents")

// spool is the outbox on disk.
type spool struct{ db *bolt.DB }

func openSpool(path string) (*spool, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
	if errors.Is(err, bolterrors.ErrTimeout) {
		return nil, fmt.Errorf("%s: %w", path, ErrLocked)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w; if it is damaged, move it away: it holds only documents not yet delivered", path, err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(documents)
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare %s: %w", path, err), db.Close())
	}
	return &spool{db}, nil
}

func (s *spool) len() (n int, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		n = tx.Bucket(documents).Stats().KeyN
		return nil
	})
	return n, err
}

func (s *spool) append(docs []model.Document) error {
	return s.db.Update(func(tx *bolt.Tx) error {
		bucket := tx.Bucket(documents)
		for _, doc := range docs {
			raw, err := json.Marshal(doc)
			if err != nil {
				return fmt.Errorf("encode document %s: %w", doc.Name, err)
			}
			seq, err := bucket.NextSequence()
			if err != nil {
				return err
			}
			if err := bucket.Put(binary.BigEndian.AppendUint64(nil, seq), raw); err != nil {
				return err
			}
		}
		return nil
	})
}

// head returns the oldest documents, at most n, and the key of the last of them.
func (s *spool) head(n int) (last []byte, docs []model.Document, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		cursor := tx.Bucket(documents).Cursor()
		for key, raw := cursor.First(); key != nil && len(docs) < n; key, raw = cursor.Next() {
			var doc model.Document
			if err := json.Unmarshal(raw, &doc); err != nil {
				return fmt.Errorf("read spooled document: %w", err)
			}
			docs = append(docs, doc)
			last = append(last[:0], key...)
		}
		return nil
	})
	return last, docs, err
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

func (s *spool) close() error { return s.db.Close() }
