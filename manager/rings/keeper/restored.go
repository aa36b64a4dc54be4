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

// What a restored file leaps over. Lives of the manager and numbers of datagrams that were
// used since the backup must not come again: agents take them for replays, and a number
// that is used twice with one key is no secret any more.
const (
	leapLives  = 1 << 8
	leapNonces = 1 << 30
)

// lastClock is the last time, in the year 2103, that a clock is believed: one that is wrong by far
// shall not use up all numbers.
const lastClock = 1<<32 - 1<<26

// nextLife is the one that follows another: the time at which it begins, in seconds, where that is later.
// So a manager whose file is older than what agents have heard of since, because another one had been
// restored from it or a snapshot of its disk was put back, is not taken for one that is over.
func nextLife(before model.Incarnation, now time.Time) model.Incarnation {
	if seconds := now.Unix(); seconds > 0 && seconds < lastClock {
		return max(before+1, model.Incarnation(seconds))
	}
	return before + 1
}

// Restored makes a file of rings that comes from a backup, and that nobody has open, one
// with which a manager can go on: it knows nothing of what it told agents since, so all
// plans get epochs, all lives and datagrams numbers that were not in use before now.
func Restored(path string, now time.Time) error {
	d, err := openDisk(path)
	if err != nil {
		return err
	}
	_, err = d.count(func(c *counters) {
		c.Incarnation = max(c.Incarnation+leapLives, nextLife(0, now))
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
