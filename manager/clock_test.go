package manager

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"cassini/manager/store/bolt"
	"cassini/model"
)

func TestClock(t *testing.T) {
	var c clock
	wall, up := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), time.Minute
	for _, step := range []struct {
		what     string
		wall, up time.Duration // that pass by each clock
		set      time.Duration
		hold     bool
	}{
		{"first", 0, 0, 0, false},
		{"goes", time.Minute, time.Minute, 0, false},
		{"drifts", 11 * time.Minute, 10 * time.Minute, 0, false},
		{"set forward", 24 * time.Hour, 0, 24 * time.Hour, true},
		{"half an hour later", 30 * time.Minute, 30 * time.Minute, 0, true},
		{"set back", -24 * time.Hour, 0, -24 * time.Hour, true},
		{"another half an hour later", 30 * time.Minute, 30 * time.Minute, 0, true},
		{"an hour after that", time.Hour, time.Hour, 0, false},
		{"slept", 8 * time.Hour, time.Second, 8*time.Hour - time.Second, true},
	} {
		wall, up = wall.Add(step.wall), up+step.up
		if set, hold := c.look(wall, up); set != step.set || hold != step.hold {
			t.Errorf("%s: set by %v, hold %v", step.what, set, hold)
		}
	}
}

// TestClockAtTheStart waits where the manager was away for long, be it by a clock that is wrong.
func TestClockAtTheStart(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	for _, at := range []struct {
		what string
		last time.Time
		hold bool
	}{
		{"an empty log", time.Time{}, false},
		{"a restart", now.Add(-time.Minute), false},
		{"a clock that is behind", now.AddDate(2, 0, 0), false},
		{"years later", now.AddDate(-2, 0, 0), true},
	} {
		var c clock
		c.begin(at.last, now)
		for up, hold := range map[time.Duration]bool{time.Second: at.hold, 59 * time.Minute: at.hold, clockHold: false} {
			c.wall = time.Time{} // it was never looked at
			if _, got := c.look(now.Add(up), up); got != hold {
				t.Errorf("%s: after %v it holds: %v", at.what, up, got)
			}
		}
	}
}

// TestWaitsAfterALongTime starts a manager by whose clock it was away for long.
func TestWaitsAfterALongTime(t *testing.T) {
	dir := t.TempDir()
	last := time.Now().AddDate(-2, 0, 0)
	st, err := bolt.Open(bolt.Config{Dir: dir, Now: func() time.Time { return last }})
	if err != nil {
		t.Fatal(err)
	}
	_, err = st.Append(t.Context(), []model.Document{{Name: model.Name{Host: "a", Package: "p", Key: "k"}, Time: last, Body: []byte("{}")}})
	if err := errors.Join(err, st.Close()); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	m := New(Config{DataDir: dir, Logger: slog.New(slog.NewTextHandler(&said, nil))})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- m.Run(ctx, l) }()
	if err := m.await(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !m.waits() {
		t.Error("it does not wait")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if strings.Count(said.String(), "was away for long") != 1 {
		t.Errorf("logged %q", &said)
	}
}

// TestWaitsAfterTheClockWasSet is of a manager that has seen another time a moment ago.
func TestWaitsAfterTheClockWasSet(t *testing.T) {
	var said bytes.Buffer
	m := New(Config{DataDir: t.TempDir(), Logger: slog.New(slog.NewTextHandler(&said, nil))})
	if m.waits() {
		t.Error("it waits for nothing")
	}
	m.clock.wall = m.clock.wall.AddDate(-10, 0, 0)
	for range 2 {
		if !m.waits() {
			t.Error("it does not wait")
		}
	}
	if strings.Count(said.String(), "the clock was set") != 1 {
		t.Errorf("logged %q", &said)
	}
	given := New(Config{DataDir: t.TempDir(), Now: time.Now})
	if given.waits(); given.waits() {
		t.Error("it does not believe the clock that it was given")
	}
}
