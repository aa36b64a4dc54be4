package rings

import (
	"cmp"
	"hash/maphash"
	"slices"
	"time"

	"cassini/model"
	"cassini/model/wire"
)

const (
	firstRepeat = 500 * time.Millisecond
	lastRepeat  = 30 * time.Second
	maxPending  = 10_000
	// dismissals are told this often to who may be dead.
	maxDismissals = 6
)

// instruction is a place that a host has yet to acknowledge.
type instruction struct {
	to    model.RingMember
	place *model.Assignment // without keys, which are made when it is sent; nil before that is worked out
	due   time.Time         // as it is in the queue
	pause time.Duration
	tries int
}

// assignment is the place of a host in a ring.
func (r *Rings) assignment(ring *Ring, host string) *model.Assignment {
	return ring.keyed(r.place(ring, host), host)
}

// keyed is a copy of a host's place with its keys.
func (g *Ring) keyed(place *model.Assignment, host string) *model.Assignment {
	a := *place
	a.Keys = g.keys()
	for _, n := range []*model.RingNeighbor{&a.Next, &a.Previous} {
		if n.Known() {
			n.Keys = g.linkKeys(host, n.Host)
		}
	}
	return &a
}

// place is the same without keys, which cost more than all else in it.
func (r *Rings) place(ring *Ring, host string) *model.Assignment {
	n, at := len(ring.Order), slices.Index(ring.Order, host)
	member := func(steps int) model.RingMember {
		name := ring.Order[((at+steps)%n+n)%n]
		if name == host {
			return model.RingMember{}
		}
		return r.hosts[name].RingMember
	}
	a := &model.Assignment{Ring: ring.ID, Epoch: ring.Epoch, Profile: ring.Profile, Relays: append(make([]model.RingMember, 0, 2), r.cfg.Self)}
	if n == 1 {
		return a
	}
	a.Next = model.RingNeighbor{RingMember: member(1), Beyond: member(2)}
	a.Previous = model.RingNeighbor{RingMember: member(-1), Beyond: member(-2)}
	a.Successors = make([]model.RingMember, 0, model.MaxSuccessors)
	for i := 1; i <= min(model.MaxSuccessors, n-1); i++ {
		a.Successors = append(a.Successors, member(i))
	}
	if n >= fewest {
		a.Relays = append(a.Relays, member(n/2)) // for when the manager is away
	}
	return a
}

// fewest members of a ring in which one at the other side is no neighbor's neighbor.
const fewest = 6

// reach is how far before and after a change the places differ.
const reach = model.MaxSuccessors

// moved tells those whose place has changed, after somebody came or went at a position.
func (r *Rings) moved(ring *Ring, at int, now time.Time) {
	ring.Epoch++
	r.stats.Repairs++
	r.cfg.World.KeepRing(ring)
	n := len(ring.Order)
	for i := range min(n, 2*reach+1) {
		r.instructIfNew(ring, ring.Order[((at-reach+i)%n+n)%n], now)
	}
}

// changed tells the neighbors of a host about its address, life or state.
func (r *Rings) changed(h *Host, now time.Time) {
	for _, id := range h.Rings {
		ring := r.rings[id]
		r.moved(ring, slices.Index(ring.Order, h.Host), now)
	}
}

// instructIfNew tells a host its place unless it was told the same. What asks farther
// away, such as a relay, is told with the next change that is close.
func (r *Rings) instructIfNew(ring *Ring, host string, now time.Time) {
	a := r.place(ring, host)
	if old, ok := r.told[place{ring.ID, host}]; !ok || old != r.mark(a) {
		r.tell(ring, host, a, now)
	}
}

// instruct tells a host its place, from due on until it acknowledges that.
func (r *Rings) instruct(ring *Ring, host string, due time.Time) {
	r.tell(ring, host, r.place(ring, host), due)
}

func (r *Rings) tell(ring *Ring, host string, a *model.Assignment, due time.Time) {
	at := place{ring.ID, host}
	r.told[at] = r.mark(a)
	r.wait(at, &instruction{to: r.hosts[host].RingMember, place: a, due: due, pause: firstRepeat})
}

// tellLater is instruct for very many: what the places are is worked out when they are due.
func (r *Rings) tellLater(ring *Ring, host string, due time.Time) {
	r.wait(place{ring.ID, host}, &instruction{to: r.hosts[host].RingMember, due: due, pause: firstRepeat})
}

// mark is what two places have in common that tell a host the same, whatever their epochs.
// It stands in for the place, which takes thirty times the memory: two that differ have the
// same by chance, once in 2^64.
func (r *Rings) mark(a *model.Assignment) uint64 {
	var h maphash.Hash
	h.SetSeed(r.seed)
	for _, m := range []model.RingMember{a.Next.RingMember, a.Next.Beyond, a.Previous.RingMember, a.Previous.Beyond} {
		maphash.WriteComparable(&h, m)
	}
	for _, list := range [][]model.RingMember{a.Successors, a.Relays} {
		maphash.WriteComparable(&h, len(list))
		for _, m := range list {
			maphash.WriteComparable(&h, m)
		}
	}
	maphash.WriteComparable(&h, a.Profile)
	return h.Sum64()
}

// dismiss tells a host where it has no place any more.
func (r *Rings) dismiss(h *Host, now time.Time) {
	for id, epoch := range h.Left { // sent in order when they are due
		r.wait(place{id, h.Host}, &instruction{
			to: h.RingMember, due: now, pause: firstRepeat, place: &model.Assignment{Ring: id, Epoch: epoch, Gone: true},
		})
	}
}

// acknowledged takes a host's word for which epoch of a ring it has.
func (r *Rings) acknowledged(ring model.RingID, host string, epoch model.Epoch, now time.Time) {
	at := place{ring, host}
	p := r.pending[at]
	if p == nil {
		return
	}
	told := p.place
	if told == nil { // nothing was sent so far
		told = r.place(r.rings[ring], host)
	}
	if epoch < told.Epoch || r.leapt(told, host, epoch, now) {
		return
	}
	delete(r.pending, at)
	if h := r.hosts[host]; told.Gone && h != nil {
		delete(h.Left, ring)
		r.cfg.World.KeepHost(h)
	}
}

// maxLeap bounds how far one word of a host takes an epoch on: by more than any estate can
// change, and less than would use up the numbers.
const maxLeap = 1 << 32

// Beyond is an epoch that no plan has had so far, though more are forgotten than is known:
// plans begin with the time in seconds, and change less than once a second for long. One
// that is only higher than what one member has could be another's, of a plan that differs.
func Beyond(e model.Epoch, now time.Time) model.Epoch {
	return max(e, model.Epoch(max(now.Unix(), 0))) + model.EpochLeap
}

// leapt goes on beyond an epoch that a host has and this manager never gave: it is one that
// has gone back to a backup. The host has a place of a plan that is forgotten, and takes
// none of a lower epoch; so all members are told theirs in a higher one.
func (r *Rings) leapt(told *model.Assignment, host string, epoch model.Epoch, now time.Time) bool {
	if told.Gone {
		h := r.hosts[host]
		if h == nil || epoch <= told.Epoch || epoch-told.Epoch > maxLeap {
			return false
		}
		h.Left[told.Ring] = Beyond(epoch, now)
		r.cfg.World.KeepHost(h)
		r.dismiss(h, now)
		return true
	}
	ring := r.rings[told.Ring]
	if ring == nil || epoch <= ring.Epoch || epoch-ring.Epoch > maxLeap {
		return false
	}
	ring.Epoch = Beyond(epoch, now)
	r.tellAll(ring, func() time.Time { return now })
	return true
}

func (r *Rings) repeat(now time.Time) {
	due := r.due(now)
	slices.SortFunc(due, func(a, b place) int { return cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(a.ring, b.ring)) })
	for _, at := range due {
		p, ring := r.pending[at], r.rings[at.ring]
		if p.place == nil {
			p.place = r.place(ring, at.host)
			r.told[at] = r.mark(p.place)
		}
		if p.place.Gone && p.tries == maxDismissals {
			delete(r.pending, at)
			continue
		}
		a := p.place
		if ring != nil && !a.Gone {
			a = ring.keyed(a, at.host) // whatever changes a ring's keys tells all of its places again
		}
		r.stats.Instructions++
		r.cfg.World.Send(model.ManagerRing(at.host), p.to, wire.Message{Type: wire.Instruction, Assignment: a})
		p.tries++
		p.due = now.Add(p.pause)
		r.queue.push(at, p)
		p.pause = min(2*p.pause, lastRepeat)
	}
}

// tellAll begins an epoch in which all members of a ring are told their places.
func (r *Rings) tellAll(ring *Ring, when func() time.Time) {
	ring.Epoch++
	r.cfg.World.KeepRing(ring)
	for _, host := range ring.Order {
		r.instruct(ring, host, when())
	}
}
