package graph

import (
	"cmp"
	"container/heap"
	"math/bits"
	"slices"
)

// ranking has candidates in an order, the first on top, as far as is known what falls with
// them. What is found out later puts one behind others, and never before.
type ranking struct {
	*explaining
	list    []*candidate
	compare func(a, b *candidate) int
	wanted  int          // so many are, or 0 where nobody knows
	known   []*candidate // the first of those of which all is known, in order, as many as are wanted
}

func (x *explaining) rank(list []*candidate, compare func(a, b *candidate) int, wanted int) *ranking {
	r := &ranking{explaining: x, list: slices.Clone(list), compare: compare, wanted: wanted}
	for at, c := range r.list {
		c.at = at
	}
	heap.Init(r)
	return r
}

func (r *ranking) Len() int           { return len(r.list) }
func (r *ranking) Less(i, j int) bool { return r.compare(r.list[i], r.list[j]) < 0 }
func (r *ranking) Swap(i, j int) {
	r.list[i], r.list[j] = r.list[j], r.list[i]
	r.list[i].at, r.list[j].at = i, j
}

// Push does nothing: all are there from the beginning.
func (r *ranking) Push(any) {}

// Pop takes the last.
func (r *ranking) Pop() any {
	last := r.list[len(r.list)-1]
	r.list = r.list[:len(r.list)-1]
	last.at = -1
	return last
}

// best are the first candidates in their order, as many as are wanted.
func (x *explaining) best(list []*candidate, wanted int) (best []*candidate) {
	r := x.rank(list, compareCandidates, wanted)
	for len(best) < wanted && len(r.list) > 0 {
		if !r.list[0].known {
			r.more()
			continue
		}
		best = append(best, r.list[0])
		heap.Pop(r)
	}
	for _, c := range r.list {
		c.at = -1
	}
	return best
}

// more finds out more of the first.
func (r *ranking) more() {
	c := r.list[0]
	if c.learns() {
		heap.Fix(r, 0)
		return
	}
	r.push(c, r.far(c))
	if r.moved(c); c.known {
		r.above(c)
	}
}

// mostTries is how many candidates are followed in vain that take along what is known.
const mostTries = 4

// above finds out more of those that take a candidate along, which cost little as long as what
// fell with that is at hand, while more are wanted.
func (r *ranking) above(c *candidate) {
	list := slices.DeleteFunc(slices.Clone(c.beside), func(by *candidate) bool { return by.known || by.at < 0 || !by.takes(c) })
	slices.SortFunc(list, func(a, b *candidate) int { return cmp.Compare(a.along.count(), b.along.count()) })
	tries := 0
	for _, by := range list {
		by.learns()
		if by.takes(r.weighing.base) && !r.satisfied(by) {
			r.push(by, 0)
			tries += b2i(!by.known)
		}
		if r.moved(by); tries == mostTries {
			return
		}
	}
}

// satisfied says that a candidate does not come before those that are known.
func (r *ranking) satisfied(c *candidate) bool {
	return r.wanted > 0 && len(r.known) == r.wanted && r.compare(r.known[r.wanted-1], c) <= 0
}

// far is how many have to fall with a candidate to tell more of it: some times as many as
// before, or as many as with one that is surely good enough.
func (r *ranking) far(c *candidate) int {
	most := max(r.weighed, weighMore*c.most, weighMore*c.fell)
	if r.wanted > 0 && len(r.known) == r.wanted {
		if last := r.known[r.wanted-1]; last.count == c.count && last.fit == c.fit && last.fell+4 > c.most {
			return min(most, last.fell+4)
		}
	}
	return most
}

// moved puts a candidate where it belongs now.
func (r *ranking) moved(c *candidate) {
	heap.Fix(r, c.at)
	if !c.known || r.wanted == 0 {
		return
	}
	if at, _ := slices.BinarySearchFunc(r.known, c, r.compare); at < r.wanted {
		r.known = slices.Insert(r.known, at, c)
		r.known = r.known[:min(len(r.known), r.wanted)]
	}
}

// greedy picks what explains most of what is left, until nothing is. What a candidate adds
// only ever gets less, so that it is worked out anew only for those that come next.
func (x *explaining) greedy(all int) (set []*candidate) {
	r := x.rank(x.candidates, compareGains, 0)
	explained := make(members, (len(x.symptoms)+63)/64)
	for count := 0; count < all; {
		c := r.list[0]
		fresh := 0
		for word, m := range c.explains {
			fresh += bits.OnesCount64(m &^ explained[word])
		}
		switch {
		case fresh < c.fresh:
			c.fresh = fresh
			c.fits()
		case fresh == 0:
			return set
		case !c.known:
			r.more()
			continue
		default:
			set = append(set, c)
			explained.join(c.explains)
			count += fresh
			continue
		}
		heap.Fix(r, 0)
	}
	return set
}
