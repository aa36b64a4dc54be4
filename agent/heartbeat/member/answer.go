package member

import (
	"slices"
	"time"

	"cassini/model"
	"cassini/model/inquiry"
	"cassini/model/wire"
)

// maxInquiries for others at one time, and askers of one subject.
const (
	maxInquiries = 32
	maxAskers    = 8
)

// request is an inquiry for others.
type request struct {
	ring   *ring
	probes *inquiry.Inquiry
	askers []asker
	until  time.Time // how long its result answers further questions
}

// key is what is asked about. A wrong address in one question says nothing to those who
// ask about the right one.
func (q *request) key() string { return keyOf(q.probes.Subject) }

func keyOf(subject model.RingMember) string { return subject.Host + " " + subject.Addr.String() }

func (q *request) due() time.Time {
	if q.probes.Ended() {
		return q.until
	}
	return q.probes.Due()
}

// question answers what this host sees of somebody: at once if it knows, else after
// probes of its own.
func (m *Member) question(r *ring, from model.RingMember, msg wire.Message, now time.Time) {
	subject, who := msg.Subject, asker{r.id, from, msg.ID}
	answer := func(s model.Sight) {
		m.world.Send(r.id, from, wire.Message{Type: wire.Answer, ID: msg.ID, Subject: subject, Sight: s, Score: m.score.at(now)})
	}
	s, key := m.standing[subject.Host], keyOf(subject)
	switch {
	case !subject.Known() || !subject.Addr.IsValid() || subject.Host == model.ManagerHost:
	case subject.Host == m.self.Host:
		answer(model.SightAgent)
	case s != nil && s.left && subject.Incarnation <= s.verdict.Subject.Incarnation:
		answer(model.SightLeft)
	case m.cases[subject.Host] != nil:
		c := m.cases[subject.Host]
		if c.probes.Ended() {
			answer(m.ownSight(c))
			return
		}
		c.askers = enlist(c.askers, who)
		answer(model.SightPending)
	case m.inquiries[key] != nil:
		q := m.inquiries[key]
		if q.probes.Ended() {
			answer(q.probes.Sight())
			return
		}
		q.askers = enlist(q.askers, who)
		answer(model.SightPending)
	case len(m.inquiries) < maxInquiries:
		answer(model.SightPending)
		q := &request{ring: r, probes: inquiry.New(subject, m.rand.Uint64(), r.place.Profile.Window, now), askers: []asker{who}}
		m.inquiries[key] = q
		m.inquire(q, now)
	}
}

// enlist adds an asker once.
func enlist(list []asker, a asker) []asker {
	i := slices.IndexFunc(list, func(o asker) bool { return o.who.Host == a.who.Host })
	switch {
	case i >= 0:
		list[i] = a
	case len(list) < maxAskers:
		list = append(list, a)
	}
	return list
}

// inquire goes on with an inquiry, and answers when it ends. What came out is kept for
// a window, for those who ask again since the answer was lost.
func (m *Member) inquire(q *request, now time.Time) {
	subject := q.probes.Subject
	if q.probes.Step(now) {
		m.world.Send(q.ring.id, subject, wire.Message{Type: wire.Probe, ID: q.probes.ID})
		m.world.Ping(q.ring.id, subject)
	}
	if !q.probes.Ended() {
		return
	}
	if q.until.IsZero() {
		q.until = now.Add(q.ring.place.Profile.Window)
	} else if !now.Before(q.until) {
		delete(m.inquiries, q.key())
	}
	for _, a := range q.askers {
		m.world.Send(a.ring, a.who, wire.Message{Type: wire.Answer, ID: a.id, Subject: subject, Sight: q.probes.Sight(), Score: m.score.at(now)})
	}
	q.askers = nil
}
