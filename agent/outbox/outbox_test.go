package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"cassini/model"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sink is a manager that can be away and that refuses some documents.
type sink struct {
	mu     sync.Mutex
	away   bool
	refuse string
	got    []string

	last    model.Position
	gaps    int
	lose    int // so many answers
	batches []model.Batch
}

func (s *sink) Deliver(_ context.Context, b model.Batch) (r model.Receipt, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return r, errors.New("away")
	}
	for _, doc := range b.Documents {
		if doc.Key == s.refuse {
			return r, fmt.Errorf("%w: %s", model.ErrInvalidDocument, doc.Key)
		}
	}
	if b.First != (model.Position{}) {
		r = b.After(s.last)
		s.last = r.Last
	}
	if r.Gap {
		s.gaps++
	}
	for _, doc := range b.Documents[r.Known:] {
		s.got = append(s.got, doc.Key)
	}
	s.batches = append(s.batches, b)
	if s.lose > 0 {
		s.lose--
		return model.Receipt{}, errors.New("the answer is lost")
	}
	return r, nil
}

func (s *sink) Latest(context.Context, string) ([]model.Document, error) { return nil, nil }

func (s *sink) Hashes(context.Context, string) ([]model.DocumentHash, error) { return nil, nil }

func (s *sink) setAway(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

func (s *sink) keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.got...)
}

func numbered(t *testing.T, from, to int) []model.Document {
	t.Helper()
	var docs []model.Document
	for i := from; i < to; i++ {
		doc, err := model.NewDocument(model.Name{Host: "h", Package: "p", Key: fmt.Sprint(i)}, time.Unix(1, 0), i)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, doc)
	}
	return docs
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// busy puts off the first delivery.
type busy struct {
	sink
	asked int
}

func (s *busy) Deliver(ctx context.Context, b model.Batch) (model.Receipt, error) {
	if s.asked++; s.asked == 1 {
		return model.Receipt{}, &model.BusyError{After: 10 * time.Second, Err: errors.New("busy")}
	}
	return s.sink.Deliver(ctx, b)
}

func open(t *testing.T, s *sink, path string, limit int) *Outbox {
	t.Helper()
	box, err := New(Config{Sink: s, Path: path, Limit: limit, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return box
}

// running runs the box and returns what ends it.
func running(t *testing.T, box *Outbox) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- box.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func flush(t *testing.T, box *Outbox) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := box.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

func wantOrder(t *testing.T, s *sink, n int) {
	t.Helper()
	got := s.keys()
	if len(got) != n {
		t.Fatalf("%d documents arrived, want %d", len(got), n)
	}
	for i, key := range got {
		if key != fmt.Sprint(i) {
			t.Fatalf("document %d is %s", i, key)
		}
	}
}

func TestDeliversInOrder(t *testing.T) {
	s := &sink{}
	box := open(t, s, filepath.Join(t.TempDir(), "outbox.db"), 0)
	stop := running(t, box)
	defer stop()
	for i := range 50 {
		box.Put(numbered(t, i*50, i*50+50)...)
	}
	flush(t, box)
	wantOrder(t, s, 2500)
	if stats := box.Stats(); stats.Accepted != 2500 || stats.Queued != 0 || !stats.Connected {
		t.Errorf("stats are %+v", stats)
	}
}

// Whoever waits until nothing is on its way is told how much was delivered, once for each document.
func TestEmptied(t *testing.T) {
	told := make(chan uint64, 1000)
	box, err := New(Config{Sink: &sink{}, Path: filepath.Join(t.TempDir(), "outbox.db"), Logger: quiet(), Emptied: func(n uint64) { told <- n }})
	if err != nil {
		t.Fatal(err)
	}
	stop := running(t, box)
	defer stop()
	for sent := uint64(0); sent < 3000; sent += 1000 {
		box.Put(numbered(t, int(sent), int(sent)+1000)...)
		for heard := uint64(0); heard < 1000; {
			select {
			case n := <-told:
				heard += n
			case <-time.After(time.Minute):
				t.Fatalf("told of %d of %d documents", heard, 1000)
			}
			if heard > 1000 {
				t.Fatalf("told of %d documents, %d were put", heard, 1000)
			}
		}
	}
}

// While the manager is away documents go to disk; after a restart of the agent
// they arrive first, and in order.
func TestSurvivesAbsenceAndRestart(t *testing.T) {
	s := &sink{away: true}
	path := filepath.Join(t.TempDir(), "outbox.db")
	box := open(t, s, path, 0)
	stop := running(t, box)
	box.Put(numbered(t, 0, 1500)...)
	for box.Stats().Retries == 0 {
		time.Sleep(time.Millisecond)
	}
	box.Put(numbered(t, 1500, 1600)...)
	stop()
	if stats := box.Stats(); stats.Spooled != 1600 {
		t.Fatalf("stats are %+v, want 1600 on disk", stats)
	}
	s.setAway(false)
	box = open(t, s, path, 0)
	box.Put(numbered(t, 1600, 1700)...)
	stop = running(t, box)
	defer stop()
	flush(t, box)
	wantOrder(t, s, 1700)
}

func TestDropsBeyondTheBoundAndCounts(t *testing.T) {
	s := &sink{}
	box := open(t, s, filepath.Join(t.TempDir(), "outbox.db"), 10)
	box.Put(numbered(t, 0, 25)...)
	stop := running(t, box)
	defer stop()
	flush(t, box)
	wantOrder(t, s, 10)
	if stats := box.Stats(); stats.Dropped["full"] != 15 {
		t.Errorf("stats are %+v, want 15 dropped", stats)
	}
}

func TestRefusedDocumentsDoNotHoldUpOthers(t *testing.T) {
	s := &sink{refuse: "1"}
	box := open(t, s, filepath.Join(t.TempDir(), "outbox.db"), 0)
	box.Put(numbered(t, 0, 3)...)
	stop := running(t, box)
	defer stop()
	flush(t, box)
	if got := fmt.Sprint(s.keys()); got != "[0 2]" {
		t.Errorf("arrived %s, want 0 and 2", got)
	}
	if stats := box.Stats(); stats.Dropped["refused"] != 1 || stats.Accepted != 2 {
		t.Errorf("stats are %+v", stats)
	}
}

func TestTwoOnOneSpool(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	box := open(t, &sink{}, path, 0)
	stop := running(t, box)
	defer stop()
	_, err := New(Config{Path: path, Logger: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, ErrLocked) {
		t.Errorf("error is %v, want ErrLocked", err)
	}
}

func TestManagerPutsOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	_, err := NewHTTPSink(server.URL, "").Join(t.Context(), model.Join{})
	if busy, ok := errors.AsType[*model.BusyError](err); !ok || busy.After != 7*time.Second {
		t.Errorf("got %v", err)
	}
}
