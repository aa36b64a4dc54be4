package member

import (
	"slices"
	"time"

	"cassini/model"
	"cassini/model/inquiry"
	"cassini/model/wire"
)

// suspicion is an open case.
type suspicion struct {
	ring         *ring
	subject      model.RingMember
	beyond       model.RingMember
	probes       *inquiry.Inquiry
	silent       time.Duration // when it was opened
	opened, ends time.Time
	questions    int
	question     time.Time // when the next ones are due
	opinions     map[string]model.Observation
	asked        map[string]bool // who was
	signs        map[string]bool // who of them has given any sign
	askers       []asker         // who want to know what comes out
	doubts       []string
	again        time.Time // after doubts: when the evidence is gathered anew
	waited       bool
	looked       bool // twice, since the first time it was this host that could not see
}

// asker is somebody who wants to be told about a subject.
type asker struct {
	ring model.RingID
	who  model.RingMember
	id   uint64
}

// suspect opens a case, if none is open.
func (m *Member) suspect(r *ring, subject, beyond model.RingMember, now time.Time) *suspicion {
	if c := m.cases[subject.Host]; c != nil {
		return c
	}
	c := &suspicion{ring: r, subject: subject, beyond: beyond, opened: now}
	m.cases[subject.Host] = c
	m.stats.Suspicions++
	m.gather(c, now)
	m.proceed(c, now)
	return c
}

// gather begins to collect evidence.
func (m *Member) gather(c *suspicion, now time.Time) {
	p := c.ring.place.Profile
	c.probes = inquiry.New(c.subject, m.rand.Uint64(), p.Window, now)
	c.ends = now.Add(p.Window)
	// One probe alone is enough for most: a lost heartbeat bothers nobody else.
	c.questions, c.question = 0, now.Add(inquiry.Gap(p.Window))
	c.opinions, c.asked, c.signs = make(map[string]model.Observation), make(map[string]bool), make(map[string]bool)
	c.again = time.Time{}
}

func (c *suspicion) due() time.Time {
	if !c.again.IsZero() {
		return c.again
	}
	due := c.probes.Due()
	if c.probes.Ended() { // the verdict waits for the last probe, however late that is
		due = c.ends
	}
	if !c.question.IsZero() && c.question.Before(due) {
		due = c.question
	}
	return due
}

// proceed does what is due in a case, and ends it when it can be decided.
func (m *Member) proceed(c *suspicion, now time.Time) {
	if c.probes.Sight() == model.SightAgent {
		m.acquit(c, now)
		return
	}
	if !c.again.IsZero() {
		if now.Before(c.again) {
			return
		}
		m.gather(c, now)
	}
	if c.probes.Step(now) {
		m.world.Send(c.ring.id, c.subject, wire.Message{Type: wire.Probe, ID: c.probes.ID})
		m.world.Ping(c.ring.id, c.subject)
	}
	if !c.question.IsZero() && !now.Before(c.question) {
		m.consult(c, now)
	}
	if !c.probes.Ended() {
		return
	}
	m.say(c, m.ownSight(c), now) // first: who was asked may wait for this host in turn
	if !now.Before(c.ends) || m.complete(c) {
		m.judge(c, now)
	}
}

// ownSight is what this host saw, once its probes are over.
func (m *Member) ownSight(c *suspicion) model.Sight {
	s := c.probes.Sight()
	if s == model.SightNothing && impairs(m.doubts(c)) {
		return model.SightUnable
	}
	return s
}

// maxQuestions to one observer.
const maxQuestions = 4

// consult asks those who have not answered yet, and tells the suspect.
func (m *Member) consult(c *suspicion, now time.Time) {
	for _, who := range m.observers(c) {
		if _, known := c.opinions[who.Host]; !known {
			c.asked[who.Host] = true
			m.world.Send(c.ring.id, who, wire.Message{Type: wire.Question, ID: c.probes.ID, Subject: c.subject, Score: m.score.at(now)})
		}
	}
	if c.questions%2 == 0 {
		m.world.Send(c.ring.id, c.subject, wire.Message{Type: wire.Notice, ID: c.probes.ID, Subject: c.subject, Score: m.score.at(now)})
	}
	if c.questions++; c.questions == maxQuestions {
		c.question = time.Time{}
	} else {
		c.question = now.Add(2 * inquiry.Gap(c.ring.place.Profile.Window))
	}
	if c.questions == 3 {
		m.cascade(c, now)
	}
}

// observers are who can be asked about a suspect.
func (m *Member) observers(c *suspicion) (list []model.RingMember) {
	for _, who := range append([]model.RingMember{c.beyond}, c.ring.place.Relays...) {
		known := slices.ContainsFunc(list, func(o model.RingMember) bool { return o.Host == who.Host })
		if who.Known() && !known && who.Host != m.self.Host && who.Host != c.subject.Host && m.standing[who.Host] == nil {
			list = append(list, who)
		}
	}
	return list
}

// cascade suspects the successor after a suspect one, when it gives no sign either:
// who dies beside it is known as soon.
func (m *Member) cascade(c *suspicion, now time.Time) {
	list := c.ring.place.Successors
	i := slices.IndexFunc(list, func(s model.RingMember) bool { return s.Host == c.subject.Host })
	if i < 0 || i+1 >= len(list) {
		return
	}
	next, beyond := list[i+1], model.RingMember{}
	if i+2 < len(list) {
		beyond = list[i+2]
	}
	if c.signs[next.Host] || next.Host == m.self.Host || m.standing[next.Host] != nil || m.heardOf(next.Host) {
		return
	}
	m.suspect(c.ring, next, beyond, now)
}

// heardOf says that a host is a neighbor whose heartbeats come: its own watch tells when
// they stop.
func (m *Member) heardOf(host string) bool {
	for _, r := range m.rings {
		if l := r.links[host]; l != nil && !l.silent {
			return true
		}
	}
	return false
}

// complete says whether everybody who was asked has said what there is to say.
func (m *Member) complete(c *suspicion) bool {
	asked := m.observers(c)
	for _, who := range asked {
		if o, known := c.opinions[who.Host]; !known || o.Sight == model.SightPending {
			return false
		}
	}
	return len(asked) > 0
}

// opinion takes what somebody says of a suspect.
func (m *Member) opinion(from model.RingMember, msg wire.Message, now time.Time) {
	c := m.cases[msg.Subject.Host]
	if c == nil || msg.ID != c.probes.ID || !c.asked[from.Host] {
		return
	}
	m.reunited(now)
	c.signs[from.Host] = true
	if msg.Sight == model.SightPending {
		return
	}
	c.opinions[from.Host] = model.Observation{Observer: from.Host, Sight: msg.Sight, Score: msg.Score}
	m.proceed(c, now)
}

// acquit ends a case whose suspect is there.
func (m *Member) acquit(c *suspicion, now time.Time) {
	m.close(c, model.SightAgent, now)
	l := c.ring.links[c.subject.Host]
	deaf := l != nil && l.silent
	switch s := m.standing[c.subject.Host]; {
	case s != nil && deaf && s.verdict.Kind == model.VerdictLink && l.bridged:
		m.unbridge(c.ring, c.subject.Host, now) // and takes the verdict back
		return
	case s != nil && deaf && s.verdict.Kind == model.VerdictLink:
		s.later(now) // it answers, as before, and its heartbeats are not back
		return
	case s != nil:
		m.back(s, c.subject.Incarnation, "answer", now)
		return
	}
	m.stats.Refuted++
	m.score.add(now)
	if deaf {
		m.deafen(c, l, now)
	}
	m.bridgeOver(c.ring, now) // it may have waited for what comes out
}

// deafen notes that a neighbor answers though its heartbeats do not come. Where no neighbor's do,
// they may have been told that this host is dead: the manager is to see that it is not.
func (m *Member) deafen(c *suspicion, l *link, now time.Time) {
	l.deaf++
	if m.allSilent() {
		m.world.Send(model.ManagerRing(m.self.Host), model.RingMember{Host: model.ManagerHost}, wire.Message{Type: wire.Probe, ID: m.rand.Uint64()})
	}
	switch {
	case l.deaf == maxDeaf && l.bridged: // the other end has let go, and word of it was lost
		m.unbridge(c.ring, c.subject.Host, now)
		return
	case l.deaf == maxDeaf:
		m.sentence(c, model.VerdictLink, now)
		return
	}
	m.world.Rewatch(c.ring.id, c.subject.Host)
}

// maxDeaf is after how many windows in a row without a heartbeat, though the neighbor
// answers, something is wrong with the way that they take.
const maxDeaf = 3

// judge ends a case by a verdict, unless this host should rather wait and look again.
func (m *Member) judge(c *suspicion, now time.Time) {
	c.doubts = m.doubts(c)
	if len(c.doubts) > 0 && !c.waited {
		c.waited = true
		m.stats.Doubted++
		c.again = now.Add(c.ring.place.Profile.Silence)
		if slices.Contains(c.doubts, DoubtAllSilent) {
			m.beginCut(c, now) // if it mends while it waits, the others have gone on without it all the same
		}
		return
	}
	e := m.evidence(c, now)
	if m.isCut(c) {
		m.cutOff(c, now)
		return
	}
	kind := Decide(e)
	if kind == model.VerdictLink && !c.looked {
		// Others hear it. This host may have been cut off until now, and its probes with it.
		c.looked = true
		m.gather(c, now)
		m.proceed(c, now)
		return
	}
	m.close(c, e.Observations[0].Sight, now)
	m.sentence(c, kind, now)
}

func (m *Member) evidence(c *suspicion, now time.Time) model.Evidence {
	own := model.Observation{Observer: m.self.Host, Sight: c.probes.Sight(), Score: m.score.at(now)}
	if own.Sight == model.SightNothing && impairs(c.doubts) {
		own.Sight = model.SightUnable
	}
	e := model.Evidence{Probes: c.probes.Sent(), Observations: []model.Observation{own}, Doubts: c.doubts}
	if c.silent > 0 {
		e.Silent = c.silent + now.Sub(c.opened)
	}
	for _, host := range sorted(c.opinions) {
		e.Observations = append(e.Observations, c.opinions[host])
	}
	return e
}

// close ends a case, and answers those who have asked about the suspect meanwhile.
func (m *Member) close(c *suspicion, s model.Sight, now time.Time) {
	delete(m.cases, c.subject.Host)
	m.say(c, s, now)
}

// say answers those who wait to hear what this host sees of the suspect.
func (m *Member) say(c *suspicion, s model.Sight, now time.Time) {
	for _, a := range c.askers {
		m.world.Send(a.ring, a.who, wire.Message{Type: wire.Answer, ID: a.id, Subject: c.subject, Sight: s, Score: m.score.at(now)})
	}
	c.askers = nil
}
