package manager

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
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
