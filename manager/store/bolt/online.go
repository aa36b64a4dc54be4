package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cassini/manager/store"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// The log is compacted while it is written to: what is in the file is copied into another
// one, some entries at a time, and what is written meanwhile is noted by its keys. These are
// copied again, until so few are left that writers wait for the rest. Then the other file is
// made durable and takes the place of the first, whose readers finish on it. Until that
// moment the first one is whole and in use, so that a crash leaves nothing but a file to
// remove.

// Bounds of compacting while the store is open.
const (
	copiedAtOnce = 2000      // entries in one transaction of each file
	copiedBytes  = 4 << 20   // likewise
	maxTouched   = 1_000_000 // keys that are noted
	touchedLast  = 2000      // so few are copied while writers wait
	maxRounds    = 20
	roomBesides  = 16 << 20 // bytes that are left free
	retireLook   = 20 * time.Millisecond
)

// Errors of CompactOnline.
var (
	// ErrCompacting says that the store is being compacted already.
	ErrCompacting = errors.New("the document log is being compacted already")
	// ErrRestless says that more is written than can be copied.
	ErrRestless = errors.New("too much is written for the document log to be compacted now")
)

// spot is a key of a bucket.
type spot struct{ bucket, key string }

// touch notes that a key changes, while the store is compacted. The writer's lock is held.
func (s *Store) touch(bucket, key []byte) {
	if s.touched != nil && len(s.touched) <= maxTouched {
		s.touched[spot{string(bucket), string(key)}] = struct{}{}
	}
}

// takeTouched takes the keys that were noted since it was last called, and goes on noting.
func (s *Store) takeTouched() map[spot]struct{} {
	s.writing.Lock()
	defer s.writing.Unlock()
	taken := s.touched
	s.touched = make(map[spot]struct{})
	return taken
}

// CompactOnline gives space that the log does not use back to the file system, while the
// store is in use, and returns the sizes of the file before and after. It needs room for what
// is used once more. Errors wrap store.ErrFull, ErrCompacting, ErrRestless or the cause; then
// the file stays as it was.
func (s *Store) CompactOnline(ctx context.Context) (before, after int64, err error) {
	if !s.compacting.TryLock() {
		return 0, 0, ErrCompacting
	}
	defer s.compacting.Unlock()
	before, after, err = s.compactOnline(ctx)
	switch {
	case err == nil:
		s.compacted.Add(1)
		s.reclaimed.Add(uint64(max(0, before-after)))
	case ctx.Err() == nil:
		s.uncompacted.Add(1)
	}
	return before, after, err
}

func (s *Store) compactOnline(ctx context.Context) (before, after int64, err error) {
	stats, err := s.Stats()
	if err != nil {
		return 0, 0, err
	}
	before = int64(stats.FileBytes)
	if err := s.hasRoom(int64(stats.FileBytes - stats.FreeBytes)); err != nil {
		return 0, 0, err
	}
	after, err = s.compactBeside(ctx)
	return before, after, err
}

// compactBeside makes the other file, and puts it in the place of the one in use.
func (s *Store) compactBeside(ctx context.Context) (after int64, err error) {
	path := s.path + ".compact"
	if err := removeIfThere(path); err != nil {
		return 0, classify("remove", path, err)
	}
	fresh, err := openFile(path)
	if err != nil {
		return 0, errors.Join(err, removeIfThere(path))
	}
	fresh.NoSync = true // it counts once it is whole, and is made durable before
	s.takeTouched()
	err = s.guard(func() error { return s.copyAll(ctx, fresh) })
	if err == nil {
		err = s.finish(ctx, fresh, path)
	}
	if err != nil {
		s.writing.Lock()
		s.touched = nil
		s.writing.Unlock()
		return 0, errors.Join(classify("compact", s.path, err), fresh.Close(), removeIfThere(path))
	}
	info, err := os.Stat(s.path)
	if err != nil {
		return 0, classify("look at", s.path, err)
	}
	return info.Size(), nil
}

// hasRoom says whether the file system takes what is used once more.
func (s *Store) hasRoom(used int64) error {
	var fs unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(s.path), &fs); err != nil {
		return classify("look at the file system of", s.path, err)
	}
	need, free := used+used/8+roomBesides, int64(fs.Bavail)*fs.Bsize
	if free < need {
		return fmt.Errorf("compact %s: %w: it takes %d MiB beside it for a while, and %d MiB are free", s.path, store.ErrFull, need>>20, free>>20)
	}
	return nil
}

// copyAll copies all buckets, and again what has changed since, until that is little.
func (s *Store) copyAll(ctx context.Context, fresh *bolt.DB) error {
	for _, bucket := range [][]byte{bucketLog, bucketNames, bucketMeta, bucketPositions} {
		if err := s.copyBucket(ctx, fresh, bucket); err != nil {
			return err
		}
	}
	for range maxRounds {
		s.writing.Lock()
		few, many := len(s.touched) <= touchedLast, len(s.touched) > maxTouched
		s.writing.Unlock()
		if few {
			return nil
		}
		if many {
			break
		}
		if err := s.copyAgain(ctx, fresh, s.takeTouched()); err != nil {
			return err
		}
	}
	return ErrRestless
}

// copyBucket copies a bucket, some entries at a time, which may be none.
func (s *Store) copyBucket(ctx context.Context, fresh *bolt.DB, bucket []byte) error {
	from := []byte{}
	for from != nil {
		if err := s.goesOn(ctx); err != nil {
			return err
		}
		var pairs []pair
		there := false
		err := s.db.Load().View(func(tx *bolt.Tx) error {
			b := tx.Bucket(bucket)
			there = b != nil
			pairs, from = some(b, from)
			return nil
		})
		if err != nil || !there {
			return err
		}
		err = fresh.Update(func(tx *bolt.Tx) error {
			if _, err := tx.CreateBucketIfNotExists(bucket); err != nil {
				return err
			}
			for _, p := range pairs {
				if err := place(tx, bucket, p.k, p.v); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// goesOn says why compacting has to end.
func (s *Store) goesOn(ctx context.Context) error {
	select {
	case <-s.closing:
		return store.ErrClosed
	default:
		return ctx.Err()
	}
}

// some copies pairs out of a bucket that may be nil, and gives the key to go on at, or nil.
func some(b *bolt.Bucket, from []byte) (pairs []pair, next []byte) {
	if b == nil {
		return nil, nil
	}
	size := 0
	c := b.Cursor()
	for k, v := c.Seek(from); k != nil; k, v = c.Next() {
		if len(pairs) == copiedAtOnce || size > copiedBytes {
			return pairs, bytes.Clone(k)
		}
		pairs = append(pairs, pair{bytes.Clone(k), bytes.Clone(v)})
		size += len(k) + len(v)
	}
	return pairs, nil
}

// place makes a bucket have what another has under a key; nil is nothing.
func place(tx *bolt.Tx, bucket, k, v []byte) error {
	b, err := tx.CreateBucketIfNotExists(bucket)
	if err != nil {
		return err
	}
	if v == nil {
		return b.Delete(k)
	}
	b.FillPercent = 0.9
	return b.Put(k, v)
}

// copyAgain copies keys that have changed.
func (s *Store) copyAgain(ctx context.Context, fresh *bolt.DB, touched map[spot]struct{}) error {
	spots := slices.SortedFunc(maps.Keys(touched), func(a, b spot) int {
		if c := strings.Compare(a.bucket, b.bucket); c != 0 {
			return c
		}
		return strings.Compare(a.key, b.key)
	})
	for part := range slices.Chunk(spots, copiedAtOnce) {
		if err := s.goesOn(ctx); err != nil {
			return err
		}
		err := s.db.Load().View(func(old *bolt.Tx) error {
			return fresh.Update(func(tx *bolt.Tx) error {
				for _, at := range part {
					var v []byte
					if b := old.Bucket([]byte(at.bucket)); b != nil {
						v = b.Get([]byte(at.key))
					}
					if err := place(tx, []byte(at.bucket), []byte(at.key), v); err != nil {
						return err
					}
				}
				return nil
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// finish copies the rest while writers wait, makes the fresh file durable, and puts it in the
// place of the one in use.
func (s *Store) finish(ctx context.Context, fresh *bolt.DB, path string) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if len(s.touched) > maxTouched {
		return ErrRestless // not all that changed is noted
	}
	err := s.guard(func() error {
		if err := s.copyAgain(ctx, fresh, s.touched); err != nil {
			return err
		}
		return errors.Join(s.copyBucket(ctx, fresh, bucketMeta), fresh.Sync())
	})
	if err != nil {
		return err
	}
	if err := os.Rename(path, s.path); err != nil {
		return err
	}
	fresh.NoSync, s.touched = false, nil
	old := s.db.Swap(fresh)
	s.retired.Go(func() { s.retire(old) })
	if err := SyncDir(filepath.Dir(s.path)); err != nil {
		// After a crash the old file could be there again, without what is written from now on.
		s.damaged.Store(&damage{err})
	}
	return nil
}

// retire closes a file that another has taken the place of, once nobody reads it.
func (s *Store) retire(old *bolt.DB) {
	for old.Stats().OpenTxN > 0 {
		select {
		case <-s.closing:
		case <-time.After(retireLook):
			continue
		}
		break
	}
	if err := old.Close(); err != nil {
		s.cfg.Logger.Warn("the document log of before it was compacted cannot be closed", "error", err)
	}
}

// WorthCompacting says whether much of the file is not used.
func (s *Store) WorthCompacting() bool {
	stats, err := s.Stats()
	return err == nil && stats.FileBytes >= leastCompacted && 2*stats.FreeBytes > stats.FileBytes
}

// leastCompacted is the size in bytes from which on a file is worth compacting.
const leastCompacted = 64 << 20
