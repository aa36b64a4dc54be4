package member

import (
	"maps"
	"slices"
	"time"

	"cassini/model"
	"cassini/model/wire"
)

// standing is a verdict that holds.
type standing struct {
	ring    *ring
	verdict model.Verdict
	left    bool      // it took its leave
	planned bool      // a death, and a later plan has the host still
	recheck time.Time // of what is no death, which may yet become one, and of what is planned
	pause   time.Duration
}

// plan notes that a later plan has a host which was said to be dead. The manager may not
// know it so far, or have had a sign of life since: then it is to be told again.
func (s *standing) plan(r *ring, now time.Time) {
	s.ring = r
	again := r.id != s.verdict.Ring || r.place.Epoch > s.verdict.Epoch
	if again && !s.planned && !s.left && s.verdict.Kind.Death() {
		s.planned, s.recheck = true, now.Add(firstRecheck*r.place.Profile.Silence)
	}
}

// later puts the next look at a verdict off, ever more.
func (s *standing) later(now time.Time) {
	s.pause = min(2*s.pause, lastRecheck*s.ring.place.Profile.Silence)
	s.recheck = now.Add(s.pause)
}

// Verdicts that are no deaths are looked at again after three times the silence, and
// then ever more seldom.
const (
	firstRecheck = 3
	lastRecheck  = 20
)

// sentence reports a verdict of a case, unless it already stands and is known.
func (m *Member) sentence(c *suspicion, kind model.VerdictKind, now time.Time) {
	silence := c.ring.place.Profile.Silence
	s := m.standing[c.subject.Host]
	if s != nil && s.verdict.Kind == kind && !s.planned {
		if !kind.Death() {
			s.later(now)
		}
		return
	}
	v := m.verdict(c.ring, kind, c.subject, now)
	v.Evidence = m.evidence(c, now)
	s = &standing{ring: c.ring, verdict: v, pause: firstRecheck * silence}
	if !kind.Death() {
		s.recheck = now.Add(s.pause)
	} else if m.cut != nil {
		m.cut = nil // the others had gone, it was not this host
	}
	m.standing[c.subject.Host] = s
	m.report(c.ring, v, now)
	m.bridgeOver(c.ring, now)
}

// verdict makes a report without evidence.
func (m *Member) verdict(r *ring, kind model.VerdictKind, subject model.RingMember, now time.Time) model.Verdict {
	m.sequence++
	return model.Verdict{
		ID:   model.ReportID{Reporter: m.self.Host, Incarnation: m.self.Incarnation, Sequence: m.sequence},
		Ring: r.id, Epoch: r.place.Epoch, Kind: kind, Subject: subject, At: now.UTC().Truncate(time.Millisecond),
	}
}

// report brings a verdict to the manager, and to members who keep it meanwhile.
func (m *Member) report(r *ring, v model.Verdict, now time.Time) {
	m.stats.Verdicts[v.Kind]++
	m.world.Report(v)
	if v.Kind == model.VerdictCorrected || v.Kind == model.VerdictUnobservable {
		return
	}
	h := &handed{ring: r, verdict: v, due: now}
	for _, who := range append(slices.Clone(r.place.Successors), r.place.Previous.RingMember) {
		if who.Known() && who.Host != m.self.Host && who.Host != v.Subject.Host && m.standing[who.Host] == nil && m.cases[who.Host] == nil {
			h.to = who
			break
		}
	}
	if h.to.Known() && len(m.handed) < maxHanded {
		m.handed[v.ID.Sequence] = h
		m.handAgain(now)
	}
}

// handed is a verdict on its way to a member who keeps it too.
type handed struct {
	ring    *ring
	verdict model.Verdict
	to      model.RingMember
	due     time.Time
	tries   int
}

const (
	maxHanded = 64
	handTries = 3
)

func (m *Member) handAgain(now time.Time) {
	for _, id := range sorted(m.handed) {
		h := m.handed[id]
		if now.Before(h.due) {
			continue
		}
		if h.tries == handTries {
			delete(m.handed, id)
			continue
		}
		m.world.Send(h.ring.id, h.to, wire.Message{Type: wire.Report, Verdict: &h.verdict})
		h.tries++
		h.due = now.Add(h.ring.place.Profile.Interval / 2)
	}
}

// handOver takes the word of the member that keeps a verdict.
func (m *Member) handOver(from model.RingMember, id *model.ReportID) {
	if id == nil || id.Reporter != m.self.Host || id.Incarnation != m.self.Incarnation {
		return
	}
	if h := m.handed[id.Sequence]; h != nil && h.to.Host == from.Host {
		delete(m.handed, id.Sequence)
	}
}

// Verdicts of others that are kept: at most so many in a time.
const (
	maxKept  = 128
	keptTime = time.Minute
)

// keep takes over a verdict of a member's own. What is too much is not acknowledged.
func (m *Member) keep(r *ring, from model.RingMember, v *model.Verdict, now time.Time) {
	if v == nil || v.ID.Reporter != from.Host || v.ID.Incarnation != from.Incarnation || v.Ring != r.id {
		return
	}
	if _, again := m.kept[v.ID]; !again {
		maps.DeleteFunc(m.kept, func(_ model.ReportID, at time.Time) bool { return now.Sub(at) >= keptTime })
		if len(m.kept) == maxKept {
			return
		}
		m.kept[v.ID] = now
		m.world.Relay(*v)
	}
	m.world.Send(r.id, from, wire.Message{Type: wire.ReportAck, Report: &v.ID})
}

// back corrects a verdict: its subject gives signs of life.
func (m *Member) back(s *standing, life model.Incarnation, clue string, now time.Time) {
	delete(m.standing, s.verdict.Subject.Host)
	if life > s.verdict.Subject.Incarnation {
		clue = "restarted"
	}
	subject := s.verdict.Subject
	subject.Incarnation = max(life, subject.Incarnation)
	v := m.verdict(s.ring, model.VerdictCorrected, subject, now)
	v.Corrects, v.Was, v.Evidence = &s.verdict.ID, s.verdict.Kind, model.Evidence{Clue: clue}
	m.report(s.ring, v, now)
	m.endBridge(s.ring, now)
	m.bridgeOver(s.ring, now) // over those before it
	if l := s.ring.links[subject.Host]; l != nil {
		l.silent, l.deaf = false, 0
		m.world.Rewatch(s.ring.id, subject.Host)
	}
}

// recheck opens cases anew whose verdict was no death, or is not known.
func (m *Member) recheck(now time.Time) {
	for _, host := range sorted(m.standing) {
		s := m.standing[host]
		if s.recheck.IsZero() || now.Before(s.recheck) {
			continue
		}
		s.recheck = time.Time{}
		beyond := model.RingMember{}
		if l := s.ring.links[host]; l != nil {
			beyond = l.beyond
		}
		m.suspect(s.ring, s.verdict.Subject, beyond, now)
	}
}

// managerAway is from when on it is worth a report that the manager could not be reached.
const managerAway = 10 * time.Second

// ManagerBack reports, once it can be reported, that the manager could not be reached.
func (m *Member) ManagerBack(away time.Duration, now time.Time) {
	r := m.anyRing()
	if away < managerAway || r == nil {
		return
	}
	v := m.verdict(r, model.VerdictManager, model.RingMember{Host: model.ManagerHost}, now)
	v.Evidence.Silent = away
	m.stats.Verdicts[v.Kind]++
	m.world.Report(v)
}
