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

// instruction is a place that a host has yet to acknowledge. What it says is worked out each
// time it is sent: so what waits takes little, however many wait.
type instruction struct {
	to    *Host
	epoch model.Epoch // of the ring as it was told, which is the least to acknowledge
	gone  bool        // there is no place any more
	due   time.Time   // as it is in the queue
	pause time.Duration
	tries int
}

// assignment is the place of a host in a ring, with its keys.
func (r *Rings) assignment(ring *Ring, host string) *model.Assignment {
	a := &model.Assignment{Relays: make([]model.RingMember, 0, 2), Successors: make([]model.RingMember, 0, model.MaxSuccessors)}
	r.place(ring, host, a)
	a.Keys = ring.keys()
	for _, n := range []*model.RingNeighbor{&a.Next, &a.Previous} {
		if n.Known() {
			n.Keys = ring.linkKeys(host, n.Host)
		}
	}
	return a
}

// place is the same without keys, which cost more than all else in it. The lists of what is
// in a are used again.
func (r *Rings) place(ring *Ring, host string, a *model.Assignment) {
	n, at := len(ring.Order), slices.Index(ring.Order, host)
	member := func(steps int) model.RingMember {
		name := ring.Order[((at+steps)%n+n)%n]
		if name == host {
			return model.RingMember{}
		}
		return r.hosts[name].RingMember
	}
	*a = model.Assignment{Ring: ring.ID, Epoch: ring.Epoch, Profile: ring.Profile, Relays: append(a.Relays[:0], r.cfg.Self), Successors: a.Successors[:0]}
	if n == 1 {
		return
	}
	a.Next = model.RingNeighbor{RingMember: member(1), Beyond: member(2)}
	a.Previous = model.RingNeighbor{RingMember: member(-1), Beyond: member(-2)}
	for i := 1; i <= min(model.MaxSuccessors, n-1); i++ {
		a.Successors = append(a.Successors, member(i))
	}
	if n >= fewest {
		a.Relays = append(a.Relays, member(n/2)) // for when the manager is away
	}
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
	mark := r.markOf(ring, host)
	if old, ok := r.told[place{ring.ID, host}]; !ok || old != mark {
		r.tell(ring, host, mark, now)
	}
}

// instruct tells a host its place, from due on until it acknowledges that.
func (r *Rings) instruct(ring *Ring, host string, due time.Time) {
	r.tell(ring, host, r.markOf(ring, host), due)
}

func (r *Rings) tell(ring *Ring, host string, mark uint64, due time.Time) {
	at := place{ring.ID, host}
	r.told[at] = mark
	r.wait(at, &instruction{to: r.hosts[host], epoch: ring.Epoch, due: due, pause: firstRepeat})
}

// markOf is the mark of a host's place.
func (r *Rings) markOf(ring *Ring, host string) uint64 {
	r.place(ring, host, &r.glance)
	return r.mark(&r.glance)
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
		r.wait(place{id, h.Host}, &instruction{to: h, epoch: epoch, gone: true, due: now, pause: firstRepeat})
	}
}

// acknowledged takes a host's word for which epoch of a ring it has.
func (r *Rings) acknowledged(ring model.RingID, host string, epoch model.Epoch, now time.Time) {
	at := place{ring, host}
	p := r.pending[at]
	if p == nil || epoch < p.epoch || r.leapt(at, p, epoch, now) {
		return
	}
	delete(r.pending, at)
	if h := r.hosts[host]; p.gone && h != nil {
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
func (r *Rings) leapt(at place, told *instruction, epoch model.Epoch, now time.Time) bool {
	if told.gone {
		h := r.hosts[at.host]
		if h == nil || epoch <= told.epoch || epoch-told.epoch > maxLeap {
			return false
		}
		h.Left[at.ring] = Beyond(epoch, now)
		r.cfg.World.KeepHost(h)
		r.dismiss(h, now)
		return true
	}
	ring := r.rings[at.ring]
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
		p := r.pending[at]
		if p.gone && p.tries == maxDismissals {
			delete(r.pending, at)
			continue
		}
		r.stats.Instructions++
		r.cfg.World.Send(model.ManagerRing(at.host), p.to.RingMember, wire.Message{Type: wire.Instruction, Assignment: r.saying(at, p)})
		p.tries++
		p.due = now.Add(p.pause)
		r.queue.push(at, p)
		p.pause = min(2*p.pause, lastRepeat)
	}
}

// saying is what an instruction says now: of a place that one, as it has become meanwhile.
func (r *Rings) saying(at place, p *instruction) *model.Assignment {
	if p.gone {
		return &model.Assignment{Ring: at.ring, Epoch: p.epoch, Gone: true}
	}
	a := r.assignment(r.rings[at.ring], at.host)
	r.told[at] = r.mark(a)
	return a
}

// tellAll begins an epoch in which all members of a ring are told their places.
func (r *Rings) tellAll(ring *Ring, when func() time.Time) {
	ring.Epoch++
	r.cfg.World.KeepRing(ring)
	for _, host := range ring.Order {
		r.instruct(ring, host, when())
	}
}
