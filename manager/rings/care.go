package rings

import (
	"maps"
	"slices"
	"time"

	"cassini/model"
)

// care is for a host of which something is said that is no death. Whoever said it takes it
// back, unless its life has ended meanwhile, or its word is lost.
type care struct {
	due   time.Time
	pause time.Duration
}

// The manager looks after hosts that are unwell for as long as firstCare, and then ever more
// seldom. Who is due it looks up every careEvery.
const (
	firstCare = 30 * time.Second
	lastCare  = 5 * time.Minute
	careEvery = 5 * time.Second
)

// unwell says that something is said of a host which is no death, nor of its whole zone.
func (h *Host) unwell() bool { return h.State != Up && !h.ZoneLost && (h.alive() || h.State == Deaf) }

// careFor begins to look after a host, if it is unwell.
func (r *Rings) careFor(h *Host, now time.Time) {
	if !h.unwell() {
		return
	}
	if len(r.cares) == 0 {
		r.nextCare = now.Add(careEvery)
	}
	// Spread, so that those of one event are not asked at once.
	r.cares[h.Host] = &care{due: now.Add(firstCare + time.Duration(r.cfg.Rand.Int64N(int64(firstCare)))), pause: firstCare}
}

// takeCare asks the unwell how they are, and forgets those that are well.
func (r *Rings) takeCare(now time.Time) {
	if r.nextCare.IsZero() || now.Before(r.nextCare) {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(r.cares)) {
		c, h := r.cares[name], r.hosts[name]
		switch {
		case h == nil || !h.unwell():
			delete(r.cares, name)
		case h.State == Deaf && now.Sub(h.word) >= wordless:
			r.fellSilent(h, now)
		case !now.Before(c.due):
			c.pause = min(2*c.pause, lastCare)
			c.due = now.Add(c.pause)
			r.probe(h, now, func(s model.Sight, now time.Time) { r.cared(h, s, now) })
		}
	}
	r.nextCare = time.Time{}
	if len(r.cares) > 0 {
		r.nextCare = now.Add(careEvery)
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
