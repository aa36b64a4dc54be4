package bolt

import (
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
