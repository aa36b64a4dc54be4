package alerts

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"cassini/manager/keptfile"
)

// FileName is the file in the data directory.
const FileName = "alerts.db"

var (
	keyCursor  = []byte("cursor")
	bucketTold = []byte("told")
)

// disk keeps what receivers were told. What it has accepted is durable.
type disk struct{ *keptfile.File }

// openDisk opens the file, or begins one. Errors say what to do.
func openDisk(dir string) (*disk, error) {
	f, err := keptfile.Open(filepath.Join(dir, FileName), "move it away: then receivers are told of all that is open anew")
	if err != nil {
		return nil, err
	}
	return &disk{f}, nil
}

// keep forgets receivers that are no longer there.
func (d *disk) keep(keys []string) error {
	return d.Update(func(tx *bolt.Tx) error {
		var gone [][]byte
		err := tx.ForEach(func(name []byte, _ *bolt.Bucket) error {
			if !slices.Contains(keys, string(name)) {
				gone = append(gone, slices.Clone(name))
			}
			return nil
		})
		for _, name := range gone {
			err = errors.Join(err, tx.DeleteBucket(name))
		}
		return err
	})
}

// load reads what a receiver was told; one that is new has a zero cursor.
func (d *disk) load(key string) (m memory, err error) {
	m.told = make(map[string]told)
	err = d.View(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(key))
		if b == nil {
			return nil
		}
		if err := m.cursor.UnmarshalText(b.Get(keyCursor)); err != nil {
			return fmt.Errorf("receiver %s: cursor: %w: %w", key, keptfile.ErrDamaged, err)
		}
		return b.Bucket(bucketTold).ForEach(func(id, v []byte) error {
			var t told
			if err := json.Unmarshal(v, &t); err != nil {
				return fmt.Errorf("receiver %s: incident %q: %w: %w", key, id, keptfile.ErrDamaged, err)
			}
			m.told[string(id)] = t
			return nil
		})
	})
	return m, err
}

// write keeps what a receiver was told, and what of it is not needed any more.
func (d *disk) write(key string, cursor time.Time, news map[string]told, finished []string) error {
	at, err := cursor.UTC().MarshalText()
	if err != nil {
		return fmt.Errorf("write %s: cursor: %w", d.Path(), err)
	}
	return d.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte(key))
		if err != nil {
			return err
		}
		list, err := b.CreateBucketIfNotExists(bucketTold)
		if err != nil {
			return err
		}
		for id, t := range news {
			raw, err := json.Marshal(t)
			if err != nil {
				return err
			}
			if err := list.Put([]byte(id), raw); err != nil {
				return err
			}
		}
		for _, id := range finished {
			if err := list.Delete([]byte(id)); err != nil {
				return err
			}
		}
		return b.Put(keyCursor, at)
	})
}
