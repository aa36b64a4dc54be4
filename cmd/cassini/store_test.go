package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cassini/manager/store/bolt"
	"cassini/manager/store/storetest"
	"cassini/model"
)

// logged is a data directory with a log of a few documents.
func logged(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s, err := bolt.Open(bolt.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		if _, err := s.Append(t.Context(), []model.Document{storetest.Doc("h", "p", "key"+string(rune('a'+i%20)), i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// expect runs a command line and looks for texts in what it prints.
func expect(t *testing.T, code int, line string, texts ...string) {
	t.Helper()
	got := cassini(t, nil, strings.Fields(line)...)
	for _, text := range texts {
		if !strings.Contains(got.stdout+got.stderr, text) {
			t.Errorf("%s: want %q, got %q %q", line, text, got.stdout, got.stderr)
		}
	}
	if got.code != code {
		t.Errorf("%s: exit code %d, want %d: %q %q", line, got.code, code, got.stdout, got.stderr)
	}
}

func TestStoreCommands(t *testing.T) {
	dir := logged(t)
	expect(t, 0, "store check --data-dir "+dir, "200 documents of 20 things", "all is well")
	expect(t, 0, "store compact --data-dir "+dir, " became ")
	path := filepath.Join(dir, bolt.FileName)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(raw), `"key":"keyc"`)
	copy(raw[at:], "ouch")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, 1, "store check --data-dir "+dir, "cannot be decoded", "cassini store repair")
	expect(t, 1, "store compact --data-dir "+dir, "cassini store repair")
	expect(t, 0, "store repair --data-dir "+dir, "cannot be decoded", "documents of 20 things are kept", "documents.db.damaged-20261120T120000Z")
	expect(t, 0, "store check --data-dir "+dir, "all is well")
	if err := os.WriteFile(filepath.Join(dir, "rings.db"), []byte("noise"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, 1, "store check --data-dir "+dir, "rings.db: store is damaged", "the log is well")
	expect(t, 1, "store check --data-dir "+t.TempDir(), "there is no document log")
	expect(t, 2, "store", "want one of the commands below store")
}

func TestBackupAndRestoreCommands(t *testing.T) {
	dir, elsewhere := logged(t), filepath.Join(t.TempDir(), "new")
	file := filepath.Join(t.TempDir(), "b.tar.gz")
	expect(t, 0, "backup --offline --data-dir "+dir+" "+file, "documents.db", "verified; it holds keys")
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%+v, %v", info, err)
	}
	expect(t, 0, "restore "+file+" --data-dir "+elsewhere, "200 documents of 20 things", "now start the manager")
	expect(t, 1, "restore "+file+" --data-dir "+elsewhere, "there is data already", "--force")
	expect(t, 0, "restore "+file+" --force --data-dir "+elsewhere, "what was there is in "+elsewhere+"/before-restore-")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, raw[:len(raw)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, 1, "restore "+file+" --force --data-dir "+elsewhere, "the backup is not whole")
	expect(t, 0, "store check --data-dir "+elsewhere, "all is well")
	expect(t, 1, "restore /nonexistent", "no such file")
	expect(t, 2, "restore", "want the FILE")
	expect(t, 2, "backup", "want a FILE")
	expect(t, 1, "backup --offline --data-dir "+t.TempDir()+" "+file+".no", "there is no manager's data")
	expect(t, 1, "backup "+file+".no --api "+closedPort(t), "cannot reach Cassini")
	if left, err := filepath.Glob(file + ".no*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
