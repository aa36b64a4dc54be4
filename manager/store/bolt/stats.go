package bolt

import (
	"fmt"
	"os"
	"time"

	"cassini/manager/store"
	"cassini/model"

	bolt "go.etcd.io/bbolt"
)

// Stats implements store.Store.
func (s *Store) Stats() (model.StoreStats, error) {
	stats := model.StoreStats{
		Appended:  s.appended.Load(),
		Thinned:   s.thinned.Load(),
		Expired:   s.expired.Load(),
		ClockHeld: s.clocked.Load(),
		Compacted: s.compacted.Load(), CompactFailed: s.uncompacted.Load(), Reclaimed: s.reclaimed.Load(),
	}
	info, err := os.Stat(s.path)
	if err != nil {
		return stats, classify("look at", s.path, err)
	}
	stats.FileBytes = uint64(info.Size())
	err = s.view(func(db *bolt.DB, tx *bolt.Tx) error {
		c, err := readCounts(tx)
		if err != nil {
			return corrupt(s.path, err)
		}
		stats.Documents, stats.Names = c.entries, c.names
		stats.FreeBytes = uint64(max(0, info.Size()-used(db, tx)))
		log := tx.Bucket(bucketLog).Cursor()
		oldest, _ := log.First()
		newest, _ := log.Last()
		stats.Oldest, stats.Newest = timeOf(oldest), timeOf(newest)
		return nil
	})
	if err != nil {
		return stats, fmt.Errorf("read figures of the document log: %w", err)
	}
	return stats, nil
}

func timeOf(k []byte) time.Time {
	at, _ := store.Key(k).Time() // zero for an empty log
	return at
}
