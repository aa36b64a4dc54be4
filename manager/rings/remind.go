package rings

import "time"

// reminder tells every member its place again after a restart, one ring after the other. A
// ring whose turn has not come is all that is kept of it: what its members are to be told
// follows from the ring.
type reminder struct {
	rings []*Ring
	due   time.Time // when the turn of the first comes; zero before Remind, and when there is none
	every time.Duration
}

// After a start all rings are told within restoreSpread, those of a large estate so that a
// host takes restoreEach.
const (
	restoreSpread = 10 * time.Second
	restoreEach   = 250 * time.Microsecond
)

// Remind begins to tell all members of what was restored their places, ring by ring, in an
// order by which no part of the estate answers at once.
func (r *Rings) Remind(now time.Time) {
	if len(r.reminder.rings) == 0 {
		return
	}
	spread := max(restoreSpread, time.Duration(len(r.hosts))*restoreEach)
	r.reminder.due, r.reminder.every = now, spread/time.Duration(len(r.reminder.rings))
	r.cfg.Rand.Shuffle(len(r.reminder.rings), func(a, b int) {
		all := r.reminder.rings
		all[a], all[b] = all[b], all[a]
	})
}

// remindDue tells the members of the rings whose turn has come what they were not told
// meanwhile. A ring that is no more has no members.
func (r *Rings) remindDue(now time.Time) {
	for m := &r.reminder; !m.due.IsZero() && !now.Before(m.due); {
		ring := m.rings[0]
		for _, host := range ring.Order {
			if r.unsaid(ring, host) {
				r.instruct(ring, host, now)
			}
		}
		m.rings, m.due = m.rings[1:], m.due.Add(m.every)
		if len(m.rings) == 0 {
			*m = reminder{}
		}
	}
}

// unsaid says whether a member was not told its place yet in this life of the manager.
func (r *Rings) unsaid(ring *Ring, host string) bool {
	_, told := r.told[place{ring.ID, host}]
	return !told
}

// waits says whether a member has yet to acknowledge its place.
func (r *Rings) waits(ring *Ring, host string) bool {
	return r.pending[place{ring.ID, host}] != nil || r.unsaid(ring, host)
}

// unreminded is how many members' turn has yet to come.
func (r *Rings) unreminded() (n int) {
	for _, ring := range r.reminder.rings {
		for _, host := range ring.Order {
			if r.unsaid(ring, host) {
				n++
			}
		}
	}
	return n
}
