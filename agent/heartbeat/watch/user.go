package watch

import (
	"context"
	"fmt"
	"maps"
	"math/bits"
	"sync"
	"time"

	"cassini/model/wire"
	"cassini/transport/admit"
)

const (
	maxEvents = 1024
	retry     = 100 * time.Millisecond // when an event found no room
)

// User is the watch in user space: every heartbeat wakes the process. It knows when it
// was late itself, and then gives a new window instead of an alarm.
type User struct {
	events chan Event
	wake   chan struct{} // a deadline came closer

	mu       sync.Mutex
	sets     map[wire.Set]*watched
	counters map[string]uint64
	control  *admit.Gate
}

// watched is one set. A neighbour's state is that of the kernel's struct pulse.
type watched struct {
	Set
	window  wire.Window
	last    time.Time // latest heartbeat
	since   time.Time // that, or when the window was begun anew: the deadline counts from here
	due     time.Time // zero: none is due
	expired bool
	stats   Stats
}

// Control datagrams that pass in a second, and how many of their headers are remembered:
// what bpf/control.h has.
const (
	controlRate = 1024
	maxSeen     = 1024
)

// NewUser makes a watch that holds nothing but memory.
func NewUser() *User {
	return &User{
		events: make(chan Event, maxEvents), wake: make(chan struct{}, 1),
		sets: make(map[wire.Set]*watched), counters: make(map[string]uint64), control: admit.New(controlRate, maxSeen),
	}
}

// Name is "user".
func (u *User) Name() string { return "user" }

// Put is Watch's.
func (u *User) Put(s Set) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if w := u.sets[s.ID]; w != nil {
		w.Set = s
		return nil
	}
	if len(u.sets) == MaxSets {
		return fmt.Errorf("watch set %#x: %w", s.ID, ErrFull)
	}
	w := &watched{Set: s}
	u.sets[s.ID] = w
	u.arm(w, time.Now())
	return nil
}

// Arm is Watch's.
func (u *User) Arm(id wire.Set) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	w := u.sets[id]
	if w == nil {
		return fmt.Errorf("arm set %#x: %w", id, ErrUnknown)
	}
	u.arm(w, time.Now()) // if it expired, a heartbeat still is a return
	return nil
}

// arm begins the window. Run is woken only for a deadline before the one that it may
// wait for.
func (u *User) arm(w *watched, now time.Time) {
	before := w.due
	w.since, w.due = now, time.Time{}
	if w.Interval != 0 && w.Silence != 0 {
		w.due = now.Add(w.Silence)
	}
	if w.due.IsZero() || !before.IsZero() && !w.due.Before(before) {
		return
	}
	select {
	case u.wake <- struct{}{}:
	default:
	}
}

// Remove is Watch's.
func (u *User) Remove(id wire.Set) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.sets, id)
	return nil
}

// Events is Watch's.
func (u *User) Events() <-chan Event { return u.events }

// Run waits for deadlines until the context ends.
func (u *User) Run(ctx context.Context) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		next := u.expire(time.Now())
		if next.IsZero() {
			next = time.Now().Add(time.Hour)
		}
		timer.Reset(time.Until(next))
		select {
		case <-timer.C:
		case <-u.wake:
		case <-ctx.Done():
			return nil
		}
	}
}

// expire tells of neighbours whose deadline has passed, and when the next one does.
func (u *User) expire(now time.Time) (next time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, w := range u.sets {
		if !w.due.IsZero() && !now.Before(w.due) {
			u.pass(w, now)
		}
		if !w.due.IsZero() && (next.IsZero() || w.due.Before(next)) {
			next = w.due
		}
	}
	return next
}

// pass is the end of a window. The set may have another silence by now.
func (u *User) pass(w *watched, now time.Time) {
	if w.Interval == 0 || w.Silence == 0 {
		w.due = time.Time{}
		return
	}
	if rest := w.Silence - now.Sub(w.since); rest > 0 {
		w.due = now.Add(rest)
		return
	}
	if late := now.Sub(w.due); late > w.grace() {
		w.stats.Late++
		w.since, w.due = now, now.Add(w.Silence)
		u.tell(w, Late, now)
		return
	}
	if !u.tell(w, Expired, now) {
		w.due = now.Add(retry)
		return
	}
	w.stats.Expiries++
	w.expired, w.due = true, time.Time{}
}

func (u *User) tell(w *watched, kind Kind, now time.Time) bool {
	e := Event{Kind: kind, Set: w.ID, Incarnation: w.stats.Incarnation}
	if !w.last.IsZero() {
		e.Silent = now.Sub(w.last)
	}
	select {
	case u.events <- e:
		return true
	default:
		u.counters[Untold]++
		return false
	}
}

// Take is Watch's.
func (u *User) Take(b []byte) bool {
	now := time.Now()
	u.mu.Lock()
	defer u.mu.Unlock()
	what, w, h := u.check(b, now)
	u.counters[what]++
	if what == Heartbeat {
		u.beat(w, h, now)
	}
	return what == Control
}

// check is what bpf/heartbeat.c does, in its order.
func (u *User) check(b []byte, now time.Time) (string, *watched, wire.Header) {
	h, err := wire.ParseHeader(b)
	if err != nil {
		return outcome(err), nil, h
	}
	if !h.Type.HeaderOnly() && (len(b) == wire.HeaderSize || len(b) > wire.MaxDatagram) {
		return Malformed, nil, h
	}
	w := u.sets[h.Set]
	if w == nil || (w.Interval == 0) != (h.Type != wire.Heartbeat) {
		return UnknownSet, nil, h
	}
	if err := w.checkTag(b, h); err != nil {
		return outcome(err), nil, h
	}
	switch {
	case h.Type == wire.Ask: // a reflector would have answered; the agent does not
		return NotWatched, nil, h
	case h.Type != wire.Heartbeat && !u.control.Pass(b, now):
		return Limited, nil, h
	case h.Type != wire.Heartbeat:
		return Control, nil, h
	case h.Incarnation < w.stats.Incarnation:
		return OldIncarnation, nil, h
	case !w.window.Take(h.Nonce):
		return Replayed, nil, h
	}
	return Heartbeat, w, h
}

func (w *watched) checkTag(b []byte, h wire.Header) error {
	for _, key := range w.Keys {
		if key.ID == h.Key {
			return wire.CheckTag(b, key.Tag)
		}
	}
	return wire.ErrKey
}

func (u *User) beat(w *watched, h wire.Header, now time.Time) {
	last := w.last
	if h.Incarnation > w.stats.Incarnation {
		before := w.stats.Incarnation
		w.stats.Incarnation = h.Incarnation
		if !u.tell(w, Incarnation, now) {
			w.stats.Incarnation = before // told at the next one
		}
	}
	if w.expired && u.tell(w, Resumed, now) {
		w.expired = false
	}
	w.last = now
	w.stats.Heartbeats++
	w.stats.Progress, w.stats.Flags = h.Progress, h.Flags
	u.arm(w, now)
	if !last.IsZero() {
		spacing := now.Sub(last)
		w.stats.Spacing[bucketOf(spacing, time.Millisecond)]++
		w.stats.Lateness[bucketOf(max(spacing-w.Interval, 0), 64*time.Microsecond)]++
	}
}

func bucketOf(d, unit time.Duration) int {
	return min(bits.Len64(uint64(d/unit)), Buckets-1)
}

// Stats is Watch's.
func (u *User) Stats(id wire.Set) (Stats, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	w := u.sets[id]
	if w == nil || w.Interval == 0 {
		return Stats{}, fmt.Errorf("tell of set %#x: %w", id, ErrUnknown)
	}
	s := w.stats
	if !w.last.IsZero() {
		s.Silent = time.Since(w.last)
	}
	return s, nil
}

// Counters is Watch's.
func (u *User) Counters() (map[string]uint64, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return maps.Clone(u.counters), nil
}

// Close is Watch's.
func (u *User) Close() error { return nil }

var _, _ Watch = (*User)(nil), (*Kernel)(nil)
