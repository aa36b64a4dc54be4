package enroll

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"cassini/manager/keptfile"
)

var (
	bucketTokens = []byte("tokens")
	bucketHosts  = []byte("hosts")
)

// disk keeps tokens and records. What it has accepted is durable.
type disk struct{ *keptfile.File }

// openDisk opens the file, or begins one. Errors say what to do.
func openDisk(dir string) (*disk, error) {
	f, err := keptfile.Open(filepath.Join(dir, StateFile), "restore it from a backup, or move it away: then tokens are made and hosts join anew", bucketTokens, bucketHosts)
	if err != nil {
		return nil, err
	}
	return &disk{f}, nil
}

// load reads everything.
func (d *disk) load() (tokens map[string]Token, hosts map[string]Record, err error) {
	err = d.View(func(tx *bolt.Tx) error {
		tokens, err = loadBucket[Token](tx.Bucket(bucketTokens))
		if err != nil {
			return err
		}
		hosts, err = loadBucket[Record](tx.Bucket(bucketHosts))
		return err
	})
	return tokens, hosts, err
}

func loadBucket[T any](b *bolt.Bucket) (map[string]T, error) {
	all := make(map[string]T)
	return all, b.ForEach(func(k, v []byte) error {
		var value T
		if err := json.Unmarshal(v, &value); err != nil {
			return fmt.Errorf("entry %q: %w: %w", k, ErrDamaged, err)
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
	return d.Update(func(tx *bolt.Tx) error {
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
}

func put(b *bolt.Bucket, key string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return b.Put([]byte(key), raw)
}

// get reads what put has written.
func get(b *bolt.Bucket, key string, value any) error {
	if err := json.Unmarshal(b.Get([]byte(key)), value); err != nil {
		return fmt.Errorf("entry %q: %w: %w", key, ErrDamaged, err)
	}
	return nil
}
