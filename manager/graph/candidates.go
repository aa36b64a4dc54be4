package graph

import (
	"cmp"
	"container/heap"
	"iter"
	"math/bits"
	"slices"
)

// follow lets nodes fail, many at a time but each by itself, and compares what falls with
// what is seen: first those that may explain the most, and no more than can matter.
func (x *explaining) follow(nodes []upper) {
	f := x.v.falls().flood()
	defer f.done()
	well := make(members, (len(f.node)+63)/64)
	for n := range x.wells(x.v) {
		if at := f.hit[n.index]; at >= 0 {
			well.add(int(at))
		}
	}
	// Those that are near to each other take the same along.
	slices.SortFunc(nodes, func(a, b upper) int {
		return cmp.Or(cmp.Compare(b.may.count(), a.may.count()), cmp.Compare(f.start[a.index], f.start[b.index]))
	})
	for some := range slices.Chunk(nodes, x.atOnce) {
		if x.enough(nodes) {
			return
		}
		nodes = nodes[len(some):]
		for _, c := range x.try(f, some, well) {
			if c.count > 0 {
				x.fits(c)
				x.candidates = append(x.candidates, c)
			}
		}
	}
}

// enough says that the rest of the nodes, those that may explain the most first, cannot
// change the answer: what there is explains all that they may, one of it all by itself, and
// as many as are tried together explain more than any of the rest.
func (x *explaining) enough(rest []upper) bool {
	if len(x.candidates) < x.tried {
		return false
	}
	var all, may lane
	most, better := 0, 0
	next := rest[0].may.count()
	for _, c := range x.candidates {
		for word, b := range c.explains[:min(len(c.explains), lanes)] {
			all[word] |= b
		}
		most = max(most, c.count)
		if c.count > next {
			better++
		}
	}
	for _, u := range rest {
		may.join(&u.may)
	}
	return better >= x.tried && most == all.count() && all.holds(&may)
}

// try makes candidates of nodes, as many as can be followed at a time.
func (x *explaining) try(f *flood, tried []upper, well members) []*candidate {
	list, nodes := make([]*candidate, len(tried)), make([]*node, len(tried))
	words := (len(x.symptoms) + 63) / 64
	room := make(members, words*len(tried))
	for i, u := range tried {
		nodes[i] = u.node
		list[i] = &candidate{node: u.node, explains: room[i*words : (i+1)*words]}
	}
	f.from(nodes)
	var victims, healthy columns
	for _, p := range f.touched {
		if f.node[p] >= 0 {
			victims.add(&f.bits[p])
		}
		if well.has(int(p)) {
			healthy.add(&f.bits[p])
		}
	}
	for i, s := range x.symptoms {
		at := f.hit[s.index]
		for bit, c := range list {
			if c.node == s || at >= 0 && f.bits[at].has(bit) {
				c.explains.add(i)
				c.count++
			}
		}
	}
	for bit, c := range list {
		c.victims, c.healthy = victims.of(bit), healthy.of(bit)
		if at := f.hit[c.node.index]; at >= 0 && f.node[at] >= 0 && f.bits[at].has(bit) {
			c.victims-- // itself is not its victim
		}
	}
	return list
}

// meet looks for victims of candidates that are well, as many as are named.
func (x *explaining) meet(chosen []*candidate) {
	once := make(map[*candidate]bool) // one can be in several explanations
	chosen = slices.DeleteFunc(slices.Clone(chosen), func(c *candidate) bool {
		known := once[c]
		once[c] = true
		return known || c.healthy == 0
	})
	if len(chosen) == 0 {
		return
	}
	f := x.v.falls().flood()
	defer f.done()
	for some := range slices.Chunk(chosen, atATime) {
		nodes := make([]*node, len(some))
		for i, c := range some {
			nodes[i], c.some = c.node, nil
		}
		f.from(nodes)
		for n := range x.wells(x.v) {
			at := f.hit[n.index]
			if at < 0 {
				continue
			}
			for bit, c := range some {
				if f.bits[at].has(bit) {
					c.some = first(c.some, n)
				}
			}
		}
	}
}

// first keeps the first that are named, in order, and one more.
func first(list []*node, n *node) []*node {
	if len(list) > maxAgainst && natural(list[maxAgainst].id, n.id) <= 0 {
		return list
	}
	at, _ := slices.BinarySearchFunc(list, n, func(a, b *node) int { return natural(a.id, b.id) })
	list = slices.Insert(list, at, n)
	return list[:min(len(list), maxAgainst+1)]
}

// greedy picks what explains most of what is left, until nothing is. What a candidate adds
// only ever gets less, so that it is worked out anew only for those that come next.
func (x *explaining) greedy(all int) (set []*candidate) {
	h := make(gains, len(x.candidates))
	for i, c := range x.candidates {
		h[i] = gain{c, i, float64(c.count) * c.fit}
	}
	heap.Init(&h)
	explained := make(members, (len(x.symptoms)+63)/64)
	for count := 0; count < all && len(h) > 0; {
		c := h[0].candidate
		fresh := 0
		for word, m := range c.explains {
			fresh += bits.OnesCount64(m &^ explained[word])
		}
		if now := float64(fresh) * c.fit; now < h[0].adds {
			h[0].adds = now
			heap.Fix(&h, 0)
			continue
		}
		if fresh == 0 {
			return set
		}
		set = append(set, c)
		explained.join(c.explains)
		count += fresh
	}
	return set
}

// gain is what a candidate adds at most, as far as it was worked out.
type gain struct {
	*candidate
	at   int // in the order of candidates
	adds float64
}

// gains are a heap, the most first.
type gains []gain

func (g gains) Len() int { return len(g) }
func (g gains) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(g[j].adds, g[i].adds), cmp.Compare(g[i].at, g[j].at)) < 0
}
func (g gains) Swap(i, j int) { g[i], g[j] = g[j], g[i] }

// Push does nothing: all are there from the beginning.
func (g *gains) Push(any) {}

// Pop takes the last.
func (g *gains) Pop() any {
	last := (*g)[len(*g)-1]
	*g = (*g)[:len(*g)-1]
	return last
}

// members are numbers, a bit each.
type members []uint64

func (m members) has(i int) bool { return m[i/64]>>(i%64)&1 != 0 }
func (m members) add(i int)      { m[i/64] |= 1 << (i % 64) }

func (m members) join(other members) {
	for word, b := range other {
		m[word] |= b
	}
}

func (m members) all() iter.Seq[int] {
	return func(yield func(int) bool) {
		for word, b := range m {
			for ; b != 0; b &= b - 1 {
				if !yield(word*64 + bits.TrailingZeros64(b)) {
					return
				}
			}
		}
	}
}
