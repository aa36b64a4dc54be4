package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"cassini/manager/store"
	"cassini/model/boltfile"

	bolt "go.etcd.io/bbolt"
)

// Repaired is what came of a repair.
type Repaired struct {
	Kept    uint64 // entries
	Strayed uint64 // of these, those whose place in the tree was lost
	// Lost are entries that could not be kept, and what was wrong with the file.
	Lost []string
}

// repairBatch is how many entries are written in one transaction.
const repairBatch = 5000

// Repair writes what is good of a damaged file, which is not open and stays as it is, to a
// new one: every document that decodes, with names, histories and counts made anew. Without
// the positions of hosts, so that each is asked to compare what it has when it delivers next.
func Repair(from, to string) (r Repaired, err error) {
	f, closeFile, err := openRaw(from)
	if err != nil {
		return r, err
	}
	defer closeFile()
	db, err := bolt.Open(to, 0o600, &bolt.Options{Timeout: lockTimeout, NoSync: true, NoFreelistSync: true})
	if err != nil {
		return r, errors.Join(classify("create", to, err), removeIfThere(to))
	}
	s := &salvage{db: db, result: &r}
	err = db.Update(createBuckets)
	if err == nil {
		err = s.copy(f)
	}
	if err == nil {
		err = s.derive()
	}
	if err == nil {
		err = db.Sync()
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return r, errors.Join(classify("write", to, err), removeIfThere(to))
	}
	return r, nil
}

// salvage copies entries into a new file.
type salvage struct {
	db     *bolt.DB
	result *Repaired
	batch  []pair
	err    error
}

func (s *salvage) lose(format string, args ...any) {
	if len(s.result.Lost) < maxFindings {
		s.result.Lost = append(s.result.Lost, fmt.Sprintf(format, args...))
	}
}

// copy brings over what the tree leads to, and what it does not lead to any more. Of that
// only what retention cannot have removed: it would come to life again.
func (s *salvage) copy(f *boltfile.File) error {
	var expired []byte
	for _, b := range f.Buckets() {
		switch b.Name {
		case string(bucketMeta):
			f.Walk(b, func(k, v []byte) bool {
				if bytes.Equal(k, metaExpired) {
					expired = bytes.Clone(v)
				}
				return true
			})
		case string(bucketLog):
			f.Walk(b, func(k, v []byte) bool { return s.take(k, v, true) })
		}
	}
	s.flush()
	reached := s.result.Kept
	s.result.Lost = append(s.result.Lost, f.Problems()...)
	if len(f.Problems()) > 0 {
		f.Stray(func(k, v []byte) {
			if bytes.Compare(k, expired) > 0 && s.err == nil {
				s.take(k, v, false)
			}
		})
	}
	s.flush()
	s.result.Strayed = s.result.Kept - reached
	return s.err
}

// take keeps an entry if it is good. What is not is told where it stood in its place.
func (s *salvage) take(k, v []byte, told bool) bool {
	if _, err := sound(k, v); err != nil {
		if told {
			s.lose("entry %s: %v", clipKey(k), err)
		}
		return true
	}
	if s.batch = append(s.batch, pair{bytes.Clone(k), bytes.Clone(v)}); len(s.batch) >= repairBatch {
		s.flush()
	}
	return s.err == nil
}

func clipKey(k []byte) []byte { return k[:min(len(k), 120)] }

func (s *salvage) flush() {
	if s.err != nil || len(s.batch) == 0 {
		return
	}
	added := uint64(0)
	s.err = s.db.Update(func(tx *bolt.Tx) error {
		log := tx.Bucket(bucketLog)
		for _, p := range s.batch {
			if log.Get(p.k) != nil {
				continue // an entry never changes: it is the same
			}
			if err := log.Put(p.k, p.v); err != nil {
				return err
			}
			added++
		}
		return nil
	})
	s.result.Kept += added
	s.batch = s.batch[:0]
}

// derive makes histories, names and counts of the log.
func (s *salvage) derive() error {
	names := map[string]store.Key{}
	var from []byte
	for done := false; !done; {
		err := s.db.Update(func(tx *bolt.Tx) error {
			log := tx.Bucket(bucketLog)
			pairs := batchFrom(log, from)
			done = len(pairs) < repairBatch
			for _, p := range pairs {
				e, err := decodeEntry(p.k, p.v)
				if err != nil {
					return err
				}
				id := string(nameKey(e.Document.Name))
				if prev := names[id]; prev != prevOf(p.v) {
					_, body, _ := bytes.Cut(p.v, []byte("\n"))
					if err := log.Put(p.k, append([]byte(string(prev)+"\n"), body...)); err != nil {
						return err
					}
				}
				names[id] = e.Key
				from = p.k
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return s.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(bucketNames)
		ids := make([]string, 0, len(names))
		for id := range names {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		for _, id := range ids {
			if err := b.Put([]byte(id), name{newest: names[id]}.append(nil)); err != nil {
				return err
			}
		}
		return counts{s.result.Kept, uint64(len(names))}.write(tx)
	})
}

// batchFrom copies the next entries behind a key.
func batchFrom(b *bolt.Bucket, from []byte) (pairs []pair) {
	c := b.Cursor()
	k, v := c.Seek(from)
	if from != nil && bytes.Equal(k, from) {
		k, v = c.Next()
	}
	for ; k != nil && len(pairs) < repairBatch; k, v = c.Next() {
		pairs = append(pairs, pair{bytes.Clone(k), bytes.Clone(v)})
	}
	return pairs
}
