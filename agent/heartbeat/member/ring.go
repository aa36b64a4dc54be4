package member

import (
	"time"

	"cassini/model"
)

// ring is one membership.
type ring struct {
	id    model.RingID
	place *model.Assignment
	links map[string]*link // by the neighbor's host
	beat  time.Time        // when heartbeats are due

	// A bridge over members that have died: to the first successor that lives.
	bridgeTo  model.RingMember
	bridgeID  uint64
	bridgeDue time.Time
	asked     int
}

// link is a neighbor that is watched.
type link struct {
	peer, beyond model.RingMember
	keys         model.KeySet
	bridged      bool
	silent       bool
	deaf         int       // windows in a row that ended though it answers probes
	refused      time.Time // when its kernel last said that nothing hears there
}

// Assign takes an instruction. It says which epoch the member has afterwards, and
// whether the instruction was taken.
func (m *Member) Assign(a *model.Assignment, now time.Time) (model.Epoch, bool) {
	r := m.rings[a.Ring]
	switch {
	case r == nil && a.Gone:
		return a.Epoch, true
	case r != nil && a.Epoch < r.place.Epoch:
		m.stats.Stale++
		return r.place.Epoch, false
	case r != nil && a.Epoch == r.place.Epoch:
		return a.Epoch, true
	case a.Gone:
		m.part(r)
	default:
		m.take(r, a, now)
	}
	m.world.Save(m.Assignments())
	return a.Epoch, true
}

// Restore takes back what was on disk. Nothing is saved.
func (m *Member) Restore(assignments []*model.Assignment, now time.Time) {
	for _, a := range assignments {
		m.take(m.rings[a.Ring], a, now)
	}
}

// Assignments are the places that the member has, by ring.
func (m *Member) Assignments() (all []*model.Assignment) {
	for _, id := range sorted(m.rings) {
		all = append(all, m.rings[id].place)
	}
	return all
}

func (m *Member) part(r *ring) {
	for _, host := range sorted(r.links) {
		m.unlink(r, host)
	}
	delete(m.rings, r.id)
	m.world.Part(r.id)
}

// take puts a place in the ring into force.
func (m *Member) take(r *ring, a *model.Assignment, now time.Time) {
	if r == nil {
		r = &ring{id: a.Ring, links: make(map[string]*link)}
		m.rings[a.Ring] = r
		r.beat = now.Add(m.jitter(a.Profile.Interval))
	}
	r.place = a
	m.world.Join(a)
	wanted := make(map[string]*link)
	for _, n := range []model.RingNeighbor{a.Next, a.Previous} {
		if n.Known() && n.Host != m.self.Host {
			wanted[n.Host] = &link{peer: n.RingMember, beyond: n.Beyond, keys: n.Keys}
		}
	}
	for _, host := range sorted(r.links) {
		if wanted[host] == nil {
			m.unlink(r, host)
		}
	}
	for _, host := range sorted(wanted) {
		m.link(r, wanted[host], now)
	}
	m.endBridge(r)
	m.bridgeOver(r, now)
	if len(r.links) == 0 {
		r.beat = time.Time{}
	} else if r.beat.IsZero() {
		r.beat = now.Add(m.jitter(a.Profile.Interval))
	}
}

// link watches a neighbor, or changes what is known of one.
func (m *Member) link(r *ring, l *link, now time.Time) {
	if s := m.standing[l.peer.Host]; s != nil && l.peer.Incarnation > s.verdict.Subject.Incarnation {
		delete(m.standing, l.peer.Host) // another life: the manager knows
	}
	if old := r.links[l.peer.Host]; old != nil {
		l.silent, l.deaf = old.silent, old.deaf
		if old.peer.Addr != l.peer.Addr || l.peer.Incarnation > old.peer.Incarnation {
			l.silent = false
		}
	}
	r.links[l.peer.Host] = l
	m.world.Watch(r.id, l.peer, l.keys, r.place.Profile)
	if r.beat.IsZero() {
		r.beat = now.Add(m.jitter(r.place.Profile.Interval))
	}
}

func (m *Member) unlink(r *ring, host string) {
	delete(r.links, host)
	m.world.Unwatch(r.id, host)
	if m.linked(host) == nil {
		delete(m.cases, host)
		delete(m.standing, host)
	}
}

// linked is a link to a host in any ring.
func (m *Member) linked(host string) *link {
	for _, id := range sorted(m.rings) {
		if l := m.rings[id].links[host]; l != nil {
			return l
		}
	}
	return nil
}

// jitter is a time of d with a quarter more or less.
func (m *Member) jitter(d time.Duration) time.Duration {
	return d*3/4 + time.Duration(m.rand.Int64N(int64(d/2)+1))
}

func (m *Member) beat(r *ring, now time.Time) {
	if r.beat.IsZero() || now.Before(r.beat) || m.leaving != nil {
		if m.leaving != nil {
			r.beat = time.Time{}
		}
		return
	}
	for _, host := range sorted(r.links) {
		m.world.Beat(r.id, r.links[host].peer)
	}
	r.beat = now.Add(m.jitter(r.place.Profile.Interval))
}

// Silent takes word that a neighbor's heartbeats have stopped.
func (m *Member) Silent(id model.RingID, host string, silent time.Duration, now time.Time) {
	r := m.rings[id]
	if r == nil || r.links[host] == nil {
		return
	}
	l := r.links[host]
	l.silent = true
	if m.standing[host] == nil {
		m.suspect(r, l.peer, l.beyond, now).silent = silent
	}
}

// Resumed takes word that they are back, or that a new life has begun with one.
func (m *Member) Resumed(id model.RingID, host string, life model.Incarnation, now time.Time) {
	if r := m.rings[id]; r != nil && r.links[host] != nil {
		l := r.links[host]
		l.silent, l.deaf = false, 0
		l.peer.Incarnation = max(l.peer.Incarnation, life)
	}
	if c := m.cases[host]; c != nil {
		m.acquit(c, now)
	}
	if s := m.standing[host]; s != nil {
		m.back(s, life, "heartbeat", now)
	}
	m.reunited(now)
}
