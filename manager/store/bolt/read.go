package bolt

import (
	"bytes"
	"context"
	"iter"
	"runtime"
	"sync"

	"cassini/manager/store"
	"cassini/model"

	bolt "go.etcd.io/bbolt"
)

// One step of a walk reads at most so much in one transaction.
const (
	stepEntries = 512
	stepBytes   = 1 << 20
	stepLooks   = 16_000 // entries or names, of which it may want none
)

// pair is one entry as it lies in the file, copied out of it.
type pair struct{ k, v []byte }

// step reads pairs behind a position and returns the position for the next step,
// nil at the end.
type step func(tx *bolt.Tx, pos []byte, take func(k, v []byte) bool) (next []byte)

// walk yields what the steps read, between transactions.
func (s *Store) walk(ctx context.Context, pos []byte, f step) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		for pos := pos; pos != nil; {
			var pairs []pair
			err := ctx.Err()
			if err == nil {
				pairs, pos, err = s.readStep(pos, f)
			}
			if err != nil {
				yield(store.Entry{}, err)
				return
			}
			for _, d := range decodeAll(pairs) {
				if !yield(d.entry, d.err) {
					return
				}
			}
		}
	}
}

// decoded is what decodeEntry gave.
type decoded struct {
	entry store.Entry
	err   error
}

// decodeApart is how many entries are worth a goroutine of their own.
const decodeApart = 64

// decodeAll decodes entries on all processors, in their order.
func decodeAll(pairs []pair) []decoded {
	list := make([]decoded, len(pairs))
	inParts(len(pairs), func(from, end int) {
		for i := from; i < end; i++ {
			list[i].entry, list[i].err = decodeEntry(pairs[i].k, pairs[i].v)
		}
	})
	return list
}

// inParts does something with entries from one on and before another, on all processors.
func inParts(n int, do func(from, end int)) {
	part := max(decodeApart, (n+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	var others sync.WaitGroup
	for from := part; from < n; from += part {
		others.Go(func() { do(from, min(from+part, n)) })
	}
	do(0, min(part, n))
	others.Wait()
}

func (s *Store) readStep(pos []byte, f step) (pairs []pair, next []byte, err error) {
	size := 0
	err = s.view(func(_ *bolt.DB, tx *bolt.Tx) error {
		next = f(tx, pos, func(k, v []byte) bool {
			pairs = append(pairs, pair{bytes.Clone(k), bytes.Clone(v)})
			size += len(k) + len(v)
			return len(pairs) < stepEntries && size < stepBytes
		})
		next = bytes.Clone(next)
		return nil
	})
	return pairs, next, err
}

// Range implements store.Store.
func (s *Store) Range(ctx context.Context, after, until store.Key) iter.Seq2[store.Entry, error] {
	return s.walk(ctx, append([]byte{}, after...), func(tx *bolt.Tx, pos []byte, take func(k, v []byte) bool) []byte {
		return rangeStep(tx, pos, until, take)
	})
}

// rangeStep takes entries behind a key, up to and with another.
func rangeStep(tx *bolt.Tx, after []byte, until store.Key, take func(k, v []byte) bool) []byte {
	c := tx.Bucket(bucketLog).Cursor()
	k, v := c.Seek(after)
	if k != nil && bytes.Equal(k, after) {
		k, v = c.Next()
	}
	for ; k != nil && (until == "" || store.Key(k) <= until); k, v = c.Next() {
		if !take(k, v) {
			return k
		}
	}
	return nil
}

// Latest implements store.Store.
func (s *Store) Latest(ctx context.Context, f store.Filter) iter.Seq2[store.Entry, error] {
	var prefix []byte
	if f.Host != "" {
		prefix = []byte(f.Host + "\x00")
	}
	return s.walk(ctx, append([]byte{}, prefix...), func(tx *bolt.Tx, pos []byte, take func(k, v []byte) bool) []byte {
		log := tx.Bucket(bucketLog)
		c := tx.Bucket(bucketNames).Cursor()
		looks := 0
		for k, v := c.Seek(pos); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			if looks++; looks > stepLooks {
				return k
			}
			if name, ok := parseNameKey(k); !ok || !f.Match(name) {
				continue
			}
			key := []byte(parseName(v).newest)
			if !take(key, log.Get(key)) {
				return append(bytes.Clone(k), 0) // the first key behind it
			}
		}
		return nil
	})
}

// History implements store.Store.
func (s *Store) History(ctx context.Context, f store.Filter, before store.Key) iter.Seq2[store.Entry, error] {
	if before == "" {
		before = "\xff"
	}
	if f.Host != "" && f.Package != "" && f.Key != "" {
		return s.walk(ctx, []byte(before), nameHistory(f, before))
	}
	return s.walk(ctx, []byte(before), func(tx *bolt.Tx, pos []byte, take func(k, v []byte) bool) []byte {
		c := tx.Bucket(bucketLog).Cursor()
		step := c.Prev
		if k, _ := c.Seek(pos); k == nil {
			step = c.Last
		}
		k, v := step()
		for looks := 0; k != nil; k, v = c.Prev() {
			if looks++; matches(f, k, v) && !take(k, v) || looks > stepLooks {
				return k
			}
		}
		return nil
	})
}

// matches decodes only what the key does not rule out.
func matches(f store.Filter, k, v []byte) bool {
	pkg, host, err := store.Key(k).Split()
	if err != nil || f.Host != "" && host != f.Host || f.Package != "" && pkg != f.Package {
		return false
	}
	if f.Key == "" {
		return true
	}
	e, err := decodeEntry(k, v)
	return err == nil && f.Match(e.Document.Name)
}

// nameHistory follows the list of one name's entries. The position is the key of
// the entry to read next, or the bound where the list begins.
func nameHistory(f store.Filter, before store.Key) step {
	return func(tx *bolt.Tx, pos []byte, take func(k, v []byte) bool) []byte {
		log := tx.Bucket(bucketLog)
		key := store.Key(pos)
		if key == before {
			key = parseName(tx.Bucket(bucketNames).Get(nameKey(model.Name(f)))).newest
		}
		for v := log.Get([]byte(key)); v != nil; v = log.Get([]byte(key)) {
			prev := prevOf(v)
			if key < before && !take([]byte(key), v) {
				return []byte(prev)
			}
			key = prev
		}
		return nil
	}
}
