package rings

import (
	"time"

	"cassini/model"
	"cassini/model/inquiry"
)

// say keeps a verdict of the manager's own.
func (r *Rings) say(v model.Verdict, now time.Time) model.Verdict {
	r.cfg.Reporter.Sequence++
	v.ID, v.At = r.cfg.Reporter, now.UTC().Truncate(time.Millisecond)
	r.seen.Add(v.ID)
	r.stats.Verdicts[v.Kind]++
	r.cfg.World.Verdict(v)
	return v
}

// report says something of a host or a zone.
func (r *Rings) report(kind model.VerdictKind, subject model.RingMember, e model.Evidence, now time.Time) model.Verdict {
	return r.say(model.Verdict{Kind: kind, Subject: subject, Evidence: e}, now)
}

// correct takes back what was reported. The kind that it was is "" if it is not known.
func (r *Rings) correct(subject model.RingMember, id model.ReportID, was model.VerdictKind, clue string, now time.Time) {
	r.say(model.Verdict{Kind: model.VerdictCorrected, Subject: subject, Evidence: model.Evidence{Clue: clue}, Corrects: &id, Was: was}, now)
}

// refute corrects a verdict that is not put into force: it is in the log already.
func (r *Rings) refute(h *Host, v model.Verdict, clue string, now time.Time) {
	r.seen.Add(v.ID) // if it is brought again
	if clue == "answer" && v.ID.Reporter != h.Host {
		r.wrong(v.ID.Reporter, now)
	}
	r.correct(h.RingMember, v.ID, v.Kind, clue, now)
}

// subsume corrects a verdict on a host: it was its whole zone.
func (r *Rings) subsume(h *Host, v model.Verdict, now time.Time) {
	r.say(model.Verdict{
		Kind: model.VerdictCorrected, Subject: h.RingMember, Evidence: model.Evidence{Clue: "segment"},
		Corrects: &v.ID, Was: v.Kind, Became: model.VerdictSegment,
	}, now)
}

// judge says of a host what the manager alone has seen in two inquiries, and puts it into
// force. There is only one observer, so that silence is no death.
func (r *Rings) judge(h *Host, s model.Sight, now time.Time) {
	kind := model.VerdictUnobservable
	switch s {
	case model.SightKernel:
		kind = model.VerdictHung
	case model.SightRefused:
		kind = model.VerdictEnded
	}
	e := model.Evidence{Probes: 2 * inquiry.Probes, Observations: []model.Observation{{Observer: model.ManagerHost, Sight: s}}}
	r.enforce(h, r.report(kind, h.RingMember, e, now), now)
}
