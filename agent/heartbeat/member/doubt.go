package member

import (
	"slices"
	"time"

	"cassini/model"
	"cassini/model/inquiry"
	"cassini/model/wire"
)

// DoubtStarved is a host's doubt that tasks wait for the CPU. It is a reason to look twice;
// but whoever ran in time all the same has seen what it has seen.
const DoubtStarved = "starved"

// impairs says whether doubts make what this host did not see worthless.
func impairs(doubts []string) bool {
	return slices.ContainsFunc(doubts, func(d string) bool { return d != DoubtStarved })
}

// DoubtAllSilent is a member's own doubt: none of its neighbors is heard.
const DoubtAllSilent = "all-silent"

// doubts are the reasons to take this host for the one that is at fault.
func (m *Member) doubts(c *suspicion) []string {
	doubts := m.world.Doubts()
	if m.allSilent() && m.heard.Before(c.opened) {
		doubts = append(doubts, DoubtAllSilent)
	}
	return doubts
}

// allSilent says that there are neighbors, and that none is heard.
func (m *Member) allSilent() bool {
	n := 0
	for _, r := range m.rings {
		for _, l := range r.links {
			if !l.silent {
				return false
			}
			n++
		}
	}
	return n > 0
}

// cut is a time in which this host heard nobody at all.
type cut struct {
	ring  *ring
	since time.Time
	noted time.Time      // when that was last so
	word  *model.Verdict // that it is deaf, if not more
	due   time.Time      // when that is said again
	pause time.Duration
}

// isCut says that nobody at all was heard while a case was open, in spite of a second
// look: then it is this host that is cut off, and its verdicts on others are worth nothing.
// Answers to pings say no more than that something lets them pass and agents' words not.
func (m *Member) isCut(c *suspicion) bool {
	s := c.probes.Sight()
	return c.waited && m.allSilent() && m.heard.Before(c.opened) && (s == model.SightNothing || s == model.SightKernel)
}

// cutOff ends a case without a verdict on the suspect.
func (m *Member) cutOff(c *suspicion, now time.Time) {
	m.close(c, model.SightUnable, now)
	if s := m.standing[c.subject.Host]; s != nil && !s.verdict.Kind.Death() {
		s.later(now)
	}
	m.beginCut(c, now)
	m.sayDeaf(now)
	if l := c.ring.links[c.subject.Host]; l != nil {
		m.world.Rewatch(c.ring.id, c.subject.Host)
	}
}

// beginCut notes that nobody is heard, since the suspect was not.
func (m *Member) beginCut(c *suspicion, now time.Time) {
	if m.cut == nil {
		m.cut = &cut{ring: c.ring, since: c.opened.Add(-c.silent)}
	}
	m.cut.noted = now
}

// hear notes that somebody is heard. After a cut that makes what was seen meanwhile worthless:
// suspects have time to be heard first, and are looked at anew. One that nobody has noted yet may
// have taken the probes of a case: it gathers its evidence again at once.
func (m *Member) hear(now time.Time) {
	cut, silent := m.cut != nil && m.heard.Before(m.cut.noted), m.allSilent()
	for _, c := range m.cases {
		switch {
		case cut:
			c.again = now.Add(c.ring.place.Profile.Silence)
		case silent && m.heard.Before(c.opened) && c.probes.Sent() >= inquiry.Probes-1:
			c.again = now
		}
	}
	m.heard = now
}

// This host says that it is deaf at once, and then ever more seldom.
const (
	firstWord = 5 * time.Second
	lastWord  = time.Minute
)

// sayDeaf tells the manager that nobody is heard: others may hear this host. It is told by
// one datagram, since nothing comes back, and not by the outbox: if this host is cut off in
// both directions, that is known by the time at which the outbox would bring it.
func (m *Member) sayDeaf(now time.Time) {
	c := m.cut
	if now.Before(c.due) {
		return
	}
	if c.word == nil {
		v := m.verdict(c.ring, model.VerdictDeaf, m.self, now)
		v.Evidence = model.Evidence{
			Silent: now.Sub(c.since), Doubts: []string{DoubtAllSilent},
			Observations: []model.Observation{{Observer: m.self.Host, Sight: model.SightUnable}},
		}
		c.word, c.pause = &v, firstWord
		m.stats.Verdicts[v.Kind]++
	}
	c.due, c.pause = now.Add(c.pause), min(2*c.pause, lastWord)
	m.world.Send(model.ManagerRing(m.self.Host), model.RingMember{Host: model.ManagerHost}, wire.Message{Type: wire.Report, Verdict: c.word})
}

// reunited reports that this host was cut off, now that it hears a neighbor again.
func (m *Member) reunited(now time.Time) {
	m.hear(now)
	if m.cut == nil {
		return
	}
	c := m.cut
	m.cut = nil
	v := m.verdict(c.ring, model.VerdictLink, m.self, now)
	v.Evidence = model.Evidence{
		Silent: now.Sub(c.since), Doubts: []string{DoubtAllSilent}, Clue: "reunited",
		Observations: []model.Observation{{Observer: m.self.Host, Sight: model.SightAgent}},
	}
	m.report(c.ring, v, now)
}
