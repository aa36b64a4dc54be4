package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"cassini/agent/enroll"
	"cassini/agent/outbox"
	"cassini/model"

	bolt "go.etcd.io/bbolt"
)

// comparing is an agent's outbox that delivers to a manager over mutual TLS.
type comparing struct {
	*managed
	sink  *outbox.HTTPSink
	box   *outbox.Outbox
	limit int
	end   func()
	truth map[string]string
}

func newComparing(t *testing.T, limit int) *comparing {
	t.Helper()
	c := &comparing{managed: newManaged(t), limit: limit, truth: make(map[string]string)}
	dir := t.TempDir()
	token := strings.TrimSpace(c.do("token create --role agent").stdout)
	if _, err := enroll.Join(t.Context(), enroll.Request{Manager: c.url, Token: token, Host: "web-17", Dir: dir}); err != nil {
		t.Fatal(err)
	}
	member, err := enroll.Open(dir, "web-17", c.url, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	c.sink = outbox.NewTLSSink(c.url, "", member.TLS())
	c.open(dir)
	t.Cleanup(func() { c.end() })
	for i := range 40 {
		c.set(i, "first")
	}
	c.agree("at the beginning")
	return c
}

// open begins a run of the agent with a data directory.
func (c *comparing) open(dir string) {
	c.t.Helper()
	box, err := outbox.New(outbox.Config{Sink: c.sink, Path: filepath.Join(dir, "outbox.db"), Limit: c.limit, Spread: time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- box.Run(ctx) }()
	c.box, c.end = box, func() {
		cancel()
		if err := <-done; err != nil {
			c.t.Error(err)
		}
	}
	remembered, err := c.sink.Latest(c.t.Context(), "web-17")
	if err != nil {
		c.t.Fatal(err)
	}
	box.Learn(remembered)
}

func (c *comparing) set(i int, text string) {
	c.t.Helper()
	doc, err := model.NewDocument(model.Name{Host: "web-17", Package: model.PackageListeners, Key: fmt.Sprint(i)}, time.Now(), map[string]string{"text": text, "html": "<&>"})
	if err != nil {
		c.t.Fatal(err)
	}
	c.truth[doc.Key] = string(doc.Body)
	c.box.Put(doc)
}

func (c *comparing) forget(i int) {
	delete(c.truth, fmt.Sprint(i))
	c.box.Put(model.Document{Name: model.Name{Host: "web-17", Package: model.PackageListeners, Key: fmt.Sprint(i)}, Time: time.Now()})
}

// agree waits until the manager has what the agent has.
func (c *comparing) agree(what string) {
	c.t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		docs, err := c.sink.Latest(c.t.Context(), "web-17")
		has := make(map[string]string)
		for _, d := range docs {
			has[d.Key] = string(d.Body)
		}
		if err == nil && maps.Equal(has, c.truth) {
			return
		}
		if time.Now().After(end) {
			c.t.Fatalf("%s: %v; the manager has %d documents of %d: %+v", what, err, len(has), len(c.truth), c.box.Stats())
		}
	}
}

// told are the figures since some before.
func (c *comparing) told(before model.ComparedStats) string {
	now := c.box.Stats().Compared
	return fmt.Sprintf("%d missing, %d changed, %d withdrawn", now.Missing-before.Missing, now.Changed-before.Changed, now.Withdrawn-before.Withdrawn)
}

func (c *comparing) wantTold(before model.ComparedStats, want string) {
	c.t.Helper()
	if got := c.told(before); got != want {
		c.t.Errorf("told again: %s; want %s", got, want)
	}
}

// TestManagerRestored puts the manager back to a backup: with the agent's next word it gets
// exactly what it lacks.
func TestManagerRestored(t *testing.T) {
	c := newComparing(t, 0)
	file := filepath.Join(t.TempDir(), "backup")
	if got := c.do("backup " + file); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	for i := range 10 {
		c.set(i, "since the backup")
		c.set(100+i, "since the backup")
	}
	c.forget(39)
	c.agree("since the backup")
	before := c.box.Stats().Compared
	c.stop()
	if got := c.do("restore " + file + " --force --data-dir " + c.dir); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	c.start(strings.TrimPrefix(c.url, "https://"))
	c.set(20, "a change")
	c.agree("restored")
	c.wantTold(before, "10 missing, 10 changed, 1 withdrawn")
}

// TestManagerRestoredUnnoticed is the same with an agent that has nothing to say, but is told
// by its rings that the manager was put back.
func TestManagerRestoredUnnoticed(t *testing.T) {
	c := newComparing(t, 0)
	file := filepath.Join(t.TempDir(), "backup")
	if got := c.do("backup " + file); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	c.set(1, "since the backup")
	c.agree("since the backup")
	c.stop()
	if got := c.do("restore " + file + " --force --data-dir " + c.dir); got.code != 0 {
		t.Fatalf("%+v", got)
	}
	c.start(strings.TrimPrefix(c.url, "https://"))
	c.box.Doubt()
	c.agree("restored")
}

// TestManagerLostDocuments takes some out of the manager's file.
func TestManagerLostDocuments(t *testing.T) {
	c := newComparing(t, 0)
	before := c.box.Stats().Compared
	c.stop()
	db, err := bolt.Open(filepath.Join(c.dir, "documents.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, key := range []string{"3", "5", "8"} {
			if err := tx.Bucket([]byte("names")).Delete([]byte("web-17\x00" + model.PackageListeners + "\x00" + key)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || db.Close() != nil {
		t.Fatal(err)
	}
	c.start(strings.TrimPrefix(c.url, "https://"))
	c.set(20, "a change")
	c.agree("started again")
	c.wantTold(before, "3 missing, 0 changed, 0 withdrawn")
}

// TestManagerLostEverything begins anew with an empty file.
func TestManagerLostEverything(t *testing.T) {
	c := newComparing(t, 0)
	before := c.box.Stats().Compared
	c.stop()
	if err := os.Remove(filepath.Join(c.dir, "documents.db")); err != nil {
		t.Fatal(err)
	}
	c.start(strings.TrimPrefix(c.url, "https://"))
	c.set(20, "a change")
	c.agree("started again")
	c.wantTold(before, "39 missing, 0 changed, 0 withdrawn")
}

// TestOutboxOverflows while the manager is away.
func TestOutboxOverflows(t *testing.T) {
	c := newComparing(t, 45)
	c.stop()
	for i := range 100 {
		c.set(i, "while the manager was away")
	}
	if c.box.Stats().Dropped["full"] == 0 {
		t.Fatal("nothing was dropped")
	}
	c.start(strings.TrimPrefix(c.url, "https://"))
	c.agree("the manager is back")
}

// TestAgentsDirectoryLost begins with an empty one, and finds nothing missing.
func TestAgentsDirectoryLost(t *testing.T) {
	c := newComparing(t, 0)
	c.end()
	c.open(t.TempDir())
	c.set(2, "changed meanwhile")
	c.forget(3)
	c.agree("with an empty directory")
	var s model.ComparedStats // which the manager's answer tells, a moment after it has all
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if s = c.box.Stats().Compared; s.Comparable && s.Known == 39 {
			break
		}
	}
	if s.Differed != 0 || !s.Comparable || s.Known != 39 {
		t.Errorf("%+v", s)
	}
}
