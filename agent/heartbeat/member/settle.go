package member

import (
	"time"

	"cassini/model"
)

// settle looks at what was begun in rings whose places have changed since: cases,
// verdicts and questions go on in a ring that is still there, or end.
func (m *Member) settle(now time.Time) {
	m.settleCases(now)
	m.settleStanding(now)
	for _, key := range sorted(m.inquiries) {
		if !m.alive(m.inquiries[key].ring) {
			delete(m.inquiries, key)
		}
	}
	for _, sequence := range sorted(m.handed) {
		if !m.alive(m.handed[sequence].ring) {
			delete(m.handed, sequence)
		}
	}
	if m.cut != nil && !m.alive(m.cut.ring) {
		m.cut.ring = m.anyRing()
	}
	if m.cut != nil && m.cut.ring == nil {
		m.cut = nil
	}
	m.settleLeave()
}

func (m *Member) settleCases(now time.Time) {
	for _, host := range sorted(m.cases) {
		c := m.cases[host]
		r := m.about(host, c.ring)
		switch {
		case r == nil:
			m.close(c, model.SightUnable, now)
		case isAnother(c, r):
			m.close(c, model.SightAgent, now)
		case r != c.ring: // its keys are gone: what was asked cannot be answered
			c.ring = r
			if l := r.links[host]; l != nil {
				c.subject, c.beyond = l.peer, l.beyond
			}
			m.gather(c, now)
		}
	}
}

// isAnother says that a ring knows a suspect in a later life or at another address.
func isAnother(c *suspicion, r *ring) bool {
	l := r.links[c.subject.Host]
	return l != nil && (l.peer.Incarnation > c.subject.Incarnation || l.peer.Addr != c.subject.Addr)
}

func (m *Member) settleStanding(now time.Time) {
	for _, host := range sorted(m.standing) {
		s := m.standing[host]
		r := m.about(host, s.ring)
		switch {
		case r != nil && r.life(host) > s.verdict.Subject.Incarnation:
			delete(m.standing, host) // another life: the manager knows
		case !s.verdict.Kind.Death() && r == nil, s.verdict.Kind == model.VerdictLink && r.links[host] == nil:
			delete(m.standing, host)
			m.takeBack(s, r, now)
		case r == nil: // the manager corrects what was wrong of it
			delete(m.standing, host)
		default:
			s.plan(r, now)
		}
	}
}

// takeBack takes back what was said of a host that is watched no more: whoever watches it
// now may have nothing to say of it.
func (m *Member) takeBack(s *standing, r *ring, now time.Time) {
	if r == nil {
		r = m.anyRing()
	}
	if r == nil {
		r = s.ring
	}
	v := m.verdict(r, model.VerdictCorrected, s.verdict.Subject, now)
	v.Corrects, v.Was, v.Evidence = &s.verdict.ID, s.verdict.Kind, model.Evidence{Clue: model.ClueUnlinked}
	m.report(r, v, now)
}

func (m *Member) settleLeave() {
	if m.leaving == nil {
		return
	}
	for _, id := range sorted(m.leaving.open) {
		if id != model.ManagerRing(m.self.Host) && m.rings[id] == nil {
			delete(m.leaving.open, id)
		}
	}
}

func (m *Member) alive(r *ring) bool { return m.rings[r.id] == r }

func (m *Member) anyRing() *ring {
	for _, id := range sorted(m.rings) {
		return m.rings[id]
	}
	return nil
}

// about is a ring in which a host is watched, or else is a successor; the first one
// that is named if it will do. It is nil when the host is none of this one's business.
func (m *Member) about(host string, first *ring) *ring {
	list := []*ring{}
	if m.alive(first) {
		list = append(list, first)
	}
	for _, id := range sorted(m.rings) {
		list = append(list, m.rings[id])
	}
	for _, r := range list {
		if r.links[host] != nil {
			return r
		}
	}
	for _, r := range list {
		if r.life(host) > 0 {
			return r
		}
	}
	return nil
}

// life is a neighbor's or successor's incarnation, 0 for others.
func (r *ring) life(host string) model.Incarnation {
	if l := r.links[host]; l != nil {
		return max(l.peer.Incarnation, 1)
	}
	for _, s := range r.place.Successors {
		if s.Host == host {
			return max(s.Incarnation, 1)
		}
	}
	return 0
}
