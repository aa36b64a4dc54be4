package keeper

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"cassini/manager/rings"
	"cassini/model"

	bolt "go.etcd.io/bbolt"
)

// Buckets of the file: hosts and rings by their names, and counters. All values are JSON.
var (
	bucketHosts    = []byte("hosts")
	bucketRings    = []byte("rings")
	bucketCounters = []byte("counters")
)

// counters are what may never come twice.
type counters struct {
	Incarnation model.Incarnation `json:"incarnation"` // of the manager
	Nonces      uint64            `json:"nonces"`
}

// disk is the file of rings. It holds keys: it is for its owner alone.
type disk struct{ db *bolt.DB }

func openDisk(path string) (*disk, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w; if it is damaged, move it away: agents join again by themselves, with new keys", path, err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		var errs []error
		for _, name := range [][]byte{bucketHosts, bucketRings, bucketCounters} {
			_, err := tx.CreateBucketIfNotExists(name)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("prepare %s: %w", path, err), db.Close())
	}
	return &disk{db}, nil
}

// count changes the counters and makes them durable.
func (d *disk) count(change func(*counters)) (c counters, err error) {
	err = d.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketCounters)
		if raw := b.Get(bucketCounters); raw != nil {
			if err := json.Unmarshal(raw, &c); err != nil {
				return fmt.Errorf("decode counters: %w", err)
			}
		}
		change(&c)
		return put(b, string(bucketCounters), c)
	})
	if err != nil {
		return c, fmt.Errorf("keep counters of rings: %w", err)
	}
	return c, nil
}

func put(b *bolt.Bucket, key string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return b.Put([]byte(key), raw)
}

// load reads all hosts and rings.
func (d *disk) load() (hosts []*rings.Host, all []*rings.Ring, err error) {
	err = d.db.View(func(tx *bolt.Tx) error {
		if err := each(tx.Bucket(bucketHosts), &hosts); err != nil {
			return err
		}
		return each(tx.Bucket(bucketRings), &all)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read rings: %w", err)
	}
	return hosts, all, nil
}

func each[T any](b *bolt.Bucket, list *[]*T) error {
	return b.ForEach(func(key, raw []byte) error {
		value := new(T)
		if err := json.Unmarshal(raw, value); err != nil {
			return fmt.Errorf("decode %s: %w", key, err)
		}
		*list = append(*list, value)
		return nil
	})
}

// changes are what one round of the loop has changed.
type changes struct {
	hosts   map[string]rings.Host
	rings   map[model.RingID]rings.Ring
	dropped map[model.RingID]bool
}

func newChanges() changes {
	return changes{make(map[string]rings.Host), make(map[model.RingID]rings.Ring), make(map[model.RingID]bool)}
}

func (c changes) empty() bool { return len(c.hosts) == 0 && len(c.rings) == 0 && len(c.dropped) == 0 }

// write makes changes durable, all or none.
func (d *disk) write(c changes) error {
	err := d.db.Update(func(tx *bolt.Tx) error {
		for name, h := range c.hosts {
			if err := put(tx.Bucket(bucketHosts), name, h); err != nil {
				return err
			}
		}
		for id := range c.dropped {
			if err := tx.Bucket(bucketRings).Delete([]byte(id)); err != nil {
				return err
			}
		}
		for id, r := range c.rings {
			if err := put(tx.Bucket(bucketRings), string(id), r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep rings: %w", err)
	}
	return nil
}

func (d *disk) close() error { return d.db.Close() }
