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

const testPage = 4096

// place is where a page of a healthy file begins.
func place(id uint64) int { return int(id) * testPage }

// TestSound tells what would keep bbolt busy for ever, or end the process, from what it copes with.
func TestSound(t *testing.T) {
	good := filled(t, 300)
	meta := open(t, good).meta
	root := open(t, good).Buckets()[0].root
	child := root
	for order.Uint16(good[place(child)+8:]) == flagBranch {
		child = order.Uint64(good[place(child)+pageHeader+8:])
	}
	for _, c := range []struct {
		what    string
		unsound bool
		spoil   func(raw []byte)
	}{
		{"nothing", false, func([]byte) {}},
		{"the older meta page", false, func(raw []byte) { clear(raw[place((meta.txid+1)%2):][:testPage]) }},
		{"a list of free pages that is four billion pages long", true, func(raw []byte) { order.PutUint32(raw[place(meta.freelist)+12:], 1<<32-1) }},
		{"as many free pages as there are numbers", true, func(raw []byte) {
			order.PutUint16(raw[place(meta.freelist)+10:], 0xffff)
			order.PutUint64(raw[place(meta.freelist)+pageHeader:], 1<<40)
		}},
		{"a free page beyond the end", true, func(raw []byte) { order.PutUint64(raw[place(meta.freelist)+pageHeader:], 1<<40) }},
		{"a free page that is in use", true, func(raw []byte) { order.PutUint64(raw[place(meta.freelist)+pageHeader:], child) }},
		{"a page that is free twice", true, func(raw []byte) {
			list := raw[place(meta.freelist)+pageHeader:]
			copy(list[8:16], list[:8])
		}},
		{"a list that is none", true, func(raw []byte) { raw[place(meta.freelist)+8] = flagLeaf }},
		{"a branch that leads to itself", true, func(raw []byte) { order.PutUint64(raw[place(root)+pageHeader+8:], root) }},
		{"a branch that leads nowhere", true, func(raw []byte) { order.PutUint16(raw[place(root)+10:], 0) }},
		{"a leaf that is four billion pages long", true, func(raw []byte) { order.PutUint32(raw[place(child)+12:], 1<<32-1) }},
		{"a leaf that covers another", true, func(raw []byte) { raw[place(child)+12]++ }},
		{"a leaf that is another page", true, func(raw []byte) { raw[place(child)]++ }},
	} {
		raw := bytes.Clone(good)
		c.spoil(raw)
		for _, each := range []bool{false, true} {
			err := Sound(bytes.NewReader(raw), int64(len(raw)), each)
			if errors.Is(err, ErrUnsound) != c.unsound || (err != nil) != c.unsound {
				t.Errorf("%s: got %v (each element: %v)", c.what, err, each)
			}
		}
	}
	raw := bytes.Clone(good)
	order.PutUint32(raw[place(child)+pageHeader+4:], 1<<30)
	if err := Sound(bytes.NewReader(raw), int64(len(raw)), true); !errors.Is(err, ErrUnsound) {
		t.Errorf("an element far behind its leaf: got %v", err)
	}
	if err := Sound(bytes.NewReader(raw), int64(len(raw)), false); err != nil {
		t.Errorf("only headers are looked at: got %v", err)
	}
}

// TestSoundAnywhere spoils headers and lists at random, and must come to an end.
func TestSoundAnywhere(t *testing.T) {
	good := filled(t, 150)
	random := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		raw := bytes.Clone(good)
		for range 1 + random.IntN(3) {
			raw[place(uint64(2+random.IntN(len(raw)/testPage-2)))+random.IntN(48)] = byte(random.Uint32())
		}
		_ = Sound(bytes.NewReader(raw), int64(len(raw)), random.IntN(2) == 0)
	}
}

// TestSoundStates changes a file at random, and finds nothing wrong with any state of it: not with one whose
// last change stopped before its first page was written, nor where bbolt does not keep what is free.
func TestSoundStates(t *testing.T) {
	for seed := range uint64(3) {
		random := rand.New(rand.NewPCG(seed, 6))
		path := filepath.Join(t.TempDir(), "x.db")
		db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true, NoFreelistSync: seed == 2, InitialMmapSize: int(seed) << 20})
		if err != nil {
			t.Fatal(err)
		}
		var before []byte
		for step := range 40 {
			if err := db.Update(func(tx *bolt.Tx) error { return changeAtRandom(tx, random) }); err != nil {
				t.Fatal(err)
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			stopped := append(bytes.Clone(before), raw[len(before):]...)
			if before != nil {
				copy(stopped[2*testPage:], raw[2*testPage:])
			}
			before = raw
			for what, state := range map[string][]byte{"whole": raw, "stopped": stopped, "longer": append(bytes.Clone(raw), make([]byte, 3*testPage)...)} {
				for _, each := range []bool{false, true} {
					if err := Sound(bytes.NewReader(state), int64(len(state)), each); err != nil {
						t.Fatalf("seed %d, step %d, %s, each element %v: %v", seed, step, what, each, err)
					}
				}
			}
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

// changeAtRandom puts and deletes keys with short and long values, and buckets within buckets.
func changeAtRandom(tx *bolt.Tx, random *rand.Rand) error {
	top := fmt.Appendf(nil, "bucket%d", random.IntN(3))
	if random.IntN(12) == 0 && tx.Bucket(top) != nil {
		return tx.DeleteBucket(top)
	}
	b, err := tx.CreateBucketIfNotExists(top)
	if err == nil && random.IntN(2) == 0 {
		b, err = b.CreateBucketIfNotExists([]byte("inner"))
	}
	for range random.IntN(600) {
		key := fmt.Appendf(nil, "key%04d", random.IntN(2000))
		if random.IntN(3) == 0 {
			err = errors.Join(err, b.Delete(key))
		} else {
			err = errors.Join(err, b.Put(key, make([]byte, random.IntN(80)<<random.IntN(9))))
		}
	}
	return err
}
