package bolt

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"cassini/manager/store/storetest"
	"cassini/model"
)

// TestSizeIsBounded overwrites a few names for long: the file stays near its limit.
func TestSizeIsBounded(t *testing.T) {
	const limit = 4 << 20
	s, err := Open(Config{Dir: t.TempDir(), MaxSize: limit})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 600 {
		if _, err := s.Append(t.Context(), []model.Document{big(fmt.Sprint(i % 7))}); err != nil {
			t.Fatal(err)
		}
	}
	stats, err := s.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if stats.FileBytes > 2*limit || stats.Expired == 0 || stats.Names != 7 {
		t.Errorf("wrote 19 MiB with a limit of %d: %+v", limit, stats)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	verify(t, s.path)
}

// TestHold writes with a clock that is far ahead, and that nobody believes.
func TestHold(t *testing.T) {
	hold := true
	now := time.Now
	s, err := Open(Config{Dir: t.TempDir(), MaxAge: time.Hour, Hold: func() bool { return hold }, Now: func() time.Time { return now() }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	write := func() (expired uint64) {
		t.Helper()
		for n := range 20 {
			if _, err := s.Append(t.Context(), []model.Document{storetest.Doc("h", "p", "key", n)}); err != nil {
				t.Fatal(err)
			}
		}
		stats, err := s.Stats()
		if err != nil {
			t.Fatal(err)
		}
		return stats.Expired
	}
	write()
	now = func() time.Time { return time.Now().AddDate(10, 0, 0) }
	if n := write(); n != 0 {
		t.Errorf("%d entries went", n)
	}
	hold = false
	if n := write(); n == 0 {
		t.Error("nothing is ever removed")
	}
}

// TestGroupCommit blocks the writer until many wait: one transaction serves all.
func TestGroupCommit(t *testing.T) {
	s, err := Open(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	first := txid(t, s)
	s.writing.Lock()
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if _, err := s.Append(t.Context(), []model.Document{storetest.Doc("h", "p", fmt.Sprint(i), i)}); err != nil {
				t.Error(err)
			}
		})
	}
	for waiting := 0; waiting < 50; {
		s.queueing.Lock()
		waiting = len(s.queue)
		s.queueing.Unlock()
	}
	s.writing.Unlock()
	wg.Wait()
	if n := txid(t, s) - first; n != 1 {
		t.Errorf("%d transactions for 50 appends that waited together", n)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func txid(t *testing.T, s *Store) int {
	t.Helper()
	tx, err := s.db.Load().Begin(false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	return tx.ID()
}
