package rings

import (
	"net/netip"
	"slices"
	"time"

	"cassini/model"
	"cassini/model/inquiry"
	"cassini/model/wire"
)

// request is an inquiry of the manager: for members who asked as of a relay, or its own.
type request struct {
	host    *Host
	probes  *inquiry.Inquiry
	askers  []asker
	waiters []func(model.Sight, time.Time)
	until   time.Time // how long its result answers further questions
}

type asker struct {
	ring model.RingID
	who  model.RingMember
	id   uint64
}

const (
	maxRequests = 1024
	maxAskers   = 8
)

func (q *request) due() time.Time {
	if q.probes.Ended() {
		return q.until
	}
	return q.probes.Due()
}

// probe finds out whether a host is there, from a time on, and tells the waiter.
func (r *Rings) probe(h *Host, from time.Time, tell func(model.Sight, time.Time)) {
	q := r.requests[h.Host]
	if !r.asked(h) {
		q = r.begin(h, from)
	}
	q.waiters = append(q.waiters, tell)
}

// ask finds out whether a host is there; an answer is a sign of life, which does the rest.
func (r *Rings) ask(h *Host, now time.Time) {
	if !r.asked(h) {
		r.begin(h, now)
	}
}

// asked says whether that is being found out.
func (r *Rings) asked(h *Host) bool {
	q := r.requests[h.Host]
	return q != nil && !q.probes.Ended()
}

func (r *Rings) begin(h *Host, from time.Time) *request {
	r.stats.Inquiries++
	q := &request{host: h, probes: inquiry.New(h.RingMember, r.cfg.Rand.Uint64(), r.cfg.Profile.Window, from)}
	r.requests[h.Host] = q
	return q
}

// Receive takes a control datagram, whose sender is proved to be who it says.
func (r *Rings) Receive(ring model.RingID, from model.RingMember, m wire.Message, now time.Time) {
	h := r.hosts[from.Host]
	if h == nil {
		return
	}
	r.sign(h, from, m.Type, now)
	switch m.Type {
	case wire.Ack:
		r.acknowledged(m.Ring, from.Host, m.Epoch, now)
	case wire.Question:
		r.question(ring, from, m, now)
	case wire.ProbeAnswer:
		if q := r.requests[from.Host]; q != nil && q.probes.Answer(m.ID) {
			r.step(q, now)
		}
	case wire.Probe:
		r.cfg.World.Send(ring, from, wire.Message{Type: wire.ProbeAnswer, ID: m.ID, Subject: r.cfg.Self})
	case wire.Report:
		r.saysDeaf(h, m.Verdict, now)
	case wire.Leave:
		r.leave(ring, h, from, m, now)
	}
}

// was is the kind of a host's certificate, where others can have said something of it too.
func (h *Host) was() model.VerdictKind {
	if h.State == Deaf {
		return model.VerdictDeaf
	}
	return ""
}

// revive takes back what was said of a host, and of its zone.
func (r *Rings) revive(h *Host, clue string, now time.Time) {
	if z := r.lost[h.Zone]; z != nil {
		r.found(z, now) // and what was said of the zone is not said of the host any more
	}
	if h.Certificate != nil {
		r.correct(h.RingMember, *h.Certificate, h.was(), clue, now)
	}
	r.returned(h, now)
}

// doubtful says that it may not be there, as far as is known.
func (h *Host) doubtful() bool { return h.State != Up && h.State != LinkDown && h.State != Deaf }

// away says that it hears nothing, as far as is known.
func (h *Host) away() bool { return h.doubtful() || h.State == Deaf }

// left says that it took its leave: what comes of that life now was sent before.
func (h *Host) left() bool { return h.State == Stopped || h.State == Shutdown }

// question is asked of the manager as of a relay.
func (r *Rings) question(ring model.RingID, from model.RingMember, m wire.Message, now time.Time) {
	answer := func(s model.Sight) {
		r.cfg.World.Send(ring, from, wire.Message{Type: wire.Answer, ID: m.ID, Subject: m.Subject, Sight: s})
	}
	h, q := r.hosts[m.Subject.Host], r.requests[m.Subject.Host]
	switch {
	case h == nil, q == nil && len(r.requests) >= maxRequests:
		return
	case h.left():
		answer(model.SightLeft)
		return
	case q != nil && q.probes.Ended():
		answer(q.probes.Sight())
		return
	case q == nil:
		q = r.begin(h, now)
	}
	answer(model.SightPending)
	who := asker{ring, from, m.ID}
	i := slices.IndexFunc(q.askers, func(o asker) bool { return o.who.Host == from.Host })
	switch {
	case i >= 0:
		q.askers[i] = who
	case len(q.askers) < maxAskers:
		q.askers = append(q.askers, who)
	}
	r.step(q, now)
}

// step goes on with an inquiry.
func (r *Rings) step(q *request, now time.Time) {
	if q.probes.Step(now) {
		r.cfg.World.Send(model.ManagerRing(q.host.Host), q.probes.Subject, wire.Message{Type: wire.Probe, ID: q.probes.ID})
		r.cfg.World.Ping(model.ManagerRing(q.host.Host), q.probes.Subject)
	}
	if !q.probes.Ended() {
		return
	}
	if q.until.IsZero() {
		q.until = now.Add(r.cfg.Profile.Window)
	} else if !now.Before(q.until) && r.requests[q.host.Host] == q {
		delete(r.requests, q.host.Host)
	}
	sight := q.probes.Sight()
	askers, waiters := q.askers, q.waiters
	q.askers, q.waiters = nil, nil
	for _, a := range askers {
		r.cfg.World.Send(a.ring, a.who, wire.Message{Type: wire.Answer, ID: a.id, Subject: q.probes.Subject, Sight: sight})
	}
	for _, tell := range waiters {
		tell(sight, now)
	}
}

// Refused takes word of a kernel that nothing hears at an address.
func (r *Rings) Refused(addr netip.AddrPort, _ time.Time) {
	for _, q := range r.requests {
		q.probes.Refused(addr)
	}
}

// Echoed takes an answer to a Ping.
func (r *Rings) Echoed(addr netip.Addr, _ time.Time) {
	for _, q := range r.requests {
		q.probes.Echoed(addr)
	}
}

// Reflected takes word of a kernel how far its agent is, which answers a Probe.
func (r *Rings) Reflected(addr netip.AddrPort, life model.Incarnation, progress uint64, _ time.Time) {
	for _, q := range r.requests {
		q.probes.Reflected(addr, life, progress)
	}
}

// leave takes a host's farewell.
func (r *Rings) leave(ring model.RingID, h *Host, from model.RingMember, m wire.Message, now time.Time) {
	r.cfg.World.Send(ring, from, wire.Message{Type: wire.LeaveAck, ID: m.ID})
	if from.Incarnation < h.Incarnation || !h.alive() && h.State != Deaf {
		return
	}
	kind := model.VerdictStopped
	if m.Reason == wire.LeaveShutdown {
		kind = model.VerdictShutdown
	}
	e := model.Evidence{Observations: []model.Observation{{Observer: model.ManagerHost, Sight: model.SightLeft}}}
	r.enforce(h, r.report(kind, h.RingMember, e, now), now)
}
