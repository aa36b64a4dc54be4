package rings

import (
	"slices"
	"time"

	"cassini/model"
)

// reports are those that were taken, of late: duplicates fold.
type reports struct {
	known map[model.ReportID]bool
	order []model.ReportID
}

const maxReports = 100_000

func (s *reports) fresh(id model.ReportID) bool {
	if s.known[id] {
		return false
	}
	if s.known == nil {
		s.known = make(map[model.ReportID]bool)
	}
	if len(s.order) == maxReports {
		delete(s.known, s.order[0])
		s.order = s.order[1:]
	}
	s.known[id] = true
	s.order = append(s.order, id)
	return true
}

// TakeFrom takes a verdict that a host brings. What is another's is looked at by the
// manager first: nothing proves that the other has said it.
func (r *Rings) TakeFrom(by string, v model.Verdict, now time.Time) {
	if by == v.ID.Reporter || v.ID.Reporter == model.ManagerHost && by == r.cfg.Host {
		r.Take(v, now)
		return
	}
	h := r.hosts[v.Subject.Host]
	if r.seen.known[v.ID] || h == nil || !h.alive() || v.Kind == model.VerdictCorrected || v.Subject.Incarnation < h.Incarnation {
		return
	}
	r.probe(h, now, func(s model.Sight, now time.Time) {
		if s != model.SightAgent {
			r.Take(v, now)
		}
	})
}

// Expel takes a host out of everything: it is shut out. The rings that it was on get new
// keys, since it knows the next ones too.
func (r *Rings) Expel(host string, now time.Time) bool {
	h := r.hosts[host]
	if h == nil {
		return false
	}
	was := slices.Clone(h.Rings)
	r.remove(h, now)
	for _, id := range was {
		if ring := r.rings[id]; ring != nil {
			ring.Master, ring.Generation = r.cfg.Secret(), 1
			r.plan(ring, now)
			r.tellAll(ring, func() time.Time { return now })
		}
	}
	delete(r.hosts, host)
	delete(r.alone, host)
	for at := range r.pending {
		if at.host == host {
			delete(r.pending, at)
		}
	}
	r.cfg.World.DropHost(host)
	return true
}

// Take takes a verdict of a member: it mends rings, or looks first whether more than
// the one host is concerned.
func (r *Rings) Take(v model.Verdict, now time.Time) {
	h := r.hosts[v.Subject.Host]
	if !r.seen.fresh(v.ID) {
		return
	}
	if v.Corrects != nil {
		r.seen.fresh(*v.Corrects) // it may come later, and is over all the same
	}
	if v.Kind == model.VerdictManager {
		r.stats.Verdicts[v.Kind]++
		return
	}
	if h == nil || v.Subject.Incarnation != 0 && v.Subject.Incarnation < h.Incarnation {
		r.stats.Stale++
		return
	}
	r.stats.Verdicts[v.Kind]++
	if v.Kind == model.VerdictCrashed && v.Evidence.SilentObservers() < observers {
		v.Kind = model.VerdictUnobservable // one alone calls nobody dead
	}
	switch {
	case v.Kind == model.VerdictCorrected:
		r.returned(h, v.Evidence.Clue, now)
	case v.Subject.Host == v.ID.Reporter: // it was cut off, and is back
		r.returned(h, "reunited", now)
	case !h.alive():
		r.stats.Stale++
	case v.Kind.Death() && (accusesOften(v) || r.heldDead(v.ID.Reporter)):
		r.secondLook(h, v, now)
	case v.Kind == model.VerdictCrashed && r.zoneOf(h) != "":
		r.examine(h, v, now)
	default:
		r.enforce(h, v, now)
	}
}

// observers that a death by silence needs.
const observers = 2

// often is the score of a reporter from which on the manager looks for itself.
const often = 16

func accusesOften(v model.Verdict) bool {
	return len(v.Evidence.Observations) > 0 && v.Evidence.Observations[0].Score >= often
}

// heldDead says that a host was said to be dead itself: what it reports may be old.
func (r *Rings) heldDead(host string) bool {
	h := r.hosts[host]
	return h != nil && !h.alive()
}

// secondLook probes whom a member accuses that has often accused wrongly of late, or
// that is held for dead.
func (r *Rings) secondLook(h *Host, v model.Verdict, now time.Time) {
	r.probe(h, now, func(s model.Sight, now time.Time) {
		if s != model.SightAgent && h.alive() {
			r.enforce(h, v, now)
		}
	})
}

// enforce puts a verdict into force.
func (r *Rings) enforce(h *Host, v model.Verdict, now time.Time) {
	state := stateOf(v.Kind)
	if h.State == state {
		return
	}
	h.State, h.Since, h.Certificate = state, now, &v.ID
	if h.alive() {
		r.cfg.World.KeepHost(h)
		return
	}
	r.remove(h, now)
}

// returned takes a host for alive again.
func (r *Rings) returned(h *Host, _ string, now time.Time) {
	if z := r.lost[h.Zone]; z != nil {
		r.found(z, h, now)
	}
	if h.State == Up {
		return
	}
	h.State, h.Since, h.Certificate = Up, now, nil
	if len(h.Rings) == 0 {
		r.insert(h, now)
	}
	r.dismiss(h, now)
	r.cfg.World.KeepHost(h)
}

// report keeps a verdict of the manager's own.
func (r *Rings) report(kind model.VerdictKind, subject model.RingMember, e model.Evidence, corrects *model.ReportID, now time.Time) model.Verdict {
	r.cfg.Reporter.Sequence++
	v := model.Verdict{ID: r.cfg.Reporter, Kind: kind, Subject: subject, At: now.UTC().Truncate(time.Millisecond), Evidence: e, Corrects: corrects}
	r.seen.fresh(v.ID)
	r.stats.Verdicts[kind]++
	r.cfg.World.Verdict(v)
	return v
}
