package graph

import (
	"math"
	"slices"
)

// effect orders how hard a node is hit.
type effect uint8

const (
	stands effect = iota
	degraded
	affected
	down
)

// hit is how a node falls.
type hit struct {
	effect  effect
	counted effect // that it had when it was counted; see weighing
	depth   int32  // 0 of what fell first
	because int32  // index of a node
}

// falling follows what falls with what, until nothing more does. It is used for one node
// after the other: what each took along is forgotten in as much time as it took to find.
type falling struct {
	v         *view
	hits      []hit   // by index of the node
	touched   []int32 // indices of nodes that have a hit
	queue     []int32
	fell      []victim
	bound     int       // no more are struck by one service than until so many are reached
	again     []harder  // what fell harder than it already had, since some were kept; see keep
	keeps     [2]int    // of touched and queue
	elsewhere *weighing // that knows by tracks of what falls; nil of most
	others    int       // how many fell there
	ahead     []*edge   // that are read before they are followed
	read      int       // what was read of them, so that it is read
}

// harder is how a node fell before it fell harder.
type harder struct {
	index int32
	hit
}

// falling is one that nobody else uses, until it is done.
func (v *view) falling() *falling {
	f := v.idle.falls.take()
	f.v = v
	if len(f.hits) < len(v.list) {
		f.hits = make([]hit, len(v.list)+len(v.list)/8)
	}
	return f
}

func (f *falling) done() {
	f.reset()
	idle := f.v.idle
	f.v, f.elsewhere = nil, nil
	idle.falls.put(f)
}

func (f *falling) reset() {
	for _, i := range f.touched {
		f.hits[i] = hit{}
	}
	clear(f.ahead) // no edge of a view that is gone
	f.ahead = f.ahead[:0]
	f.touched, f.queue, f.again, f.keeps, f.others = f.touched[:0], f.queue[:0], f.again[:0], [2]int{}, 0
}

// reached is how many fell, each as often as it had to be followed.
func (f *falling) reached() int { return len(f.queue) + f.others }

// keep remembers what has fallen, so that back lets stand again what fell since.
func (f *falling) keep() {
	f.again, f.keeps = f.again[:0], [2]int{len(f.touched), len(f.queue)}
}

func (f *falling) back() {
	for _, h := range slices.Backward(f.again) {
		f.hits[h.index] = h.hit
	}
	for _, i := range f.touched[f.keeps[0]:] {
		f.hits[i] = hit{}
	}
	f.touched, f.queue = f.touched[:f.keeps[0]], f.queue[:f.keeps[1]]
	f.keep()
}

// from lets nodes fall, all at once.
func (f *falling) from(starts ...*node) {
	f.reset()
	f.bound = math.MaxInt
	for _, start := range starts {
		f.fail(start)
	}
	for next := 0; next < len(f.queue); { // it grows meanwhile
		some := f.readAhead(f.queue[next:])
		for _, i := range some {
			if n := f.v.list[i]; !f.withHost(n) {
				f.spread(n)
			}
		}
		next += len(some)
	}
}

// withHost says whether a program fell with its host, as did all services that it runs.
func (f *falling) withHost(n *node) bool {
	h := f.hits[n.index]
	return n.kind == nodeProcess && h.effect == down && h.depth > 0
}

// How much is read ahead of following what falls: so many nodes, and no more of them behind one
// with so many edges.
const (
	nodesAhead = 32
	edgesAhead = 512
)

// readAhead comes by what the first few nodes strike, one thing of each at a time: it lies all
// over memory, and what does not hang on each other is fetched at once.
func (f *falling) readAhead(queue []int32) (some []int32) {
	if len(queue) < nodesAhead {
		return queue // it would take as long as it saves
	}
	clear(f.ahead)
	f.ahead = f.ahead[:0]
	for _, i := range queue[:nodesAhead] {
		n := f.v.list[i]
		f.read += int(n.kind) + int(n.edges.count)
	}
	for i, index := range queue[:nodesAhead] {
		if len(f.ahead) > edgesAhead {
			break
		}
		f.ahead = append(f.ahead, f.strikes(f.v.list[index])...)
		some = queue[:i+1]
	}
	for _, e := range f.ahead {
		f.read += int(e.kind)
	}
	for _, e := range f.ahead {
		f.read += int(e.from.index) + int(e.to.index)
	}
	for _, e := range f.ahead {
		f.read += int(f.hits[e.from.index].effect) + int(f.hits[e.to.index].effect)
	}
	return some
}

// strikes are the edges along which others fall with a node.
func (f *falling) strikes(n *node) []*edge {
	switch {
	case n.kind == nodeSwitch, n.kind == nodeHost:
		return n.out()
	case n.kind == nodeInterface:
		return n.edges.all()
	case f.withHost(n):
		return nil
	}
	return n.in()
}

// fail takes a node down by itself, unless it is.
func (f *falling) fail(n *node) {
	if h := f.hits[n.index]; h.effect < down {
		f.hit(n.index, hit{down, h.counted, h.depth, h.because})
	}
}

// strike makes a node fall by another, unless it fell as hard already.
func (f *falling) strike(n *node, how effect, by *node) {
	if f.elsewhere != nil && f.elsewhere.takes(n, how, by) {
		return
	}
	before := f.hits[n.index]
	if before.effect >= how {
		return
	}
	depth := f.hits[by.index].depth + 1
	if before.effect != stands {
		depth = min(depth, before.depth)
	}
	f.hit(n.index, hit{how, before.counted, depth, by.index})
}

// hit makes a node fall harder than it already had.
func (f *falling) hit(index int32, how hit) {
	if before := f.hits[index]; before.effect == stands {
		f.touched = append(f.touched, index)
	} else {
		f.again = append(f.again, harder{index, before})
	}
	f.hits[index] = how
	if how.effect >= affected {
		f.queue = append(f.queue, index)
	}
}

func (f *falling) effect(n *node) effect { return f.hits[n.index].effect }
