package manager

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"cassini/manager/store"
)

// A clock that is wrong must not cost what nobody can bring back: the past in the log and in the audit
// log, hosts that are down, tokens, the key of an authority during its rotation. So what is destroyed
// since its time is over waits for an hour after the clock was set, and after a start so long behind
// what the log has that the clock may be wrong.
const (
	clockHold  = time.Hour
	clockJumps = 10 * time.Minute // by so much a clock is set, and does not drift
	clockAway  = 24 * time.Hour   // for so long a manager is not away every day
)

// clock tells whether the clock on the wall goes as the one that nobody sets. It is safe for
// concurrent use; the zero value is ready.
type clock struct {
	mu    sync.Mutex
	wall  time.Time     // when it was looked at last; zero: never
	up    time.Duration // likewise, by the other clock
	until time.Duration // of the other clock: until then things wait
}

// look says by how much the clock on the wall was set since the last look, 0 if it was not, and
// whether what cannot be undone has to wait. Up is how long the process runs, awake.
func (c *clock) look(wall time.Time, up time.Duration) (set time.Duration, hold bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall = wall.Round(0)
	if !c.wall.IsZero() {
		set = wall.Sub(c.wall) - (up - c.up)
	}
	if c.wall, c.up = wall, up; set.Abs() < clockJumps {
		return 0, up < c.until
	}
	c.until = up + clockHold
	return set, true
}

// begin says whether what cannot be undone has to wait from the start on: the clock says that the
// manager was away for long since it last knew the time.
func (c *clock) begin(last, wall time.Time) (hold bool) {
	if last.IsZero() || wall.Sub(last) < clockAway {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = clockHold
	return true
}

// beginClock holds the clock against what the log knew an hour ago: what came since may have its time from the same
// clock, before another start. Where the clock was ahead and was set back, the log is ahead of it.
func (m *Manager) beginClock(ctx context.Context) error {
	if m.began.IsZero() {
		return nil
	}
	now := time.Now()
	last, err := m.newestBefore(ctx, "")
	if err == nil && last.Before(now) {
		last, err = m.newestBefore(ctx, store.Since(now.Add(-clockHold)))
	}
	if err != nil {
		return err
	}
	if m.clock.begin(last, now) {
		m.log.Warn("by the clock the manager was away for long: for an hour nothing is forgotten because of its age; if the clock is wrong, set it right until then", "last", last, "now", now.UTC().Round(time.Second), "held", clockHold)
	}
	return nil
}

// newestBefore is the time of the newest that the log has before a key, zero where there is nothing. "" is no bound.
func (m *Manager) newestBefore(ctx context.Context, before store.Key) (time.Time, error) {
	for e, err := range m.store.History(ctx, store.Filter{}, before) {
		if err != nil && !errors.Is(err, store.ErrBadEntry) {
			return time.Time{}, fmt.Errorf("read document log: %w", err)
		}
		if at, err := e.Key.Time(); err == nil {
			return at, nil
		}
	}
	return time.Time{}, nil
}

// waits says whether what cannot be undone has to wait, since the clock was set a short while
// ago. A clock that is given (Config.Now) is believed.
func (m *Manager) waits() bool {
	if m.began.IsZero() {
		return false
	}
	now := time.Now()
	set, hold := m.clock.look(now, now.Sub(m.began))
	if set != 0 {
		m.log.Warn("the clock was set, or the machine slept: for an hour nothing is forgotten because of its age; if the clock is wrong, set it right until then", "by", set.Round(time.Second), "now", now.UTC().Round(time.Second), "held", clockHold)
	}
	return hold
}
