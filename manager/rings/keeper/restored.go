package keeper

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"cassini/manager/rings"

	bolt "go.etcd.io/bbolt"
)

// What a restored file leaps over. Lives of the manager and numbers of datagrams that were
// used since the backup must not come again: agents take them for replays, and a number
// that is used twice with one key is no secret any more.
const (
	leapLives  = 1 << 20
	leapNonces = 1 << 30
)

// Restored makes a file of rings that comes from a backup, and that nobody has open, one
// with which a manager can go on: it knows nothing of what it told agents since, so all
// plans get epochs, all lives and datagrams numbers that were not in use before now.
func Restored(path string, now time.Time) error {
	d, err := openDisk(path)
	if err != nil {
		return err
	}
	_, err = d.count(func(c *counters) {
		c.Incarnation += leapLives
		c.Nonces = max(c.Nonces, uint64(max(now.Unix(), 0))<<16) + leapNonces
	})
	if err == nil {
		err = d.Update(func(tx *bolt.Tx) error {
			return errors.Join(
				rewrite(tx.Bucket(bucketRings), func(g *rings.Ring) { g.Epoch = rings.Beyond(g.Epoch, now) }),
				rewrite(tx.Bucket(bucketHosts), func(h *rings.Host) {
					for id, epoch := range h.Left {
						h.Left[id] = rings.Beyond(epoch, now)
					}
				}))
		})
	}
	if err = errors.Join(err, d.Close()); err != nil {
		return fmt.Errorf("take the restored rings into use: %w", err)
	}
	return nil
}

// rewrite changes all values of a bucket.
func rewrite[T any](b *bolt.Bucket, change func(*T)) error {
	changed := map[string][]byte{}
	err := b.ForEach(func(k, v []byte) error {
		var value T
		if err := decode(k, v, &value); err != nil {
			return err
		}
		change(&value)
		raw, err := json.Marshal(value)
		changed[string(k)] = raw
		return err
	})
	for k, raw := range changed {
		err = errors.Join(err, b.Put([]byte(k), raw))
	}
	return err
}
