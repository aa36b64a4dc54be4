package manager

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"cassini/manager/archive"
	"cassini/manager/backup"
	"cassini/manager/store"
	"cassini/model"
)

// withTLS makes a manager have all of its files.
func withTLS(c *Config) { c.TLS.On = true; c.Rings.Listen = netip.MustParseAddrPort("127.0.0.1:0") }

// answers are all documents.
func answers(t *testing.T, m *Manager) string {
	t.Helper()
	docs, err := m.Documents(t.Context(), model.Name{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, d := range docs {
		all = append(all, d.Name.String()+string(d.Body))
	}
	return strings.Join(all, "\n")
}

// TestBackupAndRestore backs up while others write, and begins from it elsewhere.
func TestBackupAndRestore(t *testing.T) {
	r := start(t, t.TempDir(), withTLS)
	if err := r.Accept(t.Context(), []model.Document{dependency("h", "curl", 1, 1)}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	writing.Go(func() {
		for i := uint16(2); ctx.Err() == nil; i++ {
			if err := r.Accept(context.WithoutCancel(ctx), []model.Document{dependency("load", "curl", i, 1)}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	var taken bytes.Buffer
	if err := r.Backup(t.Context(), &taken); err != nil {
		t.Fatal(err)
	}
	stop()
	writing.Wait()
	pin := r.enroll.Pin()
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "elsewhere")
	result, err := backup.Restore(&taken, dir, false, time.Now())
	if err != nil || len(result.Manifest.Files) != 5 || result.Manifest.Host != "web-17" || result.Aside != "" {
		t.Fatalf("%+v, %v", result, err)
	}
	again := start(t, dir, withTLS)
	if got := answers(t, again.Manager); !strings.Contains(got, "curl") || again.enroll.Pin() != pin {
		t.Errorf("documents %.200s", got)
	}
	if err := again.stop(); err != nil {
		t.Fatal(err)
	}

	// The same of a manager that does not run, over what is there.
	taken.Reset()
	if err := backup.Offline(&taken, dir, archive.Manifest{Time: time.Now()}); err != nil {
		t.Fatal(err)
	}
	raw := bytes.Clone(taken.Bytes())
	if _, err := backup.Restore(&taken, dir, false, time.Now()); !errors.Is(err, backup.ErrOccupied) {
		t.Errorf("over what is there: %v", err)
	}
	result, err = backup.Restore(bytes.NewReader(raw), dir, true, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(result.Aside, "documents.db")); err != nil {
		t.Errorf("what was there: %v", err)
	}
	once := start(t, dir, withTLS)
	if got := answers(t, once.Manager); !strings.Contains(got, "curl") {
		t.Errorf("documents %.200s", got)
	}
}

func TestBackupOfWhoGoesAway(t *testing.T) {
	r := start(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Backup(ctx, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	var out bytes.Buffer
	if err := backup.Offline(&out, r.cfg.DataDir, archive.Manifest{}); !errors.Is(err, store.ErrLocked) {
		t.Errorf("behind the back of a manager that runs: %v", err)
	}
	if _, err := backup.Restore(&out, r.cfg.DataDir, true, time.Now()); !errors.Is(err, store.ErrLocked) {
		t.Errorf("behind the back of a manager that runs: %v", err)
	}
}
