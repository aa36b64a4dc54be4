// Package inquiry is how a member of a ring, or the manager, finds out whether another
// one is there: a few probes in a row, and what came back by when. It is pure: time comes
// in as a value, and the caller sends.
package inquiry

import (
	"net/netip"
	"time"

	"cassini/model"
)

// Probes of one inquiry.
const Probes = 5

// Gap between the probes, so that all of them with their answers take half of the window.
func Gap(window time.Duration) time.Duration { return window / (2 * Probes) }

// Inquiry is one series of probes of one subject. It is not safe for concurrent use.
type Inquiry struct {
	Subject model.RingMember
	ID      uint64 // that the answers repeat
	gap     time.Duration
	due     time.Time
	sent    int
	agent   bool
	refused bool
	kernel  bool
	ended   bool
	heard   bool   // of the subject's progress
	at      uint64 // its progress, when last heard of
}

// New makes an inquiry whose first probe is due at once.
func New(subject model.RingMember, id uint64, window time.Duration, now time.Time) *Inquiry {
	return &Inquiry{Subject: subject, ID: id, gap: Gap(window), due: now}
}

// Step is called at Due, and says whether a probe is to be sent now.
func (q *Inquiry) Step(now time.Time) (send bool) {
	if q.ended || now.Before(q.due) {
		return false
	}
	if q.sent == Probes {
		q.ended = true
		return false
	}
	q.sent++
	q.due = now.Add(q.gap)
	return true
}

// Due is when Step is to be called; zero once the inquiry has ended.
func (q *Inquiry) Due() time.Time {
	if q.ended {
		return time.Time{}
	}
	return q.due
}

// Answer takes an answer to a probe: the subject's agent is there.
func (q *Inquiry) Answer(id uint64) bool {
	if id != q.ID {
		return false
	}
	q.agent, q.ended = true, true
	return true
}

// Refused takes word from the subject's kernel that nothing hears at the agent's port.
func (q *Inquiry) Refused(addr netip.AddrPort) {
	if addr == q.Subject.Addr {
		q.refused = true
	}
}

// Echoed takes an answer of the subject's kernel, to an ICMP echo request.
func (q *Inquiry) Echoed(addr netip.Addr) {
	if addr == q.Subject.Addr.Addr() {
		q.kernel = true
	}
}

// Reflected takes word of the subject's kernel how far the agent of that life is. What
// moves is there, though it may have no time to answer. The probes go on.
func (q *Inquiry) Reflected(addr netip.AddrPort, life model.Incarnation, progress uint64) {
	if addr != q.Subject.Addr {
		return
	}
	q.kernel = true
	if life != q.Subject.Incarnation {
		return
	}
	if q.heard && progress != q.at {
		q.agent = true
	}
	q.heard, q.at = true, progress
}

// Ended says that the probes are over.
func (q *Inquiry) Ended() bool { return q.ended }

// Sent is how many probes were sent.
func (q *Inquiry) Sent() int { return q.sent }

// Sight is what has come back so far.
func (q *Inquiry) Sight() model.Sight {
	switch {
	case q.agent:
		return model.SightAgent
	case q.refused:
		return model.SightRefused
	case q.kernel:
		return model.SightKernel
	}
	return model.SightNothing
}
