package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Database is a bbolt file that is open, as it is now. Until the part is closed its pages
// are not used again.
func Database(name string, db *bolt.DB) (Part, error) {
	tx, err := db.Begin(false)
	if err != nil {
		return Part{}, fmt.Errorf("read %s: %w", name, err)
	}
	return Part{Name: name, Size: tx.Size(), Close: tx.Rollback, Write: func(w io.Writer) error {
		_, err := tx.WriteTo(w)
		return err
	}}, nil
}

// Small is a file that is read whole. One that is not there is no part: ok is false.
func Small(dir, name string) (p Part, ok bool, err error) {
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return p, false, nil
	}
	if err != nil {
		return p, false, fmt.Errorf("read %s: %w", name, err)
	}
	return Part{Name: name, Size: int64(len(raw)), Close: func() error { return nil }, Write: func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(raw))
		return err
	}}, true, nil
}

// FileDatabase is a bbolt file that nobody has open for writing. Closing the part closes it.
func FileDatabase(dir, name string) (p Part, err error) {
	path := filepath.Join(dir, name)
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return p, fmt.Errorf("open %s: %w", path, err)
	}
	if p, err = Database(name, db); err != nil {
		return p, errors.Join(err, db.Close())
	}
	rollback := p.Close
	p.Close = func() error { return errors.Join(rollback(), db.Close()) }
	return p, nil
}
