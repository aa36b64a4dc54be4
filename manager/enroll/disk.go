package enroll

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
)

var (
	bucketTokens = []byte("tokens")
	bucketHosts  = []byte("hosts")
)

// disk keeps tokens and records. What it has accepted is durable.
type disk struct{ db *bolt.DB }

func openDisk(dir string) (*disk, error) {
	path := filepath.Join(dir, StateFile)
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: time.Second})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := makeBuckets(db); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), db.Close())
	}
	return &disk{db}, nil
}

// makeBuckets makes those that are not there. Where all are it writes nothing: a full disk
// keeps nobody from reading.
func makeBuckets(db *bolt.DB) error {
	there := false
	err := db.View(func(tx *bolt.Tx) error {
		there = tx.Bucket(bucketTokens) != nil && tx.Bucket(bucketHosts) != nil
		return nil
	})
	if err != nil || there {
		return err
	}
	return db.Update(func(tx *bolt.Tx) error {
		_, errTokens := tx.CreateBucketIfNotExists(bucketTokens)
		_, errHosts := tx.CreateBucketIfNotExists(bucketHosts)
		return errors.Join(errTokens, errHosts)
	})
}

// load reads everything.
func (d *disk) load() (tokens map[string]Token, hosts map[string]Record, err error) {
	err = d.db.View(func(tx *bolt.Tx) error {
		tokens, err = loadBucket[Token](tx.Bucket(bucketTokens))
		if err != nil {
			return err
		}
		hosts, err = loadBucket[Record](tx.Bucket(bucketHosts))
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", d.db.Path(), err)
	}
	return tokens, hosts, nil
}

func loadBucket[T any](b *bolt.Bucket) (map[string]T, error) {
	all := make(map[string]T)
	return all, b.ForEach(func(k, v []byte) error {
		var value T
		if err := json.Unmarshal(v, &value); err != nil {
			return fmt.Errorf("entry %q: %w: %w; move the file away: then tokens are made and hosts join anew", k, ErrDamaged, err)
		}
		all[string(k)] = value
		return nil
	})
}

// change is what is written in one transaction.
type change struct {
	tokens  []Token
	dropped []string // tokens
	hosts   []Record
	// forgotten are hosts whose records go.
	forgotten []string
}

func (c change) empty() bool {
	return len(c.tokens)+len(c.dropped)+len(c.hosts)+len(c.forgotten) == 0
}

func (d *disk) write(c change) error {
	if c.empty() {
		return nil
	}
	err := d.db.Update(func(tx *bolt.Tx) error {
		tokens, hosts := tx.Bucket(bucketTokens), tx.Bucket(bucketHosts)
		for _, id := range c.dropped {
			if err := tokens.Delete([]byte(id)); err != nil {
				return err
			}
		}
		for _, t := range c.tokens {
			if err := put(tokens, t.ID, t); err != nil {
				return err
			}
		}
		for _, host := range c.forgotten {
			if err := hosts.Delete([]byte(host)); err != nil {
				return err
			}
		}
		for _, h := range c.hosts {
			if err := put(hosts, h.Host, h); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", d.db.Path(), err)
	}
	return nil
}

func put(b *bolt.Bucket, key string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return b.Put([]byte(key), raw)
}

func (d *disk) close() error { return d.db.Close() }
