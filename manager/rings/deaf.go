package rings

import (
	"time"

	"cassini/model"
	"cassini/model/inquiry"
	"cassini/model/wire"
)

// A deaf host hears nobody, and is heard. It has no place in rings, since it cannot be told
// one; the manager watches it by its word, which it repeats every minute at least. It is deaf
// until it has answered the manager, or says by its outbox that it hears again.

// wordless is for how long a deaf host may say nothing.
const wordless = 3 * time.Minute

// sign takes a control datagram for a sign of life, if it is one of the life that is known. An
// answer alone proves that the host hears: a place is acknowledged, too, that it was told when
// it joined, which goes by TCP.
func (r *Rings) sign(h *Host, from model.RingMember, t wire.Type, now time.Time) {
	switch {
	case t == wire.Leave, from.Incarnation < h.Incarnation, from.Incarnation == h.Incarnation && h.left():
	case t == wire.ProbeAnswer && h.away():
		r.lives(h, from.Incarnation, now)
		r.revive(h, "answer", now)
	case h.doubtful():
		r.ask(h, now)
	}
}

// saysDeaf takes the word of a host that it hears nobody, and asks it: it may by now.
func (r *Rings) saysDeaf(h *Host, v *model.Verdict, now time.Time) {
	if v == nil || v.Kind != model.VerdictDeaf || v.ID.Reporter != h.Host || v.ID.Incarnation != h.Incarnation {
		return
	}
	h.word = now
	if q := r.requests[h.Host]; !h.mayBeDeaf() || q != nil && len(q.waiters) >= maxAskers {
		return // it says so again
	}
	e := v.Evidence
	r.probe(h, now, func(s model.Sight, now time.Time) {
		if s != model.SightAgent && h.mayBeDeaf() {
			e.Probes = inquiry.Probes
			e.Observations = []model.Observation{{Observer: h.Host, Sight: model.SightUnable}, {Observer: model.ManagerHost, Sight: s}}
			r.deafen(h, e, now)
		}
	})
}

// hears takes it from a host itself that it was cut off, and hears again. That answers whatever it
// is being asked, and may not have heard.
func (r *Rings) hears(h *Host, now time.Time) {
	r.returned(h, now)
	if q := r.requests[h.Host]; q != nil && q.probes.Answer(q.probes.ID) {
		r.step(q, now)
	}
}

// mayBeDeaf says that a host is not known to be deaf, and did not leave.
func (h *Host) mayBeDeaf() bool { return h.State != Deaf && !h.left() }

// deafen puts it into force that a host is deaf. What others said of it was that.
func (r *Rings) deafen(h *Host, e model.Evidence, now time.Time) {
	v := model.Verdict{Kind: model.VerdictDeaf, Subject: h.RingMember, Evidence: e}
	if !h.ZoneLost {
		v.Corrects = h.Certificate
	}
	r.enforce(h, r.say(v, now), now)
}

// fellSilent gives a deaf host that says nothing any more a place in a ring again, where
// others find out what has become of it.
func (r *Rings) fellSilent(h *Host, now time.Time) {
	e := model.Evidence{Silent: now.Sub(h.word), Observations: []model.Observation{{Observer: model.ManagerHost, Sight: model.SightNothing}}}
	r.enforce(h, r.report(model.VerdictUnobservable, h.RingMember, e, now), now)
}
