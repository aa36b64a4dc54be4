package flight

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// flying runs a recorder until the test ends.
func flying(t *testing.T, dir string, now func() time.Time) *Recorder {
	t.Helper()
	r := New(Config{Dir: dir, Logger: slog.New(slog.DiscardHandler), Now: now})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	return r
}

func files(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "flight")
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	r := flying(t, dir, func() time.Time { now = now.Add(time.Second); return now })
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "20200101T000000.000Z-crashed.trace.part"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range maxFiles + 3 {
		path, err := r.Write(t.Context(), "Asked for /etc")
		if err != nil || !strings.HasSuffix(path, "-asked-for--etc.trace") {
			t.Fatalf("%s, %v", path, err)
		}
		if raw, err := os.ReadFile(path); err != nil || !bytes.HasPrefix(raw, []byte("go 1.")) {
			t.Fatalf("%.20q, %v", raw, err)
		}
	}
	if got := files(t, dir); len(got) != maxFiles || !strings.HasPrefix(got[0], "20261120T12000") {
		t.Errorf("files %v", got)
	}
	if s := r.Stats(); s.Written != maxFiles+3 || s.Failed != 0 {
		t.Errorf("%+v", s)
	}
}

func TestWriteFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r := flying(t, file, time.Now)
	if _, err := r.Write(t.Context(), "x"); err == nil || r.Stats().Failed != 1 {
		t.Errorf("got %v, %+v", err, r.Stats())
	}
	if _, err := (*Recorder)(nil).Write(t.Context(), "x"); !errors.Is(err, ErrOff) {
		t.Errorf("got %v", err)
	}
	(*Recorder)(nil).Odd("x")
	if (*Recorder)(nil).Stats() != nil {
		t.Error("figures of nothing")
	}
	l := &limited{io.Discard, 10}
	if _, err := l.Write(make([]byte, 10)); err != nil {
		t.Error(err)
	}
	if _, err := l.Write(make([]byte, 1)); !errors.Is(err, errTooLong) {
		t.Errorf("got %v", err)
	}
}

func TestOddIsBounded(t *testing.T) {
	var mu sync.Mutex
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	r := flying(t, t.TempDir(), func() time.Time { mu.Lock(); defer mu.Unlock(); return now })
	odd := func(after time.Duration) {
		t.Helper()
		mu.Lock()
		now = now.Add(after)
		mu.Unlock()
		before := r.Stats()
		r.Odd("slow request")
		for r.Stats().Written+r.Stats().Skipped == before.Written+before.Skipped {
			time.Sleep(time.Millisecond)
		}
	}
	for _, after := range []time.Duration{0, 0, pause - 1, 1} {
		odd(after)
	}
	if s := r.Stats(); s.Written != 2 || s.Skipped != 2 {
		t.Errorf("%+v", s)
	}
}

func TestEnded(t *testing.T) {
	r := New(Config{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Run(ctx); err != nil {
		t.Error(err)
	}
	if _, err := r.Write(t.Context(), "x"); !errors.Is(err, ErrOff) {
		t.Errorf("got %v", err)
	}
	for range 3 {
		r.Odd("x") // nobody listens
	}
}
