package outbox

import (
	"encoding/binary"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cassini/model"

	bolt "go.etcd.io/bbolt"
)

// TestLostAnswers loses answers on the way, in this life and over a restart: what arrived
// counts once.
func TestLostAnswers(t *testing.T) {
	s := &sink{lose: 3}
	path := filepath.Join(t.TempDir(), "outbox.db")
	box := open(t, s, path, 0)
	box.Put(numbered(t, 0, 10)...)
	stop := running(t, box)
	for box.Stats().Retries == 0 {
		time.Sleep(time.Millisecond)
	}
	box.Put(numbered(t, 10, 20)...)
	stop() // in the middle of it
	s.mu.Lock()
	s.lose = 1
	s.mu.Unlock()
	box = open(t, s, path, 0)
	box.Put(numbered(t, 20, 30)...)
	stop = running(t, box)
	defer stop()
	flush(t, box)
	wantOrder(t, s, 30)
	if s.gaps != 0 {
		t.Errorf("%d gaps", s.gaps)
	}
}

// TestDropsLeaveAGap: what finds no room has a number.
func TestDropsLeaveAGap(t *testing.T) {
	s := &sink{}
	box := open(t, s, filepath.Join(t.TempDir(), "outbox.db"), 3)
	box.Put(numbered(t, 0, 5)...)
	stop := running(t, box)
	defer stop()
	flush(t, box)
	box.Put(numbered(t, 5, 6)...)
	flush(t, box)
	if got := s.keys(); len(got) != 4 || s.gaps != 1 {
		t.Errorf("arrived %v, %d gaps", got, s.gaps)
	}
}

// TestPutBack restores the outbox to what it was earlier, as a snapshot of a virtual machine
// does, while the manager has more: nothing that is new is taken for known.
func TestPutBack(t *testing.T) {
	s := &sink{}
	box := open(t, s, filepath.Join(t.TempDir(), "outbox.db"), 0)
	var told atomic.Int32
	box.cfg.PutBack = func() { told.Add(1) }
	stop := running(t, box)
	defer stop()
	box.Put(numbered(t, 0, 5)...)
	flush(t, box)
	s.mu.Lock()
	s.last = s.last.Plus(3) // three that this one does not know it sent
	s.mu.Unlock()
	box.Put(numbered(t, 5, 7)...) // their numbers are known to the manager
	flush(t, box)
	wantOrder(t, s, 7)
	if got := box.Stats().Renumbered; got != 1 || told.Load() != 1 {
		t.Errorf("numbered anew %d times, and said so %d times", got, told.Load())
	}
	s.mu.Lock()
	s.last = s.last.Plus(1) // as many as come next
	s.mu.Unlock()
	box.Put(numbered(t, 7, 8)...)
	flush(t, box)
	wantOrder(t, s, 8)
	s.mu.Lock()
	s.last = model.Position{Incarnation: s.last.Incarnation + 1e9, Sequence: 1} // the clock was ahead once
	s.mu.Unlock()
	box.Put(numbered(t, 8, 9)...)
	flush(t, box)
	wantOrder(t, s, 9)
}

// TestPutBackWhileAway does the same with documents on disk, and goes on counting after a restart.
func TestPutBackWhileAway(t *testing.T) {
	s := &sink{away: true, last: model.Position{Incarnation: 1 << 60, Sequence: 7}}
	path := filepath.Join(t.TempDir(), "outbox.db")
	box := open(t, s, path, 0)
	stop := running(t, box)
	box.Put(numbered(t, 0, 1200)...)
	for box.Stats().Spooled == 0 {
		time.Sleep(time.Millisecond)
	}
	s.setAway(false)
	flush(t, box)
	stop()
	wantOrder(t, s, 1200)
	box = open(t, s, path, 0)
	stop = running(t, box)
	defer stop()
	box.Put(numbered(t, 1200, 1201)...)
	flush(t, box)
	wantOrder(t, s, 1201)
	if box.Stats().Renumbered != 0 || s.gaps != 0 {
		t.Errorf("%+v, %d gaps", box.Stats(), s.gaps)
	}
}

// TestSpoolOfBefore takes over what a Cassini left that numbered nothing.
func TestSpoolOfBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucket(documents)
		for i, doc := range numbered(t, 0, 3) {
			raw, _ := json.Marshal(doc)
			if err == nil {
				err = b.Put(binary.BigEndian.AppendUint64(nil, uint64(i+1)), raw)
			}
		}
		return err
	})
	if err != nil || db.Close() != nil {
		t.Fatal(err)
	}
	s := &sink{away: true}
	box := open(t, s, path, 0)
	box.Put(numbered(t, 3, 5)...)
	stop := running(t, box)
	defer stop()
	for box.Stats().Spooled != 5 {
		time.Sleep(time.Millisecond)
	}
	s.setAway(false)
	flush(t, box)
	wantOrder(t, s, 5)
	if s.batches[0].First != (model.Position{}) || s.batches[1].First.Sequence != 1 {
		t.Errorf("batches are %+v", s.batches)
	}
}

// TestBatchesAreBounded: neither many nor large documents make a body that no manager takes.
func TestBatchesAreBounded(t *testing.T) {
	large, _ := json.Marshal(string(make([]byte, 100<<10)))
	var items []item
	for i := range 2500 {
		it := item{model.Position{Incarnation: 1, Sequence: uint64(i + 1)}, model.Document{Name: model.Name{Host: "h", Package: "p"}, Body: json.RawMessage("1")}}
		if i >= 2000 {
			it.doc.Body = large
		}
		items = append(items, it)
	}
	var sizes []int
	for len(items) > 0 {
		b := next(items)
		n, size := len(b.Documents), 0
		for _, d := range b.Documents {
			size += len(d.Body)
		}
		if n == 0 || n > batchSize || size > batchBytes || b.Last() != items[n-1].at {
			t.Fatalf("a batch of %d documents and %d bytes, up to %v", n, size, b.Last())
		}
		sizes, items = append(sizes, n), items[n:]
	}
	if sizes[0] != 1000 || sizes[1] != 1000 || sizes[2] >= 100 {
		t.Errorf("batches are of %v", sizes)
	}
}

// TestObeysRetryAfter: as long as the manager says, and spread.
func TestObeysRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, err := os.MkdirTemp("", "outbox") // t.TempDir is of the outside
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		s := &busy{}
		box, err := New(Config{Sink: s, Path: filepath.Join(dir, "outbox.db"), Logger: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		stop := running(t, box)
		begin := time.Now()
		box.Put(numbered(t, 0, 1)...)
		flush(t, box)
		stop()
		if took := time.Since(begin); took < 10*time.Second || took > 20*time.Second {
			t.Errorf("came again after %v", took)
		}
		if got := box.Stats(); got.PutOff != 1 || got.Retries != 1 {
			t.Errorf("stats are %+v", got)
		}
	})
}

// TestAnotherName: what waited under another name would wait for ever, and with it all that
// comes behind.
func TestAnotherName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	s := &sink{}
	box := open(t, s, path, 0)
	box.Put(numbered(t, 0, 10)...)
	if err := box.stop(); err != nil {
		t.Fatal(err)
	}
	host := numbered(t, 0, 1)[0].Host
	box, err := New(Config{Sink: s, Host: host + "~2", Path: path, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	other := numbered(t, 20, 21)[0]
	other.Host = host + "~2"
	box.Put(other)
	stop := running(t, box)
	flush(t, box)
	stop()
	if got := s.keys(); len(got) != 1 || box.Stats().Dropped["renamed"] != 10 {
		t.Errorf("arrived %v, dropped %v", got, box.Stats().Dropped)
	}
	box, err = New(Config{Sink: s, Host: host + "~2", Path: path, Logger: slog.New(slog.DiscardHandler)})
	if err != nil || len(box.Stats().Dropped) != 0 {
		t.Errorf("once more: %v, %v", box.Stats().Dropped, err)
	}
	if err := box.stop(); err != nil {
		t.Error(err)
	}
}
