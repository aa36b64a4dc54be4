package bolt

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"
)

func formatOf(t *testing.T, db *bolt.DB) (format string) {
	t.Helper()
	err := db.View(func(tx *bolt.Tx) error { format = string(tx.Bucket(bucketMeta).Get(metaVersion)); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return format
}

func TestMigrations(t *testing.T) {
	path := written(t)
	db, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var done []string
	broken := errors.New("no room")
	steps := map[string]migration{
		"1": func(*bolt.Tx) error { done = append(done, "1"); return nil },
		"2": func(tx *bolt.Tx) error { done = append(done, "2"); return tx.DeleteBucket(bucketNames) },
		"3": func(tx *bolt.Tx) error { return errors.Join(tx.DeleteBucket(bucketLog), broken) },
	}
	if err := migrate(db, path, steps, "3"); err != nil || strings.Join(done, "") != "12" || formatOf(t, db) != "3" {
		t.Errorf("%v: %v, format %s", done, err, formatOf(t, db))
	}
	if err := migrate(db, path, steps, "3"); err != nil || len(done) != 2 {
		t.Errorf("again: %v, %v", done, err)
	}
	if err := migrate(db, path, steps, "4"); !errors.Is(err, broken) || formatOf(t, db) != "3" {
		t.Errorf("a step that fails: %v, format %s", err, formatOf(t, db))
	}
	if db.View(func(tx *bolt.Tx) error { _ = tx.Bucket(bucketLog).Stats(); return nil }) != nil {
		t.Error("half a step was kept")
	}
}

func TestOtherFormats(t *testing.T) {
	for format, want := range map[string]string{
		"2": "a newer Cassini wrote it (format 2, this one reads 1): run that one",
		"0": `its format is "0", this Cassini reads "1"`,
		"x": `its format is "x", this Cassini reads "1"`,
	} {
		path := written(t)
		edit(t, path, func(tx *bolt.Tx) error {
			return errors.Join(tx.Bucket(bucketMeta).Put(metaVersion, []byte(format)), tx.DeleteBucket(bucketNames))
		})
		_, err := Open(Config{Dir: filepath.Dir(path)})
		if !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), want) {
			t.Errorf("format %q: %v", format, err)
		}
	}
}
