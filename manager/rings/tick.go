package rings

import (
	"maps"
	"slices"
	"time"

	"cassini/model"
)

// vigil is the watch of a host that no other watches: the manager probes it.
type vigil struct {
	due    time.Time
	silent int // inquiries without an answer, in a row
}

// companyChanged looks at who came to a ring or left it, and at who may be alone in it
// now, or no more.
func (r *Rings) companyChanged(ring *Ring, h *Host, now time.Time) {
	r.watchIfAlone(h, now)
	for _, name := range ring.Order[:min(len(ring.Order), 2)] {
		r.watchIfAlone(r.hosts[name], now)
	}
}

// watchIfAlone begins a vigil, or ends it.
func (r *Rings) watchIfAlone(h *Host, now time.Time) {
	lonely := h.Host != r.cfg.Local && h.alive() && !slices.ContainsFunc(h.Rings, func(id model.RingID) bool { return len(r.rings[id].Order) > 1 })
	switch {
	case lonely && r.alone[h.Host] == nil:
		r.alone[h.Host] = &vigil{due: now.Add(r.cfg.Profile.Silence)}
	case !lonely:
		delete(r.alone, h.Host)
	}
}

// keepVigil probes the lonely.
func (r *Rings) keepVigil(now time.Time) {
	for _, name := range slices.Sorted(maps.Keys(r.alone)) {
		v := r.alone[name]
		if v == nil || now.Before(v.due) {
			continue
		}
		h := r.hosts[name]
		v.due = now.Add(r.cfg.Profile.Silence)
		r.probe(h, now, func(s model.Sight, now time.Time) { r.vigilSeen(v, h, s, now) })
	}
}

func (r *Rings) vigilSeen(v *vigil, h *Host, s model.Sight, now time.Time) {
	if s == model.SightAgent {
		v.silent = 0
		return
	}
	if v.silent++; v.silent == 2 {
		r.judge(h, s, now)
	}
}

// Next is when Tick is to be called; zero when nothing is due.
func (r *Rings) Next() (next time.Time) {
	earlier := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	earlier(r.soonest())
	earlier(r.reminder.due)
	for _, q := range r.requests {
		earlier(q.due())
	}
	for _, z := range r.lost {
		earlier(z.due)
	}
	for _, v := range r.alone {
		earlier(v.due)
	}
	earlier(r.nextCare)
	earlier(r.rotation)
	return next
}

// Tick does what is due.
func (r *Rings) Tick(now time.Time) {
	r.remindDue(now)
	r.repeat(now)
	for _, host := range slices.Sorted(maps.Keys(r.requests)) {
		q := r.requests[host]
		if due := q.due(); !due.IsZero() && !now.Before(due) {
			r.step(q, now)
		}
	}
	r.look(now)
	r.keepVigil(now)
	r.takeCare(now)
	r.rotateDue(now)
}
