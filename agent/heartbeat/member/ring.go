package member

import (
	"slices"
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
	trip         roundTrip
}

// Assign takes an instruction. It says which epoch the member has afterwards, and
// whether the instruction was taken.
func (m *Member) Assign(a *model.Assignment, now time.Time) (model.Epoch, bool) {
	if !m.concerns(a) {
		return 0, false
	}
	r := m.rings[a.Ring]
	known := m.known(a)
	switch {
	case known != nil && a.Epoch < known.Epoch:
		m.stats.Stale++
		return known.Epoch, false
	case known != nil && a.Epoch == known.Epoch && a.Gone == known.Gone:
		return a.Epoch, true
	case a.Gone:
		m.leaveRing(a)
	default:
		m.take(r, a, now)
	}
	m.settle(now)
	m.world.Save(append(m.Assignments(), m.farewells()...))
	return a.Epoch, true
}

// known is what holds of an assignment's ring: the place in it, or that it was left. A
// ring of that name which has nothing of the keys of the one that was left is another.
func (m *Member) known(a *model.Assignment) *model.Assignment {
	if r := m.rings[a.Ring]; r != nil {
		return r.place
	}
	left := m.gone[a.Ring]
	if left == nil || a.Gone || slices.ContainsFunc(left.Keys.Keys, func(k model.RingKey) bool { return hasSecret(a.Keys, k.Secret) }) {
		return left
	}
	return nil
}

func hasSecret(set model.KeySet, secret model.Secret) bool {
	return slices.ContainsFunc(set.Keys, func(k model.RingKey) bool { return k.Secret == secret })
}

// concerns says whether an assignment is one at all. The ring with the manager is none.
func (m *Member) concerns(a *model.Assignment) bool {
	return a != nil && a.Ring != "" && a.Ring != model.ManagerRing(m.self.Host)
}

// Restore takes back what was on disk. Nothing is saved.
func (m *Member) Restore(assignments []*model.Assignment, now time.Time) {
	for _, a := range assignments {
		switch {
		case !m.concerns(a):
		case a.Gone:
			m.leaveRing(a)
		default:
			m.take(m.rings[a.Ring], a, now)
		}
	}
	m.settle(now)
}

// Assignments are the places that the member has, by ring.
func (m *Member) Assignments() (all []*model.Assignment) {
	for _, id := range sorted(m.rings) {
		all = append(all, m.rings[id].place)
	}
	return all
}

// maxGone is how many rings are remembered that the member was in: what was meant for an
// earlier epoch may come late, or again.
const maxGone = 64

// leaveRing ends a membership.
func (m *Member) leaveRing(a *model.Assignment) {
	left := &model.Assignment{Ring: a.Ring, Epoch: a.Epoch, Gone: true, Keys: a.Keys}
	if r := m.rings[a.Ring]; r != nil {
		left.Keys = r.place.Keys
		m.part(r)
	} else if old := m.gone[a.Ring]; old != nil {
		left.Keys = old.Keys
	}
	if _, known := m.gone[a.Ring]; !known && len(m.gone) == maxGone {
		delete(m.gone, sorted(m.gone)[0])
	}
	m.gone[a.Ring] = left
}

// farewells are the assignments that ended memberships, as far as they are remembered.
func (m *Member) farewells() (all []*model.Assignment) {
	for _, id := range sorted(m.gone) {
		all = append(all, m.gone[id])
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

// shortest is the least time in a profile: a damaged one shall not keep the host busy.
const shortest = 10 * time.Millisecond

// tame is an assignment whose times can be kept to.
func tame(a *model.Assignment) *model.Assignment {
	if p := a.Profile; min(p.Interval, p.Silence, p.Window) >= shortest {
		return a
	}
	tamed := *a
	tamed.Profile = model.StandardProfile()
	return &tamed
}

// take puts a place in the ring into force.
func (m *Member) take(r *ring, a *model.Assignment, now time.Time) {
	a = tame(a)
	delete(m.gone, a.Ring)
	if r == nil {
		r = &ring{id: a.Ring, links: make(map[string]*link)}
		m.rings[a.Ring] = r
		r.beat = now.Add(m.jitter(a.Profile.Interval))
	}
	r.place = a
	m.world.Join(a)
	m.endBridge(r, now)
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
	m.bridgeOver(r, now)
	if len(r.links) == 0 {
		r.beat = time.Time{}
	} else if r.beat.IsZero() {
		r.beat = now.Add(m.jitter(a.Profile.Interval))
	}
}

// link watches a neighbor, or changes what is known of one.
func (m *Member) link(r *ring, l *link, now time.Time) {
	old := r.links[l.peer.Host]
	anew := old != nil && (old.peer.Addr != l.peer.Addr || l.peer.Incarnation > old.peer.Incarnation)
	if old != nil {
		l.peer.Incarnation = max(l.peer.Incarnation, old.peer.Incarnation)
	}
	if old != nil && !anew {
		l.silent, l.deaf, l.refused, l.trip = old.silent, old.deaf, old.refused, old.trip
	}
	r.links[l.peer.Host] = l
	m.world.Watch(r.id, l.peer, l.keys, r.place.Profile)
	if anew { // its silence was another's: it is given a window to be heard in
		m.world.Rewatch(r.id, l.peer.Host)
	}
	if r.beat.IsZero() {
		r.beat = now.Add(m.jitter(r.place.Profile.Interval))
	}
}

func (m *Member) unlink(r *ring, host string) {
	delete(r.links, host)
	m.world.Unwatch(r.id, host)
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
		m.measure(r, r.links[host], now)
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

// Resumed takes word that they are back, or that a new life has begun with one; 0 is a
// life that is not known.
func (m *Member) Resumed(id model.RingID, host string, life model.Incarnation, now time.Time) {
	r := m.rings[id]
	if r == nil || r.links[host] == nil || life != 0 && life < r.links[host].peer.Incarnation {
		return // not watched any more, or recorded in an earlier life and sent again
	}
	m.hear(now)
	l := r.links[host]
	l.silent, l.deaf, l.peer.Incarnation = false, 0, max(life, l.peer.Incarnation)
	if s := m.standing[host]; s != nil {
		m.back(s, life, "heartbeat", now)
	}
	switch c := m.cases[host]; {
	case c == nil:
	case life > c.subject.Incarnation: // it had died, and nobody was accused wrongly
		m.close(c, model.SightAgent, now)
	default:
		m.acquit(c, now)
	}
	m.reunited(now)
}
