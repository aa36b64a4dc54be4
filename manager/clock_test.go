package manager

import (
	"bytes"
	"log/slog"
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

// TestWaitsAfterALongTime starts managers on logs that have entries of some times.
func TestWaitsAfterALongTime(t *testing.T) {
	const year, minute = 365 * 24 * time.Hour, time.Minute
	for _, log := range []struct {
		what string
		ages []time.Duration
		hold bool
	}{
		{"it was away for long", []time.Duration{2 * year}, true},
		{"it was started again since", []time.Duration{2 * year, minute}, true},
		{"it was started more than an hour ago", []time.Duration{2 * year, 90 * minute, minute}, false},
		{"it is new", []time.Duration{minute}, false},
		{"its clock was ahead", []time.Duration{2 * year, -year}, false},
	} {
		dir := t.TempDir()
		received(t, dir, log.ages)
		var said bytes.Buffer
		m := start(t, dir, func(c *Config) { c.Logger = slog.New(slog.NewTextHandler(&said, nil)) })
		if m.waits() != log.hold {
			t.Errorf("%s: does it wait: %v", log.what, !log.hold)
		}
		if err := m.stop(); err != nil {
			t.Error(err)
		}
		if strings.Contains(said.String(), "was away for long") != log.hold {
			t.Errorf("%s: logged %q", log.what, &said)
		}
	}
}

// received makes a log with entries so long ago.
func received(t *testing.T, dir string, ages []time.Duration) {
	t.Helper()
	var at time.Time
	st, err := bolt.Open(bolt.Config{Dir: dir, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	for _, age := range ages {
		at = time.Now().Add(-age)
		if _, err := st.Append(t.Context(), []model.Document{{Name: model.Name{Host: "a", Package: "p", Key: age.String()}, Time: at, Body: []byte("{}")}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
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
