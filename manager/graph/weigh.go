package graph

import "slices"

// weighing follows candidates over the graph itself, one after the other, each no farther than
// is needed to tell it from others. Programs whose tracks tell all fall by these, and the others
// with everything else over edges.
type weighing struct {
	*falling
	toll toll
	next int        // in the queue of what fell: the first that was not followed
	last *candidate // that is followed
	// base is one with which all that is kept falls. Those that take it along go on from there.
	base    *candidate
	ofBase  toll
	counted int // in the queue: the first that was not counted

	tracks *tracks // nil where another question has them
	inTracks
	kept       inTracks // of the base
	keptOthers int      // likewise
	fresh      []int32  // kept for its room
	summed     int      // so many of others were counted
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
	w := &x.weighing
	*w = weighing{falling: x.v.falling(), tracks: x.v.takeTracks()}
	if w.tracks != nil {
		w.elsewhere = w
	}
	return func() {
		if w.restart(); w.tracks != nil {
			x.v.leaveTracks(w.tracks)
		}
		w.done()
	}
}

// push follows a candidate until so many have fallen, or some more than with what it takes
// along.
func (x *explaining) push(c *candidate, most int) {
	w := &x.weighing
	if w.last != c { // else it goes on
		w.begin(c)
		w.failAlone(c.node)
	}
	w.last, w.bound = c, max(most, w.reached()+x.weighed)
	for w.reached() < w.bound && w.goOn() {
	}
	x.count()
	c.most, c.fell, c.healthy = w.bound, max(c.fell, w.toll.fell), max(c.healthy, w.toll.healthy)
	if w.next == len(w.queue) && w.passed == len(w.lists) {
		c.known, c.some = true, slices.Clone(w.toll.some)
		if w.base == nil || w.toll.fell > w.ofBase.fell+w.ofBase.fell/2 {
			w.keepAll()
			w.base, w.ofBase = c, toll{c.fell, c.healthy, c.some}
		}
	}
	c.fits()
}

// begin goes back to the base, where that falls with a candidate, or to nothing.
func (w *weighing) begin(c *candidate) {
	if w.base != nil && c.takes(w.base) {
		w.backAll()
		w.toll = toll{w.ofBase.fell, w.ofBase.healthy, slices.Clone(w.ofBase.some)}
	} else {
		w.restart()
		w.base, w.toll = nil, toll{}
	}
	w.next, w.counted, w.summed = len(w.queue), len(w.queue), w.others
}

// goOn follows one of what fell, and says whether there was one. One with which the bound was
// reached is followed again where that is raised.
func (w *weighing) goOn() bool {
	switch {
	case w.next < len(w.queue):
		w.follow(w.v.list[w.queue[w.next]])
		w.next += b2i(w.reached() < w.bound)
	case w.passed < len(w.lists):
		w.along(w.tracks.listed(w.lists[w.passed]))
		w.passed += b2i(w.reached() < w.bound)
	default:
		return false
	}
	return true
}

// count takes into account what fell since.
func (x *explaining) count() {
	w := &x.weighing
	for _, index := range w.queue[w.counted:] {
		h, n := &w.hits[index], w.v.list[index]
		w.toll.fell += b2i(h.counted == stands && !n.ended()) // else it was affected before it was down
		if h.counted < down && h.effect == down {
			x.countWell(n)
		}
		h.counted = h.effect
	}
	w.counted = len(w.queue)
	w.toll.fell += w.others - w.summed
	w.summed = w.others
}

// countWell counts one that would be dead, and is well. That is said of hosts alone: a service that
// is affected goes on to accept connections.
func (x *explaining) countWell(n *node) {
	if n.kind != nodeHost || x.well(n) == "" {
		return
	}
	x.weighing.toll.healthy++
	x.weighing.toll.some = first(x.weighing.toll.some, n)
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
