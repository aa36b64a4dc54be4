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

// care is for a host of which something is said that is no death. Whoever said it takes it
// back, unless its life has ended meanwhile, or its word is lost.
type care struct {
	due   time.Time
	pause time.Duration
}

// The manager looks after hosts that are unwell for as long as firstCare, and then ever more
// seldom.
const (
	firstCare = 30 * time.Second
	lastCare  = 5 * time.Minute
)

// unwell says that something is said of a host which is no death, nor of its whole zone.
func (h *Host) unwell() bool { return h.State != Up && h.alive() && !h.ZoneLost }

// careFor begins to look after a host, if it is unwell.
func (r *Rings) careFor(h *Host, now time.Time) {
	if !h.unwell() {
		return
	}
	// Spread, so that those of one event are not asked at once.
	c := &care{due: now.Add(firstCare + time.Duration(r.cfg.Rand.Int64N(int64(firstCare)))), pause: firstCare}
	r.cares[h.Host] = c
	r.careAt(c.due)
}

// careAt notes that somebody is to be asked at a time.
func (r *Rings) careAt(due time.Time) {
	if r.nextCare.IsZero() || due.Before(r.nextCare) {
		r.nextCare = due
	}
}

// takeCare asks the unwell how they are, and forgets those that are well.
func (r *Rings) takeCare(now time.Time) {
	if r.nextCare.IsZero() || now.Before(r.nextCare) {
		return
	}
	r.nextCare = time.Time{}
	for _, name := range slices.Sorted(maps.Keys(r.cares)) {
		c, h := r.cares[name], r.hosts[name]
		if h == nil || !h.unwell() {
			delete(r.cares, name)
			continue
		}
		if !now.Before(c.due) {
			c.pause = min(2*c.pause, lastCare)
			c.due = now.Add(c.pause)
			r.probe(h, now, func(s model.Sight, now time.Time) { r.cared(h, s, now) })
		}
		r.careAt(c.due)
	}
}

// cared takes back that a link is down which is watched no more by who said so. Of the
// others an answer says enough.
func (r *Rings) cared(h *Host, s model.Sight, now time.Time) {
	if s == model.SightAgent && h.State == LinkDown && r.over(h.Certificate) {
		r.correct(h.RingMember, *h.Certificate, model.VerdictLink, "answer", now)
		r.returned(h, now)
	}
}

// over says that the life in which something was reported has ended: nobody is left who
// would take it back.
func (r *Rings) over(id *model.ReportID) bool {
	reporter := r.hosts[id.Reporter]
	return reporter == nil || reporter.Incarnation > id.Incarnation || !reporter.alive()
}

// Next is when Tick is to be called; zero when nothing is due.
func (r *Rings) Next() (next time.Time) {
	earlier := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	earlier(r.soonest())
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
