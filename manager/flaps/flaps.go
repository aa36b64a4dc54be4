// Package flaps tells what comes and goes all the time from what came or went once: a
// thing that changed its state often in a short time is flapping, and stays so until it
// has been calm for a while. It reads no clock and performs no I/O.
package flaps

import "time"

// The hysteresis. Down and up again are two changes.
const (
	// Begin is how many changes within Window make a thing flapping.
	Begin = 6
	// Calm is how many changes within Window are so few that it is not flapping any more.
	Calm = 2
	// Window is how far back changes count.
	Window = 10 * time.Minute
	// Limit is how many things are remembered. What has been calm longer than a window is
	// forgotten; without such, nothing new is taken beyond it.
	Limit = 50_000
)

// sweepApart is how far apart two looks for room are: each goes over all that is remembered.
const sweepApart = time.Minute

// kept is how many changes of a thing are remembered.
const kept = 16

// Book remembers when things changed. The zero value is ready. It is not safe for
// concurrent use.
type Book struct {
	all     map[string]*changes
	swept   time.Time // when room was last looked for
	refused uint64
}

// changes are the latest of a thing.
type changes struct {
	at    [kept]time.Time // a ring
	next  int
	since time.Time // of flapping; zero while it is not
}

// Flap is a thing that is flapping.
type Flap struct {
	ID      string
	Changes int       // within the window before now; at most 16 are counted
	Since   time.Time // when it began to be called flapping
	Last    time.Time // change
}

// Changed tells that a thing changed its state, n times at once. It returns whether that
// makes it flapping.
func (b *Book) Changed(id string, at time.Time, n int) (began bool) {
	c := b.all[id]
	if c == nil {
		if b.all == nil {
			b.all, b.swept = make(map[string]*changes), at
		}
		if at.Sub(b.swept) >= Window || len(b.all) >= Limit {
			b.sweep(at)
		}
		if len(b.all) >= Limit {
			b.refused++
			return false
		}
		c = &changes{}
		b.all[id] = c
	}
	if !c.since.IsZero() && c.within(at) <= Calm {
		c.since = time.Time{} // it has been calm meanwhile
	}
	for range min(n, kept) {
		c.at[c.next%kept] = at
		c.next++
	}
	if c.since.IsZero() && c.within(at) >= Begin {
		c.since = at
		return true
	}
	return false
}

// sweep forgets what has been calm for a window, unless it did a moment ago.
func (b *Book) sweep(at time.Time) {
	if at.Sub(b.swept).Abs() < sweepApart {
		return
	}
	b.swept = at
	for id, c := range b.all {
		if c.within(at) == 0 {
			delete(b.all, id)
		}
	}
}

// within is how many changes there were in the window before a moment.
func (c *changes) within(now time.Time) (n int) {
	for _, at := range c.at {
		if !at.IsZero() && now.Sub(at) < Window {
			n++
		}
	}
	return n
}

// Forget tells that a thing is not there any more and will not come back.
func (b *Book) Forget(id string) { delete(b.all, id) }

// Refused is how many changes were of things that found no room.
func (b *Book) Refused() uint64 { return b.refused }

// Of is a thing as it stands at a moment; ok is false unless it is flapping.
func (b *Book) Of(id string, now time.Time) (f Flap, ok bool) {
	c := b.all[id]
	if c == nil || c.since.IsZero() {
		return f, false
	}
	n := c.within(now)
	if n <= Calm {
		return f, false
	}
	return Flap{ID: id, Changes: n, Since: c.since, Last: c.at[(c.next+kept-1)%kept]}, true
}

// All are the things that are flapping at a moment, in no order.
func (b *Book) All(now time.Time) (list []Flap) {
	for id := range b.all {
		if f, ok := b.Of(id, now); ok {
			list = append(list, f)
		}
	}
	return list
}
