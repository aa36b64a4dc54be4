package graph

import "slices"

// weighing follows candidates over the graph itself, one after the other, each no farther than
// is needed to tell it from others.
type weighing struct {
	*falling
	tracks *tracks // nil where another question has them
	toll   toll
	next   int // in the queue of what fell: the first that was not followed
	// base is one with which all that is kept falls. Those that take it along go on from there.
	base    *candidate
	ofBase  toll
	counted int // in the queue: the first that was not counted
}

// toll is how many fell.
type toll struct {
	fell    int
	healthy int
	some    []*node // the first of those that are well
}

// weighFirst is how many fall until a candidate is left for another one, and weighMore how
// many times as many the next time, or as many as are known to fall.
const (
	weighFirst = 64
	weighMore  = 4
)

// weigh makes ready for weighing candidates, until what it returns is called.
func (x *explaining) weigh() (done func()) {
	x.weighing = weighing{falling: x.v.falling(), tracks: x.v.takeTracks()}
	return func() {
		x.weighing.done()
		x.v.leaveTracks(x.weighing.tracks)
	}
}

// push follows a candidate until so many have fallen, or some more than with what it takes
// along.
func (x *explaining) push(c *candidate, most int) {
	w := &x.weighing
	w.begin(c)
	w.bound = max(most, w.counted+x.weighed)
	w.fail(c.node)
	for w.next < len(w.queue) && len(w.queue) < w.bound {
		w.follow(w.queue[w.next])
		w.next++
	}
	x.count()
	c.most, c.fell, c.healthy = w.bound, max(c.fell, w.toll.fell), max(c.healthy, w.toll.healthy)
	if w.next == len(w.queue) {
		c.known, c.some = true, slices.Clone(w.toll.some)
		if w.base == nil || w.toll.fell > w.ofBase.fell+w.ofBase.fell/2 {
			w.keep()
			w.base, w.ofBase = c, toll{c.fell, c.healthy, c.some}
		}
	}
	c.fits()
}

// begin goes back to the base, where that falls with a candidate, or to nothing.
func (w *weighing) begin(c *candidate) {
	if w.base != nil && c.takes(w.base) {
		w.back()
		w.toll = toll{w.ofBase.fell, w.ofBase.healthy, slices.Clone(w.ofBase.some)}
	} else {
		w.reset()
		w.base, w.toll = nil, toll{}
	}
	w.next, w.counted = len(w.queue), len(w.queue)
}

// follow spreads the fall of one node.
func (w *weighing) follow(index int32) {
	if w.tracks == nil {
		w.spread(w.v.list[index])
		return
	}
	if strikes, known := w.tracks.of(index); known {
		w.strikeAgain(index, strikes)
		return
	}
	n := w.v.list[index]
	if n.kind == nodeHost && w.effect(n) != down || !n.surely() {
		w.spread(n)
		return
	}
	w.tracks.make(w.falling, n)
}

// strikeAgain does what spreading the fall of a node did before.
func (w *weighing) strikeAgain(index int32, strikes []int32) {
	if w.hits[index].effect != down && w.tracks.classOf(w.v, index) == someHost {
		return
	}
	for _, s := range strikes {
		to, how := s/2, affected+effect(s%2)
		if before := w.hits[to]; before.effect < how {
			if w.hit(to, hit{effect: how, counted: before.counted}); len(w.queue) >= w.bound {
				return
			}
		}
	}
}

// count takes into account what fell since.
func (x *explaining) count() {
	w := &x.weighing
	for _, index := range w.queue[w.counted:] {
		h := &w.hits[index]
		if h.counted { // it was affected before it was down
			continue
		}
		h.counted = true
		class := w.tracks.classOf(w.v, index)
		w.toll.fell += b2i(class != endedService)
		if class == someOther || class != someHost && len(x.grew) == 0 {
			continue
		}
		if n := w.v.list[index]; x.well(n) != "" {
			w.toll.healthy++
			w.toll.some = first(w.toll.some, n)
		}
	}
	w.counted = len(w.queue)
}

// first keeps the first that are named, in order, and one more.
func first(list []*node, n *node) []*node {
	if len(list) > maxAgainst && compareNatural(list[maxAgainst], n) <= 0 {
		return list
	}
	at, _ := slices.BinarySearchFunc(list, n, compareNatural)
	list = slices.Insert(list, at, n)
	return list[:min(len(list), maxAgainst+1)]
}

// takes says whether another falls with a candidate, as far as both were let fail at once:
// then all does that falls with the other.
func (c *candidate) takes(other *candidate) bool {
	return &c.beside[0] == &other.beside[0] && c.along.has(other.bit)
}

// learns takes over what is known of those that fall with a candidate, and says whether that
// is more than was known of itself.
func (c *candidate) learns() (more bool) {
	for bit := range c.along.all() {
		with := c.beside[bit]
		if with.fell > c.fell || with.healthy > c.healthy {
			c.fell, c.healthy, more = max(c.fell, with.fell), max(c.healthy, with.healthy), true
		}
	}
	if more {
		c.fits()
	}
	return more
}
