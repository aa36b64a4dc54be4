package graph

import (
	"cmp"
	"iter"
	"math/bits"
	"slices"
)

// candidate is a failure that would explain something. What falls with it is known as far as
// it was followed: what is said of that is what it would be at best.
type candidate struct {
	*node
	explains members // of symptoms
	count    int     // of these
	ill      bool    // somebody says that it is
	fine     bool    // somebody says that it is well
	fell     int     // so many have fallen, itself among them
	healthy  int     // so many of these are well, and should not fall
	some     []*node // the first of those, when all are known
	known    bool    // all that falls with it is
	most     int     // so far it was followed
	fit      float64 // how well it fits what is seen, 0 to 1
	fresh    int     // symptoms that nothing explains yet that was picked
	adds     float64 // by which it is the better to pick
	at       int     // in a ranking, or -1
	place    int32   // among the rules
	bit      int     // among beside
	beside   []*candidate
	along    lane // those of beside that fall with it
}

// victims are what falls with it besides itself.
func (c *candidate) victims() int { return max(0, c.fell-b2i(!c.ended())) }

// follow lets nodes fail, many at a time but each by itself, and looks which symptoms fall:
// first those that may explain the most, and no more than can matter.
func (x *explaining) follow(nodes []upper) {
	f := x.ascent.falls().flood()
	// Those that are near to each other take the same along.
	slices.SortFunc(nodes, func(a, b upper) int {
		return cmp.Or(cmp.Compare(b.may.count(), a.may.count()), cmp.Compare(f.start[a.number], f.start[b.number]))
	})
	for some := range slices.Chunk(nodes, x.atOnce) {
		if x.enough(nodes) {
			return
		}
		nodes = nodes[len(some):]
		for _, c := range x.try(f, some) {
			if c.count > 0 {
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
func (x *explaining) try(f *flood, tried []upper) []*candidate {
	list, bitOf := make([]*candidate, len(tried)), make(map[*node]int, len(tried))
	places := make([]int32, len(tried))
	words := (len(x.symptoms) + 63) / 64
	room := make(members, words*len(tried))
	for bit, u := range tried {
		bitOf[u.node], places[bit] = bit, f.start[u.number]
		list[bit] = &candidate{node: u.node, explains: room[bit*words : (bit+1)*words], at: -1, place: places[bit], bit: bit, beside: list, fell: u.least()}
	}
	f.fromPlaces(places)
	for i, s := range x.symptoms {
		if at := f.hit[x.ascent.number[s]]; at >= 0 {
			for bit := range f.bits[at].all() {
				list[bit].explains.add(i)
			}
		}
		if bit, tried := bitOf[s]; tried { // which explains itself, whatever falls with it
			list[bit].explains.add(i)
		}
	}
	for bit, c := range list {
		if c.place >= 0 {
			for by := range f.bits[c.place].all() {
				list[by].along.set(bit)
			}
		}
		for _, word := range c.explains {
			c.count += bits.OnesCount64(word)
		}
		c.fresh, c.ill, c.fine = c.count, x.what(c.node) != "", x.well(c.node) != ""
		c.fits()
	}
	return list
}

// least is how many fall with a node at least: itself, unless it has, and with a service that
// none stands in for its clients.
func (n *node) least() int {
	least := b2i(!n.ended())
	if n.kind == nodeService && n.g.replicas.alone(n.replica) {
		least += len(n.inOf(nodeProcess)) + len(n.inOf(nodeUnknownHost))
	}
	return least
}

// fits works out how well what falls with a candidate is what is seen.
func (c *candidate) fits() {
	c.fit = float64(c.count) / float64(c.count+2*c.healthy)
	if !c.ill {
		c.fit *= 0.8 // nobody says that it is ill
	}
	if c.fine {
		c.fit *= 0.1 // and somebody that it is well
	}
	c.adds = float64(c.fresh) * c.fit
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
