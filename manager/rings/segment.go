package rings

import (
	"maps"
	"slices"
	"time"

	"cassini/model"
	"cassini/model/inquiry"
)

// check finds out whether a zone is there, after one of its hosts was said to have
// crashed: a few others are probed. One that answers is enough.
type check struct {
	zone    string
	waiting []waiting // verdicts that wait for what comes out
	open    int
	silent  []string // hosts that did not answer
}

type waiting struct {
	host    *Host
	verdict model.Verdict
}

// sample is how many others of a zone are probed.
const sample = 5

// lostZone is one that nothing was heard of. Its hosts say so themselves: ZoneLost.
type lostZone struct {
	zone  string
	id    model.ReportID
	due   time.Time
	pause time.Duration
}

const (
	firstLook = 5 * time.Second
	lastLook  = time.Minute
)

// others are hosts of a zone that should be there, without one: sample of them at most.
func (r *Rings) others(zone, but string) (list []*Host) {
	for _, id := range r.zones[zone] {
		order := r.rings[id].Order
		start := r.cfg.Rand.IntN(len(order))
		for i := range order {
			h := r.hosts[order[(start+i)%len(order)]]
			if h.Host == but || h.Host == r.cfg.Local || !h.alive() {
				continue
			}
			if list = append(list, h); len(list) == sample {
				return list
			}
		}
	}
	return list
}

// examine takes a death that was told from elsewhere. It holds it back until something is
// known of the zone, if the host has one with others.
func (r *Rings) examine(h *Host, v model.Verdict, now time.Time) {
	if r.lost[h.Zone] != nil {
		r.subsume(h, v, now)
		return
	}
	c := r.check(h, now)
	if c == nil {
		r.secondLook(h, v, now)
		return
	}
	for _, w := range c.waiting {
		if w.host == h {
			return
		}
	}
	c.waiting = append(c.waiting, waiting{h, v})
	r.ask(h, now) // for the second look, if there is to be one
}

// check is what finds out about the zone of a host; nil if nobody needs to be asked, since
// this machine is part of it, or nobody can be.
func (r *Rings) check(h *Host, now time.Time) *check {
	local := r.hosts[r.cfg.Local]
	if h.Zone == "" || local != nil && local.Zone == h.Zone {
		return nil
	}
	if c := r.checks[h.Zone]; c != nil {
		return c
	}
	others := r.others(h.Zone, h.Host)
	if len(others) == 0 {
		return nil
	}
	c := &check{zone: h.Zone, open: len(others)}
	r.checks[h.Zone] = c
	for _, o := range others {
		r.probe(o, now, func(s model.Sight, now time.Time) { r.checked(c, o, s, now) })
	}
	return c
}

// sameZone says whether the reporter stands in the zone of the one that it reports.
func (r *Rings) sameZone(v model.Verdict) bool {
	reporter := r.hosts[v.ID.Reporter]
	return reporter != nil && reporter.Zone == r.hosts[v.Subject.Host].Zone
}

// checked takes what came of one probe series.
func (r *Rings) checked(c *check, h *Host, s model.Sight, now time.Time) {
	if r.checks[c.zone] != c {
		return // it is decided
	}
	c.open--
	if s != model.SightNothing {
		delete(r.checks, c.zone)
		for _, w := range c.waiting {
			r.secondLook(w.host, w.verdict, now)
		}
		return
	}
	c.silent = append(c.silent, h.Host)
	if c.open == 0 {
		delete(r.checks, c.zone)
		r.lose(c, now)
	}
}

// lose declares a zone lost: its hosts are unobservable, not dead.
func (r *Rings) lose(c *check, now time.Time) {
	e := model.Evidence{Probes: inquiry.Probes * len(c.silent)}
	for _, w := range c.waiting {
		if !slices.Contains(c.silent, w.host.Host) {
			c.silent = append(c.silent, w.host.Host)
		}
	}
	for _, host := range c.silent {
		e.Observations = append(e.Observations, model.Observation{Observer: host, Sight: model.SightNothing})
	}
	v := r.report(model.VerdictSegment, model.RingMember{Host: c.zone, Zone: c.zone}, e, now)
	r.lookFor(c.zone, v.ID, now)
	for _, h := range r.hostsOf(c.zone) {
		if h.Certificate != nil { // what was said of it before is part of this
			r.subsume(h, model.Verdict{ID: *h.Certificate}, now)
		}
		h.State, h.Since, h.Certificate, h.ZoneLost = Unobservable, now, &v.ID, true
		r.cfg.World.KeepHost(h)
	}
	for _, w := range c.waiting {
		r.subsume(w.host, w.verdict, now)
	}
}

// lookFor begins to look for a zone that is lost.
func (r *Rings) lookFor(zone string, id model.ReportID, now time.Time) {
	r.lost[zone] = &lostZone{zone: zone, id: id, due: now.Add(firstLook), pause: firstLook}
}

// hostsOf are the hosts of a zone that have places there.
func (r *Rings) hostsOf(zone string) (list []*Host) {
	for _, id := range r.zones[zone] {
		for _, name := range r.rings[id].Order {
			if h := r.hosts[name]; h.alive() {
				list = append(list, h)
			}
		}
	}
	return list
}

// found takes a sign of life from a zone that was lost: it is back, and each of its hosts
// has to show that itself.
func (r *Rings) found(z *lostZone, now time.Time) {
	delete(r.lost, z.zone)
	r.correct(model.RingMember{Host: z.zone, Zone: z.zone}, z.id, model.VerdictSegment, "answer", now)
	for _, h := range r.hostsOf(z.zone) {
		if h.ZoneLost {
			r.release(h, now)
			r.probeTwice(h, now)
		}
	}
}

// release ends what is said of a host because of its zone. It is unobservable all the same,
// until it shows that it is there.
func (r *Rings) release(h *Host, now time.Time) {
	if !h.ZoneLost {
		return
	}
	h.Certificate, h.ZoneLost = nil, false
	r.cfg.World.KeepHost(h)
	r.careFor(h, now)
}

// findLost takes up the zone of a host again that an earlier life declared lost.
func (r *Rings) findLost(h *Host, now time.Time) {
	if h.ZoneLost && r.lost[h.Zone] == nil {
		r.lookFor(h.Zone, *h.Certificate, now)
	}
}

// probeTwice looks whether a host of a zone that came back is there: not at once, since
// switches and hosts take their time, and again before it is said to be dead.
func (r *Rings) probeTwice(h *Host, now time.Time) {
	r.probe(h, now, func(s model.Sight, now time.Time) {
		if s == model.SightAgent || h.State != Unobservable {
			return // which did the rest
		}
		r.probe(h, now.Add(firstLook), func(s model.Sight, now time.Time) {
			if s != model.SightAgent && h.State == Unobservable {
				r.judge(h, s, now)
			}
		})
	})
}

// look probes lost zones, ever more seldom.
func (r *Rings) look(now time.Time) {
	for _, zone := range slices.Sorted(maps.Keys(r.lost)) {
		z := r.lost[zone]
		if now.Before(z.due) {
			continue
		}
		z.due = now.Add(z.pause)
		z.pause = min(2*z.pause, lastLook)
		if others := r.others(z.zone, ""); len(others) > 0 {
			r.ask(others[0], now)
		}
	}
}
