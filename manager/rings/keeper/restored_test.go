package keeper

import (
	"path/filepath"
	"testing"
	"time"

	"cassini/model"
)

// TestRestoredLeaps makes a file one with which nothing comes twice.
func TestRestoredLeaps(t *testing.T) {
	dir := t.TempDir()
	l := live(t, dir)
	agent := newAgent(t, "h1", "z1", 1)
	agent.joins(l.Keeper)
	l.eventually("the place is acknowledged", settled)
	before := l.view().Rings[0].Epoch
	l.end()
	path := filepath.Join(dir, FileName)
	old := countersOf(t, path)
	now := time.Now().Add(time.Hour) // since the backup
	if err := Restored(path, now); err != nil {
		t.Fatal(err)
	}
	c := countersOf(t, path)
	if c.Incarnation < old.Incarnation+leapLives || int64(c.Incarnation) < now.Unix() || c.Nonces < uint64(now.Unix())<<16+leapNonces {
		t.Errorf("counters %+v became %+v", old, c)
	}
	l = live(t, dir)
	if got := l.view().Rings[0].Epoch; got <= before || int64(got) <= now.Unix() {
		t.Errorf("epoch %d became %d", before, got)
	}
	p, err := l.Snapshot()
	if err != nil || p.Size == 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := l.Alive(t.Context()); err != nil {
		t.Error(err)
	}
	l.end()
}

// TestLives is of managers that go on with files of different ages: the one that was started last is in its
// latest life, whatever another one had leapt over.
func TestLives(t *testing.T) {
	begun := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	first := nextLife(7, begun) // of a version that counted lives
	again := nextLife(first, begun)
	restored := nextLife(max(first+leapLives, nextLife(0, begun.AddDate(0, 0, 1))), begun.AddDate(0, 0, 1))
	back := nextLife(again, begun.AddDate(0, 0, 2)) // the first one's file, which knows nothing of it
	if first != model.Incarnation(begun.Unix()) || again != first+1 || restored <= again || back <= restored {
		t.Errorf("lives %d, %d, %d and %d", first, again, restored, back)
	}
	for _, wrong := range []time.Time{time.Unix(-5, 0), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if got := nextLife(first, wrong); got != first+1 {
			t.Errorf("by a clock at %v it is life %d", wrong, got)
		}
	}
}

func countersOf(t *testing.T, path string) counters {
	t.Helper()
	d, err := openDisk(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := d.count(func(*counters) {})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return c
}
