package bolt

import (
	"errors"
	"testing"

	"cassini/manager/store"
	"cassini/manager/store/storetest"

	bolt "go.etcd.io/bbolt"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(o storetest.Options) (store.Store, error) {
		s, err := Open(Config{Dir: o.Dir, MaxAge: o.MaxAge, Now: o.Now, Committed: o.Committed})
		if err != nil {
			return nil, err
		}
		return checked{s, t}, nil
	})
}

// checked checks the file for damage when it is closed.
type checked struct {
	*Store
	t *testing.T
}

func (c checked) Close() error {
	path := c.path
	if err := c.Store.Close(); err != nil {
		return err
	}
	verify(c.t, path)
	return nil
}

func verify(t *testing.T, path string) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, PreLoadFreelist: true, Timeout: lockTimeout})
	if err != nil {
		t.Error(err)
		return
	}
	err = db.View(func(tx *bolt.Tx) error {
		var all error
		for err := range tx.Check() {
			all = errors.Join(all, err)
		}
		return all
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Errorf("check %s: %v", path, err)
	}
	if report, err := Check(path); err != nil || len(report.Problems) > 0 {
		t.Errorf("check %s: %q, %v", path, report.Problems, err)
	}
}
