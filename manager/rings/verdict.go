package rings

import (
	"time"

	"cassini/model"
)

// maxReports are how many reports are known that were taken, of late: duplicates fold.
const maxReports = 100_000

// TakeFrom takes a verdict that a host brings. What is another's is looked at by the
// manager first: nothing proves that the other has said it.
func (r *Rings) TakeFrom(by string, v model.Verdict, now time.Time) {
	r.heardFrom(by, now)
	if by == v.ID.Reporter || v.ID.Reporter == model.ManagerHost && by == r.cfg.Host {
		r.Take(v, now)
		return
	}
	h := r.hosts[v.Subject.Host]
	if r.seen.Has(v.ID) || h == nil || !h.alive() || v.Kind == model.VerdictCorrected {
		return
	}
	if v.Subject.Incarnation < h.Incarnation {
		r.Take(v, now) // which only refutes it
		return
	}
	r.probe(h, now, func(s model.Sight, now time.Time) {
		if s == model.SightAgent {
			r.refute(h, v, "answer", now)
			return
		}
		r.Take(v, now)
	})
}

// heardFrom looks whether a host is there that is held for dead, and has just brought
// something.
func (r *Rings) heardFrom(host string, now time.Time) {
	if h := r.hosts[host]; h != nil && h.doubtful() && !h.left() {
		r.ask(h, now)
	}
}

// Expel takes a host out of everything: it is shut out.
func (r *Rings) Expel(host string, now time.Time) bool {
	h := r.hosts[host]
	if h == nil {
		return false
	}
	r.shutOut(h, now)
	delete(r.hosts, host)
	delete(r.alone, host)
	delete(r.cares, host)
	delete(r.erred, host)
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
	if !r.seen.Add(v.ID) {
		return
	}
	if v.Corrects != nil {
		r.seen.Add(*v.Corrects) // it may come later, and is over all the same
	}
	if v.Kind == model.VerdictManager {
		r.stats.Verdicts[v.Kind]++
		return
	}
	if h == nil {
		r.stats.Stale++
		return
	}
	if v.Subject.Incarnation != 0 && v.Subject.Incarnation < h.Incarnation {
		r.stats.Stale++
		if v.Kind != model.VerdictCorrected && h.State == Up {
			r.refute(h, v, "restarted", now)
		}
		return
	}
	r.stats.Verdicts[v.Kind]++
	if v.Kind == model.VerdictCrashed && v.Evidence.SilentObservers() < observers {
		v.Kind = model.VerdictUnobservable // one alone calls nobody dead
	}
	switch {
	case v.Kind == model.VerdictDeaf, h.State == Deaf && v.ID.Reporter != h.Host:
		r.stats.Stale++ // nobody else can tell
	case v.Evidence.Clue == model.ClueUnlinked && h.State != LinkDown:
		r.heardFrom(h.Host, now) // nobody else may have anything to say of it
	case v.Kind == model.VerdictCorrected:
		r.returned(h, now)
	case v.Subject.Host == v.ID.Reporter:
		r.hears(h, now)
	case !h.alive():
		r.stats.Stale++
	case v.Kind == model.VerdictCrashed && !r.sameZone(v):
		r.examine(h, v, now)
	case v.Kind.Death() && (accusesOften(v) || r.wasAway(v.ID.Reporter, now) || r.errs(v.ID.Reporter, now)):
		r.secondLook(h, v, now)
	case v.Kind == model.VerdictStopped || v.Kind == model.VerdictShutdown:
		r.secondLook(h, v, now.Add(leaving)) // it did not tell the manager, which would hear it no more in this life
	default:
		r.enforce(h, v, now)
		if !h.alive() {
			r.ask(h, now) // the others that are named said nothing here: if it is there it answers
		}
	}
}

// leaving is how long a host may still answer after it took its leave.
const leaving = 5 * time.Second

// observers that a death by silence needs.
const observers = 2

// wary is for how long the manager looks for itself at what a host says of others, since it was
// wrong: all that is in a report, a second observer too, is what its reporter says.
const wary = time.Hour

// errs says that a host was wrong of late.
func (r *Rings) errs(host string, now time.Time) bool {
	at, ok := r.erred[host]
	if ok && now.Sub(at) >= wary {
		delete(r.erred, host)
	}
	return ok && now.Sub(at) < wary
}

// wrong notes that a host said of a living one that it is not there. Who was away itself may say
// so without being wrong.
func (r *Rings) wrong(host string, now time.Time) {
	if r.hosts[host] != nil && !r.wasAway(host, now) {
		r.erred[host] = now
	}
}

// lives notes who was wrong, of a host that is there in the life in which it was held for dead.
func (r *Rings) lives(h *Host, life model.Incarnation, now time.Time) {
	if (h.State == Crashed || h.State == Ended) && h.Certificate != nil && life == h.Incarnation {
		r.wrong(h.Certificate.Reporter, now)
	}
}

// often is the score of a reporter from which on the manager looks for itself.
const often = 16

func accusesOften(v model.Verdict) bool {
	return len(v.Evidence.Observations) > 0 && v.Evidence.Observations[0].Score >= often
}

// wasAway says that a host is held for dead, cut off or deaf, or was until just now: what it
// reports may be old.
func (r *Rings) wasAway(host string, now time.Time) bool {
	h := r.hosts[host]
	return h != nil && (h.away() || now.Sub(h.back) < lateWords)
}

// lateWords is for how long after its return a host may yet bring verdicts of the time
// in which it was away: its outbox waits for ever longer between attempts.
const lateWords = time.Minute

// secondLook probes whom a member accuses that may be wrong: that has often been of late,
// stands elsewhere, was away itself, or says what nobody could take back. Meanwhile the two may have
// come together again.
func (r *Rings) secondLook(h *Host, v model.Verdict, from time.Time) {
	r.probe(h, from, func(s model.Sight, now time.Time) {
		switch {
		case s == model.SightAgent:
			r.refute(h, v, "answer", now)
		case h.alive():
			r.enforce(h, v, now)
		}
	})
}

// enforce puts a verdict into force.
func (r *Rings) enforce(h *Host, v model.Verdict, now time.Time) {
	state := stateOf(v.Kind)
	if h.State == state {
		if h.Certificate == nil {
			h.Certificate = &v.ID
			r.cfg.World.KeepHost(h)
		}
		return
	}
	h.State, h.Since, h.Certificate, h.ZoneLost = state, now, &v.ID, false
	r.careFor(h, now)
	switch {
	case !h.alive():
		r.remove(h, now)
	case len(h.Rings) == 0:
		r.insert(h, now)
	default:
		r.cfg.World.KeepHost(h)
	}
}

// returned takes a host for alive again.
func (r *Rings) returned(h *Host, now time.Time) {
	if z := r.lost[h.Zone]; z != nil {
		r.found(z, now)
	}
	if h.State == Up {
		return
	}
	if h.away() {
		h.back = now
	}
	h.State, h.Since, h.Certificate, h.ZoneLost = Up, now, nil, false
	if len(h.Rings) == 0 {
		r.insert(h, now)
	}
	r.dismiss(h, now)
	r.cfg.World.KeepHost(h)
}
