package frames

import (
	"reflect"
	"time"

	"cassini/model"
)

// maxNeighbors bounds what is remembered of one interface: whoever holds the cable
// can invent as many as it likes. The first to come are kept.
const maxNeighbors = 16

// port is an interface of a network namespace.
type port struct{ netns, name string }

// neighbors is the table of who is heard at the other ends of the cables. It is
// not safe for concurrent use.
type neighbors struct {
	ports   map[port]map[string]*heard // by document key
	refused uint64                     // frames of neighbors beyond maxNeighbors
}

type heard struct {
	model.Neighbor
	expires time.Time
}

func newNeighbors() *neighbors {
	return &neighbors{ports: make(map[port]map[string]*heard)}
}

// hear takes what a frame said and returns the neighbors that changed by it.
func (t *neighbors) hear(p port, d model.Discovery, now time.Time) (changed []model.Neighbor) {
	n := model.Neighbor{Interface: p.name, Netns: p.netns, Discovery: d, State: model.NeighborPresent, FirstSeen: now.UTC(), Changed: now.UTC()}
	key := n.Key()
	known := t.ports[p][key]
	if d.TTL == 0 {
		if known == nil {
			return nil
		}
		return []model.Neighbor{t.end(p, key, model.NeighborShutdown, now)}
	}
	if known == nil {
		changed = t.movedTo(p, d, now)
		if len(t.ports[p]) >= maxNeighbors {
			t.refused++
			return changed
		}
		if t.ports[p] == nil {
			t.ports[p] = make(map[string]*heard)
		}
		t.ports[p][key] = &heard{Neighbor: n, expires: expiry(d, now)}
		return append(changed, n)
	}
	known.expires = expiry(d, now)
	if reflect.DeepEqual(known.Discovery, d) {
		return nil
	}
	known.Discovery, known.Changed = d, now.UTC()
	return []model.Neighbor{known.Neighbor}
}

func expiry(d model.Discovery, now time.Time) time.Time {
	return now.Add(time.Duration(d.TTL) * time.Second)
}

// movedTo ends what the same device said of another of its ports: a cable has one
// other end.
func (t *neighbors) movedTo(p port, d model.Discovery, now time.Time) (changed []model.Neighbor) {
	for key, n := range t.ports[p] {
		if n.Protocol == d.Protocol && n.Chassis == d.Chassis {
			changed = append(changed, t.end(p, key, model.NeighborMoved, now))
		}
	}
	return changed
}

func (t *neighbors) end(p port, key, state string, now time.Time) model.Neighbor {
	n := t.ports[p][key].Neighbor
	delete(t.ports[p], key)
	if len(t.ports[p]) == 0 {
		delete(t.ports, p)
	}
	n.State, n.Ended = state, now.UTC()
	return n
}

// unplug ends all neighbors of an interface: its carrier or the interface went.
func (t *neighbors) unplug(p port, now time.Time) (changed []model.Neighbor) {
	for key := range t.ports[p] {
		changed = append(changed, t.end(p, key, model.NeighborUnheard, now))
	}
	return changed
}

// expire ends those that were not heard for as long as they said themselves.
func (t *neighbors) expire(now time.Time) (changed []model.Neighbor) {
	for p, list := range t.ports {
		for key, n := range list {
			if !n.expires.After(now) {
				changed = append(changed, t.end(p, key, model.NeighborSilent, now))
			}
		}
	}
	return changed
}

// next is when expire will have something to do; ok is false when there is nobody.
func (t *neighbors) next() (at time.Time, ok bool) {
	for _, list := range t.ports {
		for _, n := range list {
			if !ok || n.expires.Before(at) {
				at, ok = n.expires, true
			}
		}
	}
	return at, ok
}

// adopt takes a neighbor that an earlier run of the agent heard, as if it had been
// heard now; false when it is known already or there are too many.
func (t *neighbors) adopt(n model.Neighbor, now time.Time) bool {
	p := port{n.Netns, n.Interface}
	if known := t.ports[p][n.Key()]; known != nil {
		known.FirstSeen = n.FirstSeen
		if reflect.DeepEqual(known.Discovery, n.Discovery) {
			known.Changed = n.Changed
		}
		return false
	}
	if len(t.ports[p]) >= maxNeighbors {
		return false
	}
	if t.ports[p] == nil {
		t.ports[p] = make(map[string]*heard)
	}
	t.ports[p][n.Key()] = &heard{Neighbor: n, expires: expiry(n.Discovery, now)}
	return true
}

// all calls fn for every neighbor that is heard.
func (t *neighbors) all(fn func(model.Neighbor)) {
	for _, list := range t.ports {
		for _, n := range list {
			fn(n.Neighbor)
		}
	}
}
