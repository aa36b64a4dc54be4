package bolt

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// TestReadAhead asks the kernel what it knows of how the file is read, while all of it is and later.
func TestReadAhead(t *testing.T) {
	s, err := Open(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !readsAtRandom(t, s.path) {
		t.Error("the kernel reads ahead once the store is open")
	}
	err = s.view(func(_ *bolt.DB, tx *bolt.Tx) error {
		end := readAhead(tx)
		if readsAtRandom(t, s.path) {
			t.Error("the kernel does not read ahead")
		}
		end()
		return nil
	})
	if err != nil || !readsAtRandom(t, s.path) {
		t.Errorf("the kernel goes on to read ahead: %v", err)
	}
}

// TestAround reads here and there: each block is asked for once, before something of it is read.
func TestAround(t *testing.T) {
	raw := make([]byte, 3*aroundBlock+100)
	raw[aroundBlock+7], raw[len(raw)-1] = 1, 2
	var hints []int64
	a := &around{bytes.NewReader(raw), func(at, size int64) { hints = append(hints, at, at+size) }, make([]bool, 4)}
	for _, at := range []int{aroundBlock + 7, len(raw) - 1, aroundBlock + 7, 2*aroundBlock - 1, 9 * aroundBlock} {
		got := make([]byte, 1)
		if n, err := a.ReadAt(got, int64(at)); at < len(raw) && (n != 1 || err != nil || got[0] != raw[at]) || at >= len(raw) && err == nil {
			t.Errorf("at %d: %v, %d bytes, %v", at, got, n, err)
		}
	}
	slices.Sort(hints)
	bounds := slices.Compact(hints) // of parts that lie side by side
	parts := aroundBlock / aroundHint
	if len(hints) != 4*parts || len(bounds) != 2*parts+2 || bounds[0] != aroundBlock || bounds[parts] != 2*aroundBlock || bounds[parts+1] != 3*aroundBlock {
		t.Errorf("it asked for %v", bounds)
	}
}

// readsAtRandom says whether all memory that a file is mapped to is marked as read at random.
func readsAtRandom(t *testing.T, path string) bool {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	_, all, found := strings.Cut(string(maps), filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path)+"\n")
	_, flags, marked := strings.Cut(all, "\nVmFlags: ")
	if flags, _, _ = strings.Cut(flags, "\n"); !found || !marked {
		t.Fatalf("%s is not mapped", path)
	}
	return slices.Contains(strings.Fields(flags), "rr")
}
