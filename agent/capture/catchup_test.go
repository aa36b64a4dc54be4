package capture

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"testing"
	"testing/synctest"

	"cassini/bpf"
	"cassini/model"
)

// waiting is a kernel side with events that nobody has read yet.
type waiting struct {
	tables
	events []bpf.Event
}

func (w *waiting) Pending() int { return len(w.events) }

func (w *waiting) Read(event *bpf.Event) error {
	if len(w.events) == 0 {
		return os.ErrClosed
	}
	*event, w.events = w.events[0], w.events[1:]
	if event.Kind == 0 {
		return bpf.ErrBadEvent
	}
	return nil
}

func (w *waiting) Bootstrap(context.Context, func(func() error) error) error { return nil }

// oneEnded is a kernel side where a client connected that has ended, with what waits of it.
func oneEnded() *waiting {
	key := bpf.EdgeKey{Cgroup: 1, ExeIno: 7, Port: 443, Proto: bpf.ProtoTCP, Direction: bpf.DirectionOut}
	edge := &bpf.Edge{Key: key, Attempts: 1, Connections: 1, FirstNs: 5, LastNs: 6, Owner: bpf.Sample{Tgid: 1 << 30, StartNs: 2000}}
	return &waiting{tables: tables{edges: map[bpf.EdgeKey]*bpf.Edge{key: edge}}, events: []bpf.Event{
		{}, {Kind: bpf.EventEdge, Key: key, Owner: edge.Whose(), Image: bpf.Image{Exe: "/usr/bin/job", Cwd: "/", Cmdline: []string{"job"}}},
	}}
}

// TestEndedBeforeTheStart: a client that connects while the agent starts, and ends before anybody
// looks, is called what the kernel says, not by the command's name in the table alone.
func TestEndedBeforeTheStart(t *testing.T) {
	var told []model.Dependency
	c := New(Config{Host: "web-17", Kernel: oneEnded(), Logger: slog.New(slog.DiscardHandler), Emit: func(docs ...model.Document) {
		for _, doc := range docs {
			var d model.Dependency
			if doc.Package == model.PackageDependencies && doc.Decode(&d) == nil {
				told = append(told, d)
			}
		}
	}})
	if err := errors.Join(c.Bootstrap(t.Context()), c.Publish(nil)); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || told[0].Exe != "/usr/bin/job" || told[0].Connections != 1 || c.bad != 1 {
		t.Errorf("told %+v, and %d events were bad", told, c.bad)
	}
}

// TestAskedBeforeTheStart: who asks before the agent has looked for what was there waits for the
// events of then, and no longer.
func TestAskedBeforeTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Config{Host: "web-17", Kernel: oneEnded(), Logger: slog.New(slog.DiscardHandler), Emit: func(...model.Document) {}})
		answered := false
		go func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			if err := c.awaitEvents(t.Context()); err != nil {
				t.Error(err)
			}
			answered = true
		}()
		synctest.Wait()
		if answered {
			t.Error("answered, and events wait")
		}
		if err := c.Bootstrap(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !answered {
			t.Error("it waits for events that were handled")
		}
		if err := c.Close(); err != nil { // whoever waits waits no longer
			t.Error(err)
		}
	})
}

// TestAskedWhileAnEventIsOnItsWay: a client whose event is not yet handled, nor seen to wait, is
// left to it, and is told without it a second later.
func TestAskedWhileAnEventIsOnItsWay(t *testing.T) {
	for _, lost := range []bool{false, true} {
		kernel := oneEnded()
		event := kernel.events[1]
		kernel.events = nil
		now := clock()
		now.MonoNs = 3e9
		kernel.edges[event.Key].FirstNs = now.MonoNs - 1
		var told []model.Document
		c := New(Config{Host: "web-17", Kernel: kernel, Logger: slog.New(slog.DiscardHandler), Emit: func(docs ...model.Document) { told = append(told, docs...) }})
		c.published = true
		ask := func() {
			t.Helper()
			if err := c.collect(t.Context(), eventsTake, now); err != nil {
				t.Fatal(err)
			}
			c.emitMoved(portion, now)
		}
		ask()
		if len(told) != 0 {
			t.Fatalf("told %s", told[0].Body)
		}
		want := "[]"
		if lost {
			now.MonoNs += uint64(eventsTake)
		} else if err := c.edgeStarted(&event, now); err != nil {
			t.Fatal(err)
		} else {
			want = "/usr/bin/job"
		}
		ask()
		var d model.Dependency
		if len(told) != 1 || told[0].Decode(&d) != nil || d.Exe != want || d.Connections != 1 {
			t.Errorf("lost %v: told %+v of %d", lost, d, len(told))
		}
	}
}
