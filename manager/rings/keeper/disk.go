package keeper

import (
	"encoding/json"
	"errors"
	"fmt"

	"cassini/manager/keptfile"
	"cassini/manager/rings"
	"cassini/model"

	bolt "go.etcd.io/bbolt"
)

// Buckets of the file: hosts and rings by their names, counters, and documents that are
// not in the manager's log yet. All values are JSON.
var (
	bucketHosts    = []byte("hosts")
	bucketRings    = []byte("rings")
	bucketCounters = []byte("counters")
	bucketUntold   = []byte("untold")
)

func buckets() [][]byte { return [][]byte{bucketHosts, bucketRings, bucketCounters, bucketUntold} }

// counters are what may never come twice.
type counters struct {
	Incarnation model.Incarnation `json:"incarnation"` // of the manager
	Nonces      uint64            `json:"nonces"`
}

// ErrDamaged says that the file of rings cannot be understood.
var ErrDamaged = keptfile.ErrDamaged

// disk is the file of rings. It holds keys.
type disk struct{ *keptfile.File }

// openDisk opens the file, or begins one. Errors say what to do.
func openDisk(path string) (*disk, error) {
	f, err := keptfile.Open(path, "stop Cassini and move the file away: agents join again by themselves, with new keys", buckets()...)
	if err != nil {
		return nil, err
	}
	return &disk{f}, nil
}

// count changes the counters and makes them durable.
func (d *disk) count(change func(*counters)) (c counters, err error) {
	err = d.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketCounters)
		if raw := b.Get(bucketCounters); raw != nil {
			if err := decode(bucketCounters, raw, &c); err != nil {
				return err
			}
		}
		change(&c)
		return put(b, string(bucketCounters), c)
	})
	return c, err
}

func put(b *bolt.Bucket, key string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return b.Put([]byte(key), raw)
}

func decode(key, raw []byte, value any) error {
	if err := json.Unmarshal(raw, value); err != nil {
		return fmt.Errorf("%w: decode %s: %w", ErrDamaged, key, err)
	}
	return nil
}

// kept is what an earlier life left.
type kept struct {
	hosts  []*rings.Host
	rings  []*rings.Ring
	untold []*untold
}

// load reads all that is on disk.
func (d *disk) load() (k kept, err error) {
	err = d.View(func(tx *bolt.Tx) error {
		return errors.Join(each(tx.Bucket(bucketHosts), &k.hosts), each(tx.Bucket(bucketRings), &k.rings), each(tx.Bucket(bucketUntold), &k.untold))
	})
	if err != nil {
		return kept{}, err
	}
	return k, nil
}

func each[T any](b *bolt.Bucket, list *[]*T) error {
	return b.ForEach(func(key, raw []byte) error {
		value := new(T)
		*list = append(*list, value)
		return decode(key, raw, value)
	})
}

// changes are what one round of the loop has changed.
type changes struct {
	hosts   map[string]rings.Host
	rings   map[model.RingID]rings.Ring
	dropped map[model.RingID]bool
	gone    map[string]bool // hosts that were shut out
	untold  []untold
	told    []model.Name // what was untold
}

func newChanges() changes {
	return changes{hosts: make(map[string]rings.Host), rings: make(map[model.RingID]rings.Ring), dropped: make(map[model.RingID]bool), gone: make(map[string]bool)}
}

// pressing says whether there is anything that must be durable now. What was told can wait:
// telling it again does no harm.
func (c changes) pressing() bool {
	return len(c.hosts) > 0 || len(c.rings) > 0 || len(c.dropped) > 0 || len(c.gone) > 0 || len(c.untold) > 0
}

// write makes changes durable, all or none.
func (d *disk) write(c changes) error {
	return d.Update(func(tx *bolt.Tx) error {
		hosts, all, untold := tx.Bucket(bucketHosts), tx.Bucket(bucketRings), tx.Bucket(bucketUntold)
		var errs []error
		for name := range c.gone {
			errs = append(errs, hosts.Delete([]byte(name)))
		}
		for name, h := range c.hosts {
			errs = append(errs, put(hosts, name, h))
		}
		for id := range c.dropped {
			errs = append(errs, all.Delete([]byte(id)))
		}
		for id, r := range c.rings {
			errs = append(errs, put(all, string(id), r))
		}
		for _, name := range c.told {
			errs = append(errs, untold.Delete([]byte(name.String())))
		}
		for _, u := range c.untold {
			errs = append(errs, put(untold, u.Name.String(), u))
		}
		return errors.Join(errs...)
	})
}
