package keptfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
)

var bucket = []byte("things")

const remedy = "move it away"

// written is a file with some things in it.
func written(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "kept.db")
	f, err := Open(path, remedy, bucket)
	if err != nil {
		t.Fatal(err)
	}
	err = f.Update(func(tx *bolt.Tx) error {
		var errs []error
		for n := range 400 {
			errs = append(errs, tx.Bucket(bucket).Put(fmt.Append(nil, n), bytes.Repeat([]byte("x"), 90)))
		}
		return errors.Join(errs...)
	})
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// use opens a file, reads all of it, writes and closes it.
func use(path string) error {
	f, err := Open(path, remedy, bucket)
	if err != nil {
		return err
	}
	read := f.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(_, v []byte) error {
			if bytes.Count(v, []byte("x")) != len(v) {
				return ErrDamaged
			}
			return nil
		})
	})
	put := f.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucket).Put([]byte("1"), nil) })
	p, err := f.Snapshot()
	if err == nil {
		err = errors.Join(p.Write(io.Discard), p.Close())
	}
	return errors.Join(read, put, err, f.Close())
}

// TestDamage looks at files of which much or little is broken: none ends the process, and each
// is named with what to do.
func TestDamage(t *testing.T) {
	path := written(t)
	if err := use(path); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	bad := map[string][]byte{
		"garbage": bytes.Repeat([]byte("?"), len(raw)), "cut short": raw[:5*page], "within a page": raw[:5000], "a few bytes": raw[:100],
		"all but its beginning": append(bytes.Clone(raw[:2*page]), bytes.Repeat([]byte("?"), len(raw)-2*page)...),
	}
	found := 0
	for seed := range uint64(150) {
		random, one := rand.New(rand.NewPCG(seed, 3)), bytes.Clone(raw)
		for range 1 + random.IntN(64) {
			one[2*page+random.IntN(len(one)-2*page)] = byte(random.Uint32())
		}
		bad[fmt.Sprint("seed ", seed)] = one
	}
	for seed := range uint64(300) { // what says how many pages belong together, and which are free
		random, one := rand.New(rand.NewPCG(seed, 5)), bytes.Clone(raw)
		for range 1 + random.IntN(4) {
			one[page*(2+random.IntN(len(one)/page-2))+random.IntN(32)] = byte(random.Uint32())
		}
		bad[fmt.Sprint("seed of headers ", seed)] = one
	}
	for what, content := range bad {
		path := filepath.Join(t.TempDir(), "kept.db")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		err := use(path)
		if err != nil {
			found++
		}
		random := strings.HasPrefix(what, "seed") // may have hit what is not used
		if err == nil && !random || err != nil && (!strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "; ")) {
			t.Errorf("%s: got %v", what, err)
		}
		if err != nil && !random && (!errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "; "+remedy)) {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if found < 50 {
		t.Errorf("of %d files %d were found to be damaged", len(bad), found)
	}
}

// TestReadOnly opens a file whose buckets are there, and must not write: its disk may be full.
func TestReadOnly(t *testing.T) {
	path := written(t)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Open(path, remedy, bucket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, remedy, bucket); err == nil || !strings.Contains(err.Error(), "another program has it open") {
		t.Errorf("opened twice: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("%v, or it was written to", err)
	}
}

// TestBrokenOff has bbolt panic at a change, and again as it takes that back, which leaves its lock
// locked: what comes next is told so, and does not wait for ever.
func TestBrokenOff(t *testing.T) {
	path := written(t)
	f, err := Open(path, remedy, bucket)
	if err != nil {
		t.Fatal(err)
	}
	spoilFreelists(t, path)
	first := f.Update(func(*bolt.Tx) error { panic("?") })
	next := f.Update(func(*bolt.Tx) error { return nil })
	for _, err := range []error{first, next} {
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "; "+remedy) {
			t.Errorf("got %v", err)
		}
	}
	if err := f.View(func(*bolt.Tx) error { return nil }); err != nil {
		t.Errorf("it cannot be read any more: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// TestLongPage opens a file whose list of free pages says that it is four billion pages long: bbolt notes
// each of them as free at the first change.
func TestLongPage(t *testing.T) {
	path := written(t)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(raw); at += os.Getpagesize() {
		if raw[at+8] == 0x10 { // a list of free pages
			copy(raw[at+12:], "\xff\xff\xff\xff")
		}
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, remedy, bucket); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "; "+remedy) {
		t.Errorf("got %v", err)
	}
}

// spoilFreelists makes pages that list free ones say that they are something else.
func spoilFreelists(t *testing.T, path string) {
	t.Helper()
	const flags, freelist = 8, 0x10 // of a page's header
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := flags; at < len(raw); at += os.Getpagesize() {
		if raw[at] == freelist {
			raw[at] = 0
		}
	}
	if err := writeOver(path, raw); err != nil {
		t.Fatal(err)
	}
}

// writeOver writes into a file that is mapped, which must not get shorter.
func writeOver(path string, raw []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(raw, 0)
	return errors.Join(err, f.Close())
}

// TestWriterOfSnapshotFails is told of who reads a snapshot, not of the file.
func TestWriterOfSnapshotFails(t *testing.T) {
	f, err := Open(filepath.Join(t.TempDir(), "kept.db"), remedy, bucket)
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	_ = r.CloseWithError(errors.New("the reader has gone"))
	if err := p.Write(w); err == nil || !strings.Contains(err.Error(), "the reader has gone") || strings.Contains(err.Error(), "file system") {
		t.Errorf("got %v", err)
	}
	if err := errors.Join(p.Close(), f.Close()); err != nil {
		t.Error(err)
	}
}
