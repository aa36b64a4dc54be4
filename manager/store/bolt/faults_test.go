package bolt

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cassini/manager/store"
	"cassini/manager/store/storetest"
	"cassini/model"

	"golang.org/x/sys/unix"
)

// mount mounts a small tmpfs.
func mount(t *testing.T, options string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("NEEDS ROOT: mounts a small file system to fill it")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Fatalf("mount tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func big(key string) model.Document {
	d := storetest.Doc("h", "p", key, 0)
	d.Body, _ = json.Marshal(strings.Repeat("x", 32<<10))
	return d
}

func TestFullDisk(t *testing.T) {
	dir := mount(t, "size=2m")
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 512<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; err == nil && n < 1000; n++ {
		_, err = s.Append(t.Context(), []model.Document{big(fmt.Sprint(n))})
	}
	if !errors.Is(err, store.ErrFull) {
		t.Fatalf("got %v after %d documents", err, n)
	}
	t.Log(err)
	for range 3 {
		if _, err := s.Append(t.Context(), []model.Document{big("x")}); !errors.Is(err, store.ErrFull) {
			t.Fatalf("again: %v", err)
		}
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), []model.Document{big("after")}); err != nil {
		t.Fatalf("with space again: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	verify(t, s.path)
	if s, err = Open(Config{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	names := 0
	for _, err := range s.Latest(t.Context(), store.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		names++
	}
	if names != n { // n-1 acknowledged, one refused, and the one after
		t.Errorf("%d documents, want %d", names, n)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenOnFullDiskLeavesNothingBroken(t *testing.T) {
	dir := mount(t, "size=64k")
	ballast := filepath.Join(dir, "ballast")
	_ = os.WriteFile(ballast, make([]byte, 1<<20), 0o600) // as much as fits
	_, err := Open(Config{Dir: dir})
	if !errors.Is(err, store.ErrFull) {
		t.Fatalf("got %v", err)
	}
	t.Log(err)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	s, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpenReadOnly(t *testing.T) {
	dir := mount(t, "size=1m")
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{dir, filepath.Join(dir, "sub")} {
		_, err := Open(Config{Dir: d})
		if !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("%s: %v", d, err)
		}
		t.Log(err)
	}
}

func TestOpenWhereAFileIs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{file, filepath.Join(file, "sub")} {
		_, err := Open(Config{Dir: d})
		if err == nil || !strings.Contains(err.Error(), "is a file") {
			t.Errorf("%s: %v", d, err)
		}
	}
}

// filled is the content of a healthy file.
func filled(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		docs := []model.Document{big(fmt.Sprint("big", i))}
		for j := range 50 {
			docs = append(docs, storetest.Doc("h", "p", fmt.Sprint(j), i))
		}
		if _, err := s.Append(t.Context(), docs); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func openDamaged(t *testing.T, data []byte) error {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, FileName), data, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(Config{Dir: dir})
	if err != nil {
		return err
	}
	for _, err = range s.Range(t.Context(), "", "") {
		if err != nil && !errors.Is(err, store.ErrBadEntry) {
			break
		}
	}
	if err == nil {
		_, err = s.Append(t.Context(), []model.Document{storetest.Doc("h", "p", "a", 1)})
	}
	return errors.Join(err, s.Close())
}

func TestOpenDamaged(t *testing.T) {
	good := filled(t)
	for name, data := range map[string][]byte{
		"not a database": []byte(strings.Repeat("this is no database\n", 1000)),
		"few bytes":      []byte("x"),
		"empty":          {},
		"cut short":      good[:len(good)/2],
		"only the head":  good[:4096],
		"a long page":    longPages(good),
		"zeros behind":   append(append([]byte{}, good[:16384]...), make([]byte, len(good)-16384)...),
	} {
		t.Run(name, func(t *testing.T) {
			err := openDamaged(t, data)
			if !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), FileName) {
				t.Fatalf("got %v", err)
			}
			t.Log(err)
		})
	}
}

// longPages has lists of free pages say that they are four billion pages long: bbolt would note each of
// them as free at the first change.
func longPages(good []byte) []byte {
	data := append([]byte{}, good...)
	for at := 0; at < len(data); at += 4096 {
		if data[at+8] == 0x10 { // a list of free pages
			copy(data[at+12:], "\xff\xff\xff\xff")
		}
	}
	return data
}

// TestOpenRandomlyDamaged spoils pages at random: whatever comes of it, the
// process lives.
func TestOpenRandomlyDamaged(t *testing.T) {
	good := filled(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	found := 0
	for range 60 {
		data := append([]byte{}, good...)
		page := 4096 * (2 + rnd.IntN(len(data)/4096-2))
		for i := range 64 {
			data[page+i] = byte(rnd.Uint32())
		}
		if err := openDamaged(t, data); errors.Is(err, store.ErrCorrupt) {
			found++
		} else if err != nil {
			t.Errorf("other error: %v", err)
		}
	}
	if found == 0 {
		t.Error("no damage was noticed")
	}
	t.Logf("%d of 60 noticed; the others hit free pages or texts", found)
}
