package member

import (
	"time"

	"cassini/model"
	"cassini/model/wire"
)

// A bridge is asked for again until the member at its end has found out itself that
// those between are gone.
const (
	bridgeTries = 20
	bridgeTime  = 4 // a try every quarter of an interval
)

// bridgeOver begins a bridge to the first successor that is not known to be dead, if the
// next one is. What is open yet is waited for.
func (m *Member) bridgeOver(r *ring, now time.Time) {
	list := r.place.Successors
	if len(list) == 0 || !m.dead(list[0].Host) {
		return
	}
	for _, s := range list[1:] {
		if s.Host == m.self.Host || m.cases[s.Host] != nil || r.links[s.Host] != nil {
			return
		}
		if m.dead(s.Host) {
			continue
		}
		if r.bridgeTo.Host != s.Host {
			r.bridgeTo, r.bridgeID, r.asked, r.bridgeDue = s, m.rand.Uint64(), 0, now
			m.bridge(r, now)
		}
		return
	}
}

// dead says that a death stands against a host.
func (m *Member) dead(host string) bool {
	s := m.standing[host]
	return s != nil && s.verdict.Kind.Death()
}

// bridge asks for the bridge; whoever does not answer is suspect.
func (m *Member) bridge(r *ring, now time.Time) {
	if r.bridgeDue.IsZero() || now.Before(r.bridgeDue) {
		return
	}
	if r.asked == bridgeTries {
		r.bridgeDue = time.Time{} // if it is there it will not have the bridge, and is not asked again
		m.suspect(r, r.bridgeTo, model.RingMember{}, now)
		return
	}
	r.asked++
	r.bridgeDue = now.Add(r.place.Profile.Interval / bridgeTime)
	m.world.Send(r.id, r.bridgeTo, wire.Message{Type: wire.Bridge, ID: r.bridgeID, Subject: r.place.Next.RingMember, Epoch: r.place.Epoch})
}

// askedToBridge agrees if the subject, its own previous one or farther back, is not heard.
func (m *Member) askedToBridge(r *ring, from model.RingMember, msg wire.Message, now time.Time) {
	previous := r.place.Previous
	if !msg.Subject.Known() || m.hears(r, previous.Host) {
		return // it is heard: nothing is to be bridged, or not yet
	}
	if r.links[from.Host] == nil && !m.roomToBridge(r, now) {
		return
	}
	m.world.Send(r.id, from, wire.Message{Type: wire.BridgeAck, ID: msg.ID, Epoch: r.place.Epoch})
	m.bridgeLink(r, from, now)
}

// hears says that a neighbor is heard, or that there is none to be heard.
func (m *Member) hears(r *ring, host string) bool {
	l := r.links[host]
	return l == nil || !l.silent && !m.dead(host)
}

// roomToBridge says whether another bridge can end here: one to each side. One whose other
// end is not heard makes room.
func (m *Member) roomToBridge(r *ring, now time.Time) bool {
	bridges := 0
	for _, host := range sorted(r.links) {
		l := r.links[host]
		switch {
		case !l.bridged:
		case host != r.bridgeTo.Host && !m.hears(r, host):
			m.unlink(r, host)
		default:
			bridges++
		}
	}
	m.settle(now)
	return bridges < maxBridges
}

const maxBridges = 2

func (m *Member) bridged(r *ring, from model.RingMember, msg wire.Message, now time.Time) {
	if !r.bridgeTo.Known() || r.bridgeTo.Host != from.Host || msg.ID != r.bridgeID {
		return
	}
	r.bridgeDue = time.Time{}
	m.bridgeLink(r, from, now)
}

// bridgeLink watches the member at the other end. Its keys are derived from the ring's.
func (m *Member) bridgeLink(r *ring, peer model.RingMember, now time.Time) {
	if r.links[peer.Host] != nil {
		return
	}
	m.stats.Bridges++
	m.link(r, &link{peer: peer, bridged: true}, now)
}

// endBridge lets go of bridges: a new place, or the neighbor is back.
func (m *Member) endBridge(r *ring, now time.Time) {
	for _, host := range sorted(r.links) {
		if l := r.links[host]; l.bridged && host != r.place.Next.Host && host != r.place.Previous.Host {
			m.world.Send(r.id, l.peer, wire.Message{Type: wire.Unbridge, Epoch: r.place.Epoch})
			m.unlink(r, host)
		}
	}
	r.bridgeTo, r.bridgeDue = model.RingMember{}, time.Time{}
	m.settle(now)
}

func (m *Member) unbridge(r *ring, host string, now time.Time) {
	if l := r.links[host]; l == nil || !l.bridged {
		return
	}
	m.unlink(r, host)
	m.settle(now)
	if r.bridgeTo.Host == host {
		r.bridgeTo, r.bridgeDue = model.RingMember{}, time.Time{}
	}
}
