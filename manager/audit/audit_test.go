package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var t0 = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

func open(t *testing.T, cfg Config) *Log {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	l, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func add(t *testing.T, l *Log, e Entry) {
	t.Helper()
	if err := l.Add(e); err != nil {
		t.Fatal(err)
	}
}

// targets are those of entries, in order.
func targets(t *testing.T, l *Log, f Filter) string {
	t.Helper()
	list, err := l.List(f)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(list))
	for _, e := range list {
		names = append(names, e.Target)
	}
	return strings.Join(names, " ")
}

func TestListsWhatWasAdded(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir})
	for n, who := range []string{"ann", "bob", "ann", "eve"} {
		result := Done
		if who == "eve" {
			result = Refused
		}
		add(t, l, Entry{At: t0.Add(time.Duration(n) * time.Minute), Who: who, Action: "token.create", Target: fmt.Sprint("t", n), Result: result, Status: 200})
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = open(t, Config{Dir: dir})
	for want, f := range map[string]Filter{
		"t3 t2 t1 t0": {}, "t2 t0": {Who: "ann"}, "t3": {Result: Refused}, "t3 t2": {Since: t0.Add(2 * time.Minute)}, "t1 t0": {Before: 3},
		"t3 t2 ": {Before: 99, Limit: 2}, "t1": {Target: "t1"}, "": {Action: "x"},
	} {
		if got := targets(t, l, f); got != strings.TrimSpace(want) {
			t.Errorf("%+v: got %q, want %q", f, got, want)
		}
	}
	add(t, l, Entry{At: t0, Target: "t4", Result: Done})
	if list, _ := l.List(Filter{Limit: 1}); list[0].Sequence != 5 {
		t.Errorf("got %+v", list)
	}
	if s := l.Stats(); s.Entries != 5 || !s.Oldest.Equal(t0) || s.Added[Done] != 1 {
		t.Errorf("got %+v", s)
	}
}

func TestBounds(t *testing.T) {
	l := open(t, Config{MaxEntries: 3, MaxAge: time.Hour})
	for n := range 10 {
		add(t, l, Entry{At: t0.Add(time.Duration(n) * time.Second), Target: fmt.Sprint(n), Result: Done})
	}
	if got := targets(t, l, Filter{}); got != "9 8 7" {
		t.Errorf("by number: %q", got)
	}
	hold := true // the clock may be wrong
	l.cfg.Hold = func() bool { return hold }
	add(t, l, Entry{At: t0.Add(2 * time.Hour), Target: "held", Result: Done})
	if got := targets(t, l, Filter{}); got != "held 9 8" {
		t.Errorf("while the clock may be wrong: %q", got)
	}
	hold = false
	add(t, l, Entry{At: t0.Add(4 * time.Hour), Target: "late", Result: Done})
	if got := targets(t, l, Filter{}); got != "late" || l.Stats().Entries != 1 {
		t.Errorf("by age: %q", got)
	}
	add(t, l, Entry{At: t0.Add(4 * time.Hour), Target: strings.Repeat("ö", 5000), Result: Done})
	if got := targets(t, l, Filter{Limit: 1}); len(got) > maxText+8 || !strings.HasSuffix(got, "ö…") {
		t.Errorf("a text of %d bytes", len(got))
	}
}

// TestRefusalsDoNotDriveOutOthers: somebody who only knocks fills nothing.
func TestRefusalsDoNotDriveOutOthers(t *testing.T) {
	l := open(t, Config{})
	for range 1000 {
		add(t, l, Entry{At: t0, Target: "knock", Result: Refused})
	}
	add(t, l, Entry{At: t0, Target: "done", Result: Done})
	if s := l.Stats(); s.Entries != refusalsAtOnce+1 || s.Dropped != 1000-refusalsAtOnce {
		t.Errorf("got %+v", s)
	}
	add(t, l, Entry{At: t0.Add(10 * time.Second), Target: "later", Result: Refused})
	if got := targets(t, l, Filter{Limit: 1}); got != "later" {
		t.Errorf("got %q", got)
	}
}

func TestManyAtOnce(t *testing.T) {
	l := open(t, Config{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 10 {
				if err := l.Add(Entry{At: t0, Result: Done}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	list, err := l.List(Filter{})
	if err != nil || len(list) != 80 {
		t.Errorf("%d entries, %v", len(list), err)
	}
}

func TestDamage(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Config{Dir: dir})
	if err := l.file.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucket).Put([]byte{0}, []byte("{")) }); err != nil {
		t.Fatal(err)
	}
	if _, err := l.List(Filter{}); !errors.Is(err, ErrDamaged) {
		t.Errorf("list: %v", err)
	}
	if err := l.Add(Entry{At: t0, Result: Done}); err == nil || l.Stats().Failed != 1 {
		t.Errorf("add: %v", err)
	}
	l.Close()
	if _, err := Open(Config{Dir: dir}); !errors.Is(err, ErrDamaged) {
		t.Errorf("open: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, FileName), []byte(strings.Repeat("no database ", 2000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "move it away") {
		t.Errorf("open: %v", err)
	}
}
