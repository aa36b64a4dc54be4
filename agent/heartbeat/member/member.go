// Package member is the life of one host in its rings: whom it watches, when it doubts
// a silent neighbor and when itself, whom it asks, and what it then says has died. It is
// a state machine without sockets, clocks or files: what happens comes in by methods with
// the time, what is to be done goes out by a World. The agent runs it on real ones, the
// simulator on a modelled network.
//
// A silent neighbor opens a case. Its five probes, questions to the neighbor's other
// neighbor and to relays, and a notice to itself all go out at once; once they have
// said what they can, or when the window ends, Decide makes a verdict of them.
package member

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"cassini/model"
	"cassini/model/inquiry"
	"cassini/model/wire"
)

// World is what a member acts on. No method waits or calls back into the member.
type World interface {
	// Beat sends one heartbeat.
	Beat(ring model.RingID, to model.RingMember)
	// Send sends a control datagram.
	Send(ring model.RingID, to model.RingMember, m wire.Message)
	// Ping asks a member's kernel, which may answer though its agent does not.
	Ping(ring model.RingID, to model.RingMember)
	// Join makes the ring's keys known, and Part forgets them.
	Join(a *model.Assignment)
	Part(ring model.RingID)
	// Watch begins to watch for heartbeats, Rewatch begins the window anew, Unwatch ends it.
	Watch(ring model.RingID, from model.RingMember, keys model.KeySet, p model.Profile)
	Rewatch(ring model.RingID, from string)
	Unwatch(ring model.RingID, from string)
	// Report brings a verdict to the manager, whatever comes between.
	Report(v model.Verdict)
	// Relay keeps a neighbor's verdict, and brings it to the manager as well.
	Relay(v model.Verdict)
	// Doubts are the reasons why this host may be the one that is at fault: "starved",
	// "suspended", "link-down".
	Doubts() []string
	// Save keeps the assignments on disk: called when they have changed, before the
	// manager is told so.
	Save(assignments []*model.Assignment)
}

// Config is what New needs.
type Config struct {
	Self  model.RingMember
	World World
	// Rand is for jitter and the numbers of questions.
	Rand *rand.Rand
	// Sequence of the last report of this incarnation.
	Sequence uint64
}

// Member is not safe for concurrent use.
type Member struct {
	self      model.RingMember
	world     World
	rand      *rand.Rand
	rings     map[model.RingID]*ring
	cases     map[string]*suspicion // by the suspect's host
	inquiries map[string]*request   // by the subject's host and address
	standing  map[string]*standing  // by host: verdicts that hold
	handed    map[uint64]*handed    // by the report's sequence
	kept      map[model.ReportID]time.Time
	gone      map[model.RingID]*model.Assignment // from rings that it was in
	sequence  uint64
	score     score
	heard     time.Time // latest sign that this host hears others
	cut       *cut
	leaving   *leaving
	stats     Stats
}

// New makes a member of no ring.
func New(c Config) *Member {
	return &Member{
		self: c.Self, world: c.World, rand: c.Rand, sequence: c.Sequence,
		rings: make(map[model.RingID]*ring), cases: make(map[string]*suspicion), inquiries: make(map[string]*request),
		standing: make(map[string]*standing), handed: make(map[uint64]*handed),
		kept: make(map[model.ReportID]time.Time), gone: make(map[model.RingID]*model.Assignment),
		stats: Stats{Verdicts: make(map[model.VerdictKind]uint64)},
	}
}

// Self is who the member is.
func (m *Member) Self() model.RingMember { return m.self }

// Stats are a member's totals.
type Stats struct {
	Suspicions uint64 // cases opened
	Refuted    uint64 // cases closed since the suspect was heard
	Doubted    uint64 // cases that waited since this host doubted itself
	Verdicts   map[model.VerdictKind]uint64
	Stale      uint64 // assignments of an epoch that has passed
	Bridges    uint64
	Notices    uint64 // times that others suspected this host
}

// Stats copies the totals.
func (m *Member) Stats() Stats {
	s := m.stats
	s.Verdicts = maps.Clone(s.Verdicts)
	return s
}

// Next is when Tick is to be called; zero when nothing is due.
func (m *Member) Next() (next time.Time) {
	earlier := func(t time.Time) {
		if !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, r := range m.rings {
		earlier(r.beat)
		earlier(r.bridgeDue)
	}
	for _, c := range m.cases {
		earlier(c.due())
	}
	for _, q := range m.inquiries {
		earlier(q.due())
	}
	for _, s := range m.standing {
		earlier(s.recheck)
	}
	for _, h := range m.handed {
		earlier(h.due)
	}
	if m.leaving != nil {
		earlier(m.leaving.due)
	}
	return next
}

// Tick does what is due.
func (m *Member) Tick(now time.Time) {
	for _, id := range sorted(m.rings) {
		m.beat(m.rings[id], now)
		m.bridge(m.rings[id], now)
	}
	for _, host := range sorted(m.cases) {
		if c := m.cases[host]; c != nil {
			m.proceed(c, now)
		}
	}
	for _, host := range sorted(m.inquiries) {
		m.inquire(m.inquiries[host], now)
	}
	m.recheck(now)
	m.handAgain(now)
	m.leaveAgain(now)
}

// sorted are the keys in order, so that a member does the same with the same input.
func sorted[K cmp.Ordered, V any](of map[K]V) []K { return slices.Sorted(maps.Keys(of)) }

// Receive takes a control datagram, whose sender is proved to be a member of the ring.
func (m *Member) Receive(id model.RingID, from model.RingMember, msg wire.Message, now time.Time) {
	if id == model.ManagerRing(m.self.Host) {
		if from.Host != model.ManagerHost {
			return
		}
		m.hear(now)
		m.fromManager(id, from, msg, now)
		return
	}
	r := m.rings[id]
	if r == nil || from.Host == m.self.Host {
		return
	}
	m.hear(now)
	m.sign(from, msg.Type, now)
	m.fromMember(r, from, msg, now)
}

// sign takes a datagram for a sign of life of who has sent it.
func (m *Member) sign(from model.RingMember, t wire.Type, now time.Time) {
	s := m.standing[from.Host]
	if s == nil || t == wire.Leave || s.verdict.Kind == model.VerdictLink {
		return // a leave is the last sign; on a link heartbeats count alone
	}
	if life := s.verdict.Subject.Incarnation; from.Incarnation > life || from.Incarnation == life && !s.left {
		m.back(s, from.Incarnation, "answer", now)
	}
}

func (m *Member) fromMember(r *ring, from model.RingMember, msg wire.Message, now time.Time) {
	switch msg.Type {
	case wire.Probe:
		m.world.Send(r.id, from, wire.Message{Type: wire.ProbeAnswer, ID: msg.ID, Subject: m.self})
	case wire.ProbeAnswer, wire.Refutation:
		m.answered(from, msg, now)
	case wire.Question:
		m.question(r, from, msg, now)
	case wire.Answer:
		m.opinion(from, msg, now)
	case wire.Notice:
		m.refute(r, from, msg)
	case wire.Leave:
		m.left(r, from, msg, now)
	case wire.LeaveAck:
		m.leaveTaken(r.id, from.Host, msg.ID)
	case wire.Report:
		m.keep(r, from, msg.Verdict, now)
	case wire.ReportAck:
		m.handOver(from, msg.Report)
	case wire.Bridge:
		m.askedToBridge(r, from, msg, now)
	case wire.BridgeAck:
		m.bridged(r, from, msg, now)
	case wire.Unbridge:
		m.unbridge(r, from.Host, now)
	}
}

// refute tells who suspects this host that it is there.
func (m *Member) refute(r *ring, from model.RingMember, msg wire.Message) {
	if msg.Subject.Host != m.self.Host {
		return
	}
	m.stats.Notices++
	m.world.Send(r.id, from, wire.Message{Type: wire.Refutation, ID: msg.ID, Subject: m.self})
}

// fromManager takes what the manager says in the ring of only the two.
func (m *Member) fromManager(id model.RingID, from model.RingMember, msg wire.Message, now time.Time) {
	switch msg.Type {
	case wire.Probe:
		m.world.Send(id, from, wire.Message{Type: wire.ProbeAnswer, ID: msg.ID, Subject: m.self})
	case wire.Instruction:
		if msg.Assignment == nil {
			return
		}
		epoch, _ := m.Assign(msg.Assignment, now)
		m.world.Send(id, from, wire.Message{Type: wire.Ack, Ring: msg.Assignment.Ring, Epoch: epoch})
	case wire.LeaveAck:
		m.leaveTaken(id, from.Host, msg.ID)
	}
}

// answered takes an answer to a probe of a case, or of an inquiry for others.
func (m *Member) answered(from model.RingMember, msg wire.Message, now time.Time) {
	m.reunited(now) // who hears no heartbeat may have been taken out of its rings
	if c := m.cases[from.Host]; c != nil && c.probes.Answer(msg.ID) {
		m.proceed(c, now)
	}
	for _, r := range m.rings {
		if l := r.links[from.Host]; l != nil {
			l.measured(msg.ID, now)
		}
	}
	for _, key := range sorted(m.inquiries) {
		if q := m.inquiries[key]; q.probes.Subject.Host == from.Host && q.probes.Answer(msg.ID) {
			m.inquire(q, now)
		}
	}
}

// Refused takes word of a kernel that nothing hears at an address. The second one in a
// row makes a neighbor suspect: that is known before its silence has lasted long enough.
func (m *Member) Refused(addr netip.AddrPort, now time.Time) {
	m.each(func(q *inquiry.Inquiry) { q.Refused(addr) })
	for _, id := range sorted(m.rings) {
		r := m.rings[id]
		for _, host := range sorted(r.links) {
			l := r.links[host]
			if l.peer.Addr != addr || m.standing[host] != nil || m.cases[host] != nil {
				continue
			}
			again := !l.refused.IsZero() && now.Sub(l.refused) < 2*r.place.Profile.Interval
			l.refused = now
			if again {
				m.suspect(r, l.peer, l.beyond, now)
			}
		}
	}
}

// Echoed takes an answer to a Ping.
func (m *Member) Echoed(addr netip.Addr, _ time.Time) {
	m.each(func(q *inquiry.Inquiry) { q.Echoed(addr) })
}

// Reflected takes word of a kernel how far its agent is, which answers a Probe.
func (m *Member) Reflected(addr netip.AddrPort, life model.Incarnation, progress uint64, _ time.Time) {
	m.each(func(q *inquiry.Inquiry) { q.Reflected(addr, life, progress) })
}

func (m *Member) each(do func(*inquiry.Inquiry)) {
	for _, c := range m.cases {
		do(c.probes)
	}
	for _, q := range m.inquiries {
		do(q.probes)
	}
}
