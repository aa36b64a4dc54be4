package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cassini/manager/store"
	"cassini/manager/store/storetest"
	"cassini/model"

	bolt "go.etcd.io/bbolt"
)

// written is the file of a log with histories, progress and things that are gone.
func written(t testing.TB) string {
	t.Helper()
	s, err := Open(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 400 {
		d := storetest.Doc(fmt.Sprintf("host%d", i%9), "p", fmt.Sprint(i%37), i)
		d.Progress = i%3 == 0
		gone := storetest.Doc("h", "gone", fmt.Sprint(i%5), i)
		if i%2 == 0 {
			gone.Body = nil
		}
		if _, err := s.Append(t.Context(), []model.Document{d, gone}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s.path
}

// content is what a store answers.
func content(t *testing.T, path string) (log, latest []string) {
	t.Helper()
	s, err := Open(Config{Dir: filepath.Dir(path)})
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range s.Range(t.Context(), "", "") {
		log = append(log, fmt.Sprint(e.Key, e.Document, err))
	}
	for e, err := range s.Latest(t.Context(), store.Filter{}) {
		latest = append(latest, fmt.Sprint(e.Key, e.Document, err))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	verify(t, path)
	return log, latest
}

// repaired is what Repair makes of a file, in a directory of its own.
func repaired(t *testing.T, from string) (Repaired, string) {
	t.Helper()
	to := filepath.Join(t.TempDir(), FileName)
	r, err := Repair(from, to)
	if err != nil {
		t.Fatal(err)
	}
	return r, to
}

func TestRepairOfWhatIsGood(t *testing.T) {
	path := written(t)
	log, latest := content(t, path)
	r, to := repaired(t, path)
	log2, latest2 := content(t, to)
	if fmt.Sprint(log) != fmt.Sprint(log2) || fmt.Sprint(latest) != fmt.Sprint(latest2) || len(r.Lost) > 0 || r.Kept != uint64(len(log)) || r.Strayed != 0 {
		t.Errorf("%+v; %d entries became %d, %d names %d", r, len(log), len(log2), len(latest), len(latest2))
	}
}

// edit changes a file behind the store's back.
func edit(t *testing.T, path string, change func(tx *bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestCheckComparesWithTheLog breaks what is derived, one by one; a repair mends it.
func TestCheckComparesWithTheLog(t *testing.T) {
	good, err := os.ReadFile(written(t))
	if err != nil {
		t.Fatal(err)
	}
	first := func(tx *bolt.Tx, bucket []byte) (k, v []byte) { return tx.Bucket(bucket).Cursor().First() }
	for name, tc := range map[string]struct {
		change func(tx *bolt.Tx) error
		want   string
	}{
		"a document": {func(tx *bolt.Tx) error {
			k, _ := first(tx, bucketLog)
			return tx.Bucket(bucketLog).Put(k, []byte("\n{"))
		}, "cannot be decoded"},
		"a key": {func(tx *bolt.Tx) error {
			_, v := first(tx, bucketLog)
			return tx.Bucket(bucketLog).Put([]byte("2020"), v)
		}, "invalid log key"},
		"another's key": {func(tx *bolt.Tx) error {
			_, v := first(tx, bucketLog)
			return tx.Bucket(bucketLog).Put([]byte("2020-01-01.00:00:00.000000.p.x"), v)
		}, "it holds a document of"},
		"a history": {func(tx *bolt.Tx) error {
			k, v := tx.Bucket(bucketLog).Cursor().Last()
			_, doc, _ := bytes.Cut(v, []byte("\n"))
			return tx.Bucket(bucketLog).Put(k, append([]byte("2020-01-01.00:00:00.000000.p.x\n"), doc...))
		}, "its history leads to"},
		"a name": {func(tx *bolt.Tx) error { k, _ := first(tx, bucketNames); return tx.Bucket(bucketNames).Delete(k) }, "not among the names"},
		"its entry": {func(tx *bolt.Tx) error {
			k, _ := first(tx, bucketNames)
			return tx.Bucket(bucketNames).Put(k, []byte("2020"))
		}, `by the names it is "2020"`},
		"no name":   {func(tx *bolt.Tx) error { return tx.Bucket(bucketNames).Put([]byte("x"), []byte("y")) }, `among the names is "x"`},
		"counts":    {func(tx *bolt.Tx) error { return counts{1, 2}.write(tx) }, "the counts are 1 entries and 2 names"},
		"no counts": {func(tx *bolt.Tx) error { return tx.Bucket(bucketMeta).Delete(metaCounts) }, "the counts are missing"},
		"format":    {func(tx *bolt.Tx) error { return tx.Bucket(bucketMeta).Put(metaVersion, []byte("7")) }, `the format is "7"`},
		"a bucket":  {func(tx *bolt.Tx) error { return tx.DeleteBucket(bucketNames) }, `bucket "names" is missing`},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), FileName)
			if err := os.WriteFile(path, good, 0o600); err != nil {
				t.Fatal(err)
			}
			edit(t, path, tc.change)
			report, err := Check(path)
			if err != nil || !strings.Contains(strings.Join(report.Problems, "; "), tc.want) {
				t.Errorf("%q, %v", report.Problems, err)
			}
			_, to := repaired(t, path)
			content(t, to)
		})
	}
}

// TestRepairOfDamageAnywhere overwrites and cuts files at random: neither check nor repair
// panics, what is repaired is a good store, and it holds nothing that never was.
func TestRepairOfDamageAnywhere(t *testing.T) {
	path := written(t)
	log, _ := content(t, path)
	was := map[string]bool{}
	for _, e := range log {
		was[e] = true
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	hopeless, kept, all := 0, 0, 0
	for range 25 {
		raw := bytes.Clone(good)
		for range 1 + rnd.IntN(3) {
			at := rnd.IntN(len(raw))
			for i := range min(1+rnd.IntN(200), len(raw)-at) {
				raw[at+i] = byte(rnd.Uint32())
			}
		}
		if rnd.IntN(4) == 0 {
			raw = raw[:rnd.IntN(len(raw))]
		}
		damaged := filepath.Join(t.TempDir(), FileName)
		if err := os.WriteFile(damaged, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Check(damaged); err != nil {
			if !errors.Is(err, store.ErrCorrupt) {
				t.Fatal(err)
			}
			hopeless++
			continue
		}
		_, to := repaired(t, damaged)
		got, _ := content(t, to)
		all, kept = all+len(log), kept+len(got)
	}
	t.Logf("%d of 25 were beyond repair; of the others %d of %d entries were kept", hopeless, kept, all)
	if kept < all*6/10 {
		t.Error("too little is kept")
	}
}

// TestSnapshotUnderLoad restores what was read while others wrote: what was acknowledged
// before stands in it.
func TestSnapshotUnderLoad(t *testing.T) {
	s, err := Open(Config{Dir: t.TempDir(), MaxAge: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	for w := range 4 {
		writing.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if _, err := s.Append(context.WithoutCancel(ctx), []model.Document{storetest.Doc("load", "p", fmt.Sprint(w), i)}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for round := range 5 {
		if _, err := s.Append(t.Context(), []model.Document{storetest.Doc("mark", "p", fmt.Sprintf("round-%d.", round), round)}); err != nil {
			t.Fatal(err)
		}
		p, err := s.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), FileName)
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(p.Write(f), f.Close(), p.Close()); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Size() != p.Size {
			t.Errorf("%d bytes, said were %d, %v", info.Size(), p.Size, err)
		}
		_, latest := content(t, path)
		if !strings.Contains(strings.Join(latest, "\n"), fmt.Sprintf("round-%d.", round)) {
			t.Errorf("what was acknowledged before is missing in %d", round)
		}
	}
	stop()
	writing.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Snapshot(); !errors.Is(err, store.ErrClosed) {
		t.Errorf("of a closed store: %v", err)
	}
	verify(t, s.path)
}

func TestCompact(t *testing.T) {
	s, err := Open(Config{Dir: t.TempDir(), MaxAge: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		if _, err := s.Append(t.Context(), []model.Document{big(fmt.Sprint(i % 5))}); err != nil {
			t.Fatal(err)
		}
	}
	for range 200 {
		if _, err := s.Append(t.Context(), []model.Document{storetest.Doc("h", "p", "x", 1)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	log, latest := content(t, s.path)
	before, after, err := Compact(s.path)
	if err != nil || after > before/2 {
		t.Errorf("%d bytes became %d, %v", before, after, err)
	}
	log2, latest2 := content(t, s.path)
	if fmt.Sprint(log) != fmt.Sprint(log2) || fmt.Sprint(latest) != fmt.Sprint(latest2) {
		t.Error("the content has changed")
	}
	edit(t, s.path, func(tx *bolt.Tx) error { return counts{1, 2}.write(tx) })
	if _, _, err := Compact(s.path); !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), "cassini store repair") {
		t.Errorf("of a damaged one: %v", err)
	}
	if _, err := os.Stat(s.path + ".compact"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is left: %v", err)
	}
}

func TestReplaceKeepsWhatWas(t *testing.T) {
	dir := t.TempDir()
	path, with := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for name, text := range map[string]string{path: "old", with: "new"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := Replace(path, with, "damaged", time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC))
	if err != nil || kept != path+".damaged-20261120T120000Z" {
		t.Fatalf("%s, %v", kept, err)
	}
	for name, want := range map[string]string{path: "new", kept: "old"} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
