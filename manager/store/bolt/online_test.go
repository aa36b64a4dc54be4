package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cassini/manager/store"
	"cassini/manager/store/storetest"
	"cassini/model"

	"golang.org/x/sys/unix"
)

// all is what a store that is open answers.
func all(t *testing.T, s *Store) string {
	t.Helper()
	var b strings.Builder
	for e, err := range s.Range(t.Context(), "", "") {
		fmt.Fprintln(&b, e.Key, e.Document, err)
	}
	for e, err := range s.Latest(t.Context(), store.Filter{}) {
		fmt.Fprintln(&b, e.Key, e.Document, err)
	}
	p, err := s.Position(t.Context(), "h")
	fmt.Fprintln(&b, p, err)
	return b.String()
}

// roomy is a store most of whose file is not used any more.
func roomy(t *testing.T, dir string) *Store {
	t.Helper()
	ahead := time.Duration(0)
	s, err := Open(Config{Dir: dir, MaxAge: time.Hour, Now: func() time.Time { return time.Now().Add(ahead) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	put := func(docs ...model.Document) {
		b := model.Batch{Host: "h", First: model.Position{Incarnation: 1, Sequence: s.appended.Load() + 1}, Documents: docs}
		if _, err := s.Deliver(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 60 {
		put(big(fmt.Sprint(i%4)), storetest.Doc("h", "p", fmt.Sprint("small", i), i))
	}
	ahead = 3 * time.Hour
	for i := range 20 {
		put(storetest.Doc("h", "p", "later", i))
	}
	return s
}

func TestCompactOnline(t *testing.T) {
	s := roomy(t, t.TempDir())
	was := all(t, s)
	before, after, err := s.CompactOnline(t.Context())
	if err != nil || after*2 > before {
		t.Fatalf("from %d to %d bytes, %v", before, after, err)
	}
	if got := all(t, s); got != was {
		t.Error("the content has changed")
	}
	if stats, err := s.Stats(); err != nil || stats.FileBytes != uint64(after) || stats.Compacted != 1 || stats.Reclaimed != uint64(before-after) || stats.CompactFailed != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
	if _, err := s.Append(t.Context(), []model.Document{storetest.Doc("h", "p", "after", 1)}); err != nil {
		t.Fatal(err)
	}
	was = all(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	verify(t, s.path)
	again, err := Open(Config{Dir: filepath.Dir(s.path), MaxAge: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if got := all(t, again); got != was {
		t.Error("after a restart the content is another")
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// TestCompactWhileWritten compacts again and again under writers that add, replace, forget
// and number, and under readers: the log is what was committed.
func TestCompactWhileWritten(t *testing.T) {
	var mu sync.Mutex
	newest := make(map[model.Name]store.Key)
	kept := make(map[store.Key]bool)
	committed := func(_ store.Key, entries []store.Entry) {
		mu.Lock()
		defer mu.Unlock()
		for _, e := range entries {
			newest[e.Document.Name] = e.Key
			if !e.Document.Progress {
				kept[e.Key] = true
			}
		}
	}
	s, err := Open(Config{Dir: t.TempDir(), Committed: committed})
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var work sync.WaitGroup
	for w := range 4 {
		work.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				moved := storetest.Doc("h", "p", fmt.Sprint("moved", w), i)
				moved.Progress = i%3 > 0
				docs := []model.Document{storetest.Doc("h", "p", fmt.Sprintf("%d-%d", w, i), i), moved}
				b := model.Batch{Host: fmt.Sprint("host", w), First: model.Position{Incarnation: 1, Sequence: uint64(2*i + 1)}, Documents: docs}
				if _, err := s.Deliver(t.Context(), b); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	work.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			for _, err := range s.Range(t.Context(), "", "") {
				if err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	done := 0
	for range 12 {
		_, _, err := s.CompactOnline(t.Context())
		if err != nil && !errors.Is(err, ErrRestless) {
			t.Error(err)
		}
		done += b2i(err == nil)
	}
	close(stop)
	work.Wait()
	if done == 0 {
		t.Error("it was never compacted")
	}
	names := 0
	for e, err := range s.Latest(t.Context(), store.Filter{}) {
		if names++; err != nil || newest[e.Document.Name] != e.Key {
			t.Fatalf("the newest of %s is %s, and %s was committed; %v", e.Document.Name, e.Key, newest[e.Document.Name], err)
		}
	}
	for e, err := range s.Range(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		delete(kept, e.Key)
	}
	if names != len(newest) || len(kept) > 0 {
		t.Errorf("%d names of %d, %d entries are lost", names, len(newest), len(kept))
	}
	for w := range 4 {
		if p, err := s.Position(t.Context(), fmt.Sprint("host", w)); err != nil || p.Sequence == 0 || p.Sequence%2 != 0 {
			t.Errorf("position %v, %v", p, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	verify(t, s.path)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestReadersFinishOnTheFileOfBefore: a backup and a walk that were begun before see what
// they began with.
func TestReadersFinishOnTheFileOfBefore(t *testing.T) {
	s := roomy(t, t.TempDir())
	part, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	walked := 0
	for _, err := range s.Range(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if walked++; walked == 1 {
			if _, _, err := s.CompactOnline(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Append(t.Context(), []model.Document{storetest.Doc("h", "p", "after", 1)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if walked < 60 {
		t.Errorf("walked %d entries", walked)
	}
	var file bytes.Buffer
	if err := errors.Join(part.Write(&file), part.Close()); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), FileName)
	if err := os.WriteFile(copied, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	verify(t, copied)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestCompactOnlineWithoutRoom is refused, and nothing is left of it.
func TestCompactOnlineWithoutRoom(t *testing.T) {
	dir := mount(t, "size=12m")
	s := roomy(t, dir)
	_, _, err := s.CompactOnline(t.Context())
	if !errors.Is(err, store.ErrFull) || !strings.Contains(err.Error(), "MiB are free") {
		t.Errorf("got %v", err)
	}
	t.Log(err)
	if stats, err := s.Stats(); err != nil || stats.CompactFailed != 1 {
		t.Errorf("%+v, %v", stats, err)
	}
	if _, err := s.Append(t.Context(), []model.Document{storetest.Doc("h", "p", "after", 1)}); err != nil {
		t.Error(err)
	}
	leavesNothing(t, dir)
	var fs unix.Statfs_t // somebody else fills the disk meanwhile
	if err := unix.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, int64(fs.Bavail)*fs.Bsize-96<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	was := all(t, s)
	if _, err := s.compactBeside(t.Context()); !errors.Is(err, store.ErrFull) {
		t.Errorf("on a full disk: %v", err)
	}
	leavesNothing(t, dir)
	if all(t, s) != was {
		t.Error("the content has changed")
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if _, err := s.compactBeside(t.Context()); err != nil || all(t, s) != was {
		t.Errorf("with room again: %v", err)
	}
}

func leavesNothing(t *testing.T, dir string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, "*.compact"))
	if err != nil || left != nil {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestCompactOnlineEnds with its context, and with the store, and leaves nothing.
func TestCompactOnlineEnds(t *testing.T) {
	dir := t.TempDir()
	s := roomy(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.CompactOnline(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	leavesNothing(t, dir)
	ended := make(chan error, 1)
	go func() {
		for {
			if _, _, err := s.CompactOnline(t.Context()); err != nil {
				ended <- err
				return
			}
		}
	}()
	for s.compacted.Load() < 2 {
		time.Sleep(time.Millisecond)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, store.ErrClosed) {
		t.Errorf("got %v", err)
	}
	leavesNothing(t, dir)
	verify(t, s.path)
	if err := os.WriteFile(s.path+".compact", []byte("of a life that ended"), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := Open(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	leavesNothing(t, dir)
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// TestCompactEmpty compacts a log that has nothing yet: it takes documents as before.
func TestCompactEmpty(t *testing.T) {
	s, err := Open(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, _, err := s.CompactOnline(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Stats(); err != nil {
		t.Error(err)
	}
	b := model.Batch{Host: "host", First: model.Position{Incarnation: 1, Sequence: 1}, Documents: []model.Document{storetest.Doc("h", "p", "a", 1)}}
	if _, err := s.Deliver(t.Context(), b); err != nil {
		t.Error(err)
	}
}
