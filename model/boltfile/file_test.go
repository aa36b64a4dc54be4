package boltfile

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// filled is a file of bbolt's own with small and large values and buckets of both kinds.
func filled(t testing.TB, keys int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		err = db.Update(func(tx *bolt.Tx) error {
			big, err := tx.CreateBucketIfNotExists([]byte("big"))
			if err != nil {
				return err
			}
			small, err := tx.CreateBucketIfNotExists([]byte("small"))
			if err != nil {
				return err
			}
			for i := range keys {
				if err := big.Put(fmt.Appendf(nil, "key%06d", i), bytes.Repeat([]byte{byte(i), byte(round)}, 20+i%7*500)); err != nil {
					return err
				}
			}
			inner, err := small.CreateBucketIfNotExists([]byte("inner"))
			if err != nil {
				return err
			}
			if err := inner.Put([]byte("two"), []byte("2")); err != nil {
				return err
			}
			return small.Put([]byte("one"), []byte("1"))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func open(t testing.TB, raw []byte) *File {
	t.Helper()
	f, err := Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestReadsWhatBoltWrote(t *testing.T) {
	raw := filled(t, 1500)
	f := open(t, raw)
	n := 0
	for _, b := range f.Buckets() {
		f.Walk(b, func(k, v []byte) bool {
			if b.Name == "small" {
				return true
			}
			if want := bytes.Repeat([]byte{byte(n), 2}, 20+n%7*500); string(k) != fmt.Sprintf("key%06d", n) || !bytes.Equal(v, want) {
				t.Fatalf("key %d is %q, with %d bytes", n, k, len(v))
			}
			n++
			return true
		})
	}
	if n != 1500 || len(f.Problems()) != 0 {
		t.Errorf("%d keys, problems %q", n, f.Problems())
	}
	if got := open(t, raw).CheckAll(); got["big"] != 1500 || got["small"] != 2 || len(got) != 2 {
		t.Errorf("counts %v", got)
	}
	empty := open(t, filled(t, 0))
	if got := empty.CheckAll(); got["big"] != 0 || got["small"] != 2 || len(empty.Problems()) != 0 {
		t.Errorf("counts %v, problems %q", got, empty.Problems())
	}
}

func TestNotBolt(t *testing.T) {
	for _, raw := range [][]byte{nil, {1}, bytes.Repeat([]byte("noise"), 10_000), make([]byte, 1<<16)} {
		if _, err := Open(bytes.NewReader(raw), int64(len(raw))); !errors.Is(err, ErrNotBolt) {
			t.Errorf("%d bytes: %v", len(raw), err)
		}
	}
}

func TestOneMetaPageIsEnough(t *testing.T) {
	good := filled(t, 100)
	for at := range 2 {
		raw := bytes.Clone(good)
		clear(raw[at*4096 : at*4096+100])
		f := open(t, raw)
		if got := f.CheckAll(); got["big"] != 100 || len(f.Problems()) != 1 {
			t.Errorf("without meta page %d: %v, %q", at, got, f.Problems())
		}
	}
}

// TestStray finds keys whose branch is lost.
func TestStray(t *testing.T) {
	raw := filled(t, 1500)
	f := open(t, raw)
	root := f.Buckets()[0].root
	clear(raw[root*4096 : (root+1)*4096])
	f = open(t, raw)
	if got := f.CheckAll(); got["big"] != 0 || len(f.Problems()) == 0 {
		t.Fatalf("%v, %q", got, f.Problems())
	}
	found := map[string]bool{}
	f.Stray(func(k, _ []byte) { found[string(k)] = true })
	for i := range 1500 {
		if !found[fmt.Sprintf("key%06d", i)] {
			t.Fatalf("key %d is lost", i)
		}
	}
}

// TestDamageAnywhere overwrites and cuts at random: it is told, and never panics.
func TestDamageAnywhere(t *testing.T) {
	good := filled(t, 1500)
	rnd := rand.New(rand.NewPCG(1, 2))
	told := 0
	for range 120 {
		raw := bytes.Clone(good)
		for range 1 + rnd.IntN(4) {
			at := rnd.IntN(len(raw))
			for i := range min(1+rnd.IntN(64), len(raw)-at) {
				raw[at+i] = byte(rnd.Uint32())
			}
		}
		if rnd.IntN(3) == 0 {
			raw = raw[:rnd.IntN(len(raw))]
		}
		f, err := Open(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			told++
			continue
		}
		f.CheckAll()
		f.Stray(func(_, _ []byte) {})
		if len(f.Problems()) > 0 {
			told++
		}
	}
	if told < 15 {
		t.Errorf("only %d of 120 were noticed", told)
	}
	t.Logf("%d of 120 noticed; the others hit values and free pages", told)
}

func FuzzFile(f *testing.F) {
	f.Add(filled(f, 3), 5000, byte(7))
	f.Fuzz(func(_ *testing.T, raw []byte, at int, b byte) {
		if len(raw) > 0 {
			raw[uint(at)%uint(len(raw))] ^= b
		}
		file, err := Open(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			return
		}
		file.CheckAll()
		file.Stray(func(_, _ []byte) {})
	})
}
