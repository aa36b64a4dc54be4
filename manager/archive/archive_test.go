package archive

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var manifest = Manifest{Cassini: "test", Host: "manager", Time: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)}

// made is a backup of a database and a small file.
func made(t testing.TB) []byte {
	t.Helper()
	dir := t.TempDir()
	db, err := bolt.Open(filepath.Join(dir, "x.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Update(func(tx *bolt.Tx) error { _, err := tx.CreateBucket([]byte("b")); return err }); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ca.pem"), []byte("key"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = Write(&out, manifest, []Source{
		func() (Part, error) { return Database("x.db", db) },
		func() (Part, error) {
			p, ok, err := Small(dir, "ca.pem")
			if !ok {
				t.Error("the file is not there")
			}
			return p, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// read is what is in a backup.
func read(raw []byte) (Manifest, map[string][]byte, error) {
	files := map[string][]byte{}
	m, err := Read(bytes.NewReader(raw), func(name string, size int64, content io.Reader) error {
		got, err := io.ReadAll(content)
		if err == nil && int64(len(got)) != size {
			err = fmt.Errorf("%d bytes, not %d", len(got), size)
		}
		files[name] = got
		return err
	})
	return m, files, err
}

func TestRoundTrip(t *testing.T) {
	m, files, err := read(made(t))
	if err != nil || m.Host != "manager" || !m.Time.Equal(manifest.Time) || string(files["ca.pem"]) != "key" || len(files) != 2 {
		t.Fatalf("%+v, %d files, %v", m, len(files), err)
	}
	path := filepath.Join(t.TempDir(), "x.db")
	if err := os.WriteFile(path, files["x.db"], 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := FileDatabase(filepath.Dir(path), "x.db")
	if err != nil || p.Size != int64(len(files["x.db"])) {
		t.Fatalf("%+v, %v", p, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// TestDamage cuts and changes a backup anywhere: it is never taken for whole.
func TestDamage(t *testing.T) {
	good := made(t)
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		raw := bytes.Clone(good)
		if rnd.IntN(2) == 0 {
			raw = raw[:rnd.IntN(len(raw))]
		} else {
			raw[10+rnd.IntN(len(raw)-10)] ^= byte(1 + rnd.IntN(255)) // the first ten are gzip's, with a time
		}
		if _, _, err := read(raw); !errors.Is(err, ErrNotWhole) && !errors.Is(err, ErrFormat) && !(err == nil && bytes.Equal(unzipped(raw), unzipped(good))) {
			t.Fatalf("got %v", err)
		}
	}
}

// unzipped is what is compressed; gzip has bits that mean nothing.
func unzipped(raw []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil
	}
	all, err := io.ReadAll(z)
	if err != nil {
		return nil
	}
	return all
}

// packed is a tar of texts, name by name.
func packed(t testing.TB, entries ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for i := 0; i+1 < len(entries); i += 2 {
		if err := w.WriteHeader(&tar.Header{Name: entries[i], Size: int64(len(entries[i+1])), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, entries[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestHostile(t *testing.T) {
	for name, raw := range map[string][]byte{
		"nothing":   nil,
		"no gzip":   []byte("hello"),
		"empty":     packed(t),
		"other tar": packed(t, "a", "b"),
		"no json":   packed(t, manifestName, "x"),
		"newer":     packed(t, manifestName, `{"format":2}`),
		"upwards":   packed(t, manifestName, `{"format":1,"files":["../../etc/passwd"]}`, "../../etc/passwd", "x"),
		"hidden":    packed(t, manifestName, `{"format":1,"files":[".x"]}`, ".x", "x"),
		"twice":     packed(t, manifestName, `{"format":1,"files":["x","x"]}`, "x", "x"),
		"no sums":   packed(t, manifestName, `{"format":1,"files":["x"]}`, "x", "x"),
		"false sum": packed(t, manifestName, `{"format":1,"files":["x"]}`, "x", "x", sumsName, "abc  x\n"),
	} {
		if _, _, err := read(raw); !errors.Is(err, ErrNotWhole) && !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestErrorsOfOthersStay(t *testing.T) {
	full := errors.New("disk is full")
	if _, err := Read(bytes.NewReader(made(t)), func(string, int64, io.Reader) error { return full }); !errors.Is(err, full) || errors.Is(err, ErrNotWhole) {
		t.Errorf("got %v", err)
	}
	if err := Write(io.Discard, manifest, []Source{func() (Part, error) { return Part{}, full }}); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	if _, ok, err := Small(t.TempDir(), "absent"); ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(made(f))
	f.Add(packed(f, manifestName, `{"format":1,"files":["x"]}`, "x", "x"))
	f.Fuzz(func(_ *testing.T, raw []byte) { _, _, _ = read(raw) })
}
