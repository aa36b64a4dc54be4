package member

import (
	"time"

	"cassini/model"
	"cassini/model/wire"
)

// leaving is this host's own leave.
type leaving struct {
	reason uint8
	id     uint64
	due    time.Time
	tries  int
	open   map[model.RingID]map[string]model.RingMember // who has not acknowledged it
}

const (
	leaveTries = 6
	leavePause = 150 * time.Millisecond
)

// Leave says farewell to the manager and the neighbors, once; Left tells when they have
// taken it.
func (m *Member) Leave(reason uint8, now time.Time) {
	if m.leaving != nil {
		return
	}
	m.leaving = &leaving{reason: reason, id: m.rand.Uint64(), due: now, open: make(map[model.RingID]map[string]model.RingMember)}
	m.leaving.open[model.ManagerRing(m.self.Host)] = map[string]model.RingMember{model.ManagerHost: {Host: model.ManagerHost}}
	for _, id := range sorted(m.rings) {
		open := make(map[string]model.RingMember)
		for _, l := range m.rings[id].links {
			if m.standing[l.peer.Host] == nil {
				open[l.peer.Host] = l.peer
			}
		}
		if len(open) > 0 {
			m.leaving.open[id] = open
		}
	}
	m.leaveAgain(now)
}

// Left says whether nothing more is to be waited for.
func (m *Member) Left() bool {
	return m.leaving != nil && (len(m.leaving.open) == 0 || m.leaving.due.IsZero())
}

func (m *Member) leaveAgain(now time.Time) {
	l := m.leaving
	if l == nil || l.due.IsZero() || now.Before(l.due) {
		return
	}
	if l.tries == leaveTries || len(l.open) == 0 {
		l.due = time.Time{}
		return
	}
	l.tries++
	l.due = now.Add(leavePause)
	for _, id := range sorted(l.open) {
		for _, host := range sorted(l.open[id]) {
			m.world.Send(id, l.open[id][host], wire.Message{Type: wire.Leave, ID: l.id, Subject: m.self, Reason: l.reason})
		}
	}
}

func (m *Member) leaveTaken(id model.RingID, host string, leave uint64) {
	if m.leaving == nil || m.leaving.id != leave {
		return
	}
	delete(m.leaving.open[id], host)
	if len(m.leaving.open[id]) == 0 {
		delete(m.leaving.open, id)
	}
}

// left takes the leave of a neighbor: a verdict without a case.
func (m *Member) left(r *ring, from model.RingMember, msg wire.Message, now time.Time) {
	if msg.Subject.Host != from.Host {
		return
	}
	m.world.Send(r.id, from, wire.Message{Type: wire.LeaveAck, ID: msg.ID})
	l := r.links[from.Host]
	if l == nil || from.Incarnation < l.peer.Incarnation {
		return
	}
	if s := m.standing[from.Host]; s != nil && s.verdict.Kind.Death() {
		if s.left && from.Incarnation <= s.verdict.Subject.Incarnation {
			return
		}
		m.back(s, from.Incarnation, "answer", now) // it had lived until now
	}
	if c := m.cases[from.Host]; c != nil {
		m.close(c, model.SightLeft, now)
	}
	m.depart(r, from, msg.Reason, now)
}

// depart reports that a neighbor has left.
func (m *Member) depart(r *ring, from model.RingMember, reason uint8, now time.Time) {
	kind := model.VerdictStopped
	if reason == wire.LeaveShutdown {
		kind = model.VerdictShutdown
	}
	v := m.verdict(r, kind, from, now)
	v.Evidence.Observations = []model.Observation{{Observer: m.self.Host, Sight: model.SightLeft}}
	m.standing[from.Host] = &standing{ring: r, verdict: v, left: true}
	m.report(r, v, now)
	m.bridgeOver(r, now)
}
