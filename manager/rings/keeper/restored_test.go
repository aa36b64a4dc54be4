package keeper

import (
	"path/filepath"
	"testing"
	"time"
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
	if c.Incarnation != old.Incarnation+leapLives || c.Nonces < uint64(now.Unix())<<16+leapNonces {
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
