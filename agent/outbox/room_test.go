package outbox

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/model"

	bolt "go.etcd.io/bbolt"
)

// Who has many documents waits until few are on their way, and never for a manager that is away.
func TestRoom(t *testing.T) {
	s := &sink{}
	box := open(t, s, filepath.Join(t.TempDir(), "outbox.db"), 0)
	box.Put(numbered(t, 0, 3*batchSize)...)
	if err := box.Room(t.Context()); err != nil {
		t.Errorf("nothing was delivered yet, nobody knows of a manager: %v", err)
	}
	defer running(t, box)()
	flush(t, box)
	s.setAway(true)
	box.Put(numbered(t, 3*batchSize, 5*batchSize+1)...)
	if err := box.Room(t.Context()); err != nil {
		t.Errorf("the manager is away: %v", err)
	}
	s.setAway(false)
	flush(t, box)
	if err := box.Room(t.Context()); err != nil || len(s.keys()) != 5*batchSize+1 {
		t.Errorf("%v, %d delivered", err, len(s.keys()))
	}
}

func TestRoomIsWaitedFor(t *testing.T) {
	box := open(t, &sink{}, filepath.Join(t.TempDir(), "outbox.db"), 0)
	box.connected = true
	box.Put(numbered(t, 0, batchSize+1)...)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := box.Room(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want to wait", err)
	}
	stop := running(t, box)
	if err := box.Room(t.Context()); err != nil {
		t.Error(err)
	}
	stop()
}

// What the manager does not take waits on disk, but for what memory may hold.
func TestManyDocumentsWaitOnDisk(t *testing.T) {
	s := &sink{}
	s.setAway(true)
	path := filepath.Join(t.TempDir(), "outbox.db")
	box := open(t, s, path, 0)
	life := box.numbers.last.Incarnation
	stop := running(t, box)
	const n = 3*inMemory + 7
	docs := numbered(t, 0, n)
	for i := range docs {
		docs[i].Body = []byte(`"` + strings.Repeat("x", 300) + `"`)
		box.Put(docs[i])
	}
	for {
		box.mu.Lock()
		waiting := len(box.queue)
		box.mu.Unlock()
		if waiting <= inMemory {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if stats := box.Stats(); stats.Queued != n || stats.Spooled < n-inMemory {
		t.Errorf("%+v", stats)
	}
	s.setAway(false)
	flush(t, box)
	wantOrder(t, s, n)
	box.Put(numbered(t, n, n+1)...)
	flush(t, box)
	stop()
	if info, err := os.Stat(path); err != nil || info.Size() > smallSpool {
		t.Errorf("the file stays large: %v, %v", info.Size(), err)
	}
	spool, next, err := openSpool(path, time.Time{})
	if err != nil || next != life+1 {
		t.Errorf("life %d after %d, %v", next, life, err)
	}
	if err := spool.close(); err != nil {
		t.Error(err)
	}
}

// TestDamagedDocument: one that cannot be read any more does not hold up those behind it, once
// the agent is started again.
func TestDamagedDocument(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	spool, life, err := openSpool(path, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var items []item
	for i, doc := range numbered(t, 0, 3) {
		items = append(items, item{model.Position{Incarnation: life, Sequence: uint64(i + 1)}, doc})
	}
	err = errors.Join(spool.append(items), spool.db.Update(func(tx *bolt.Tx) error {
		return tx.Bucket(documents).Put(spoolKey(items[0].at), []byte(`{"host":`))
	}), spool.close())
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{}
	box := open(t, s, path, 10)
	defer running(t, box)()
	flush(t, box)
	if got := s.keys(); !slices.Equal(got, []string{"1", "2"}) || box.Stats().Dropped["damaged"] != 1 {
		t.Errorf("got %v, %+v", got, box.Stats())
	}
}
