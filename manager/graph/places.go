package graph

// strikes says that the failure of one place is felt at another.
type strikes struct{ from, to int32 }

// pairsOfPlaces are many of them, by groups of places that are near to each other: what is put in order
// then stays near to the processor.
type pairsOfPlaces []pieces[strikes]

// groupBits is how many places are in a group, as a power of two.
const groupBits = 16

func (p pairsOfPlaces) add(s strikes) { p[s.from>>groupBits].add(s) }

// groupsOf is how many groups so many places have.
func groupsOf(places int) int { return (places + 1<<groupBits - 1) >> groupBits }

// pieces are a list that is never copied while it grows.
type pieces[T any] [][]T

// How many are in a piece: the first, and no piece has more than the most.
const (
	firstPiece = 64
	mostPiece  = 1 << 12
)

func (p *pieces[T]) add(x T) {
	last := len(*p) - 1
	switch {
	case last < 0:
		*p = append(*p, make([]T, 0, firstPiece))
		last = 0
	case len((*p)[last]) == cap((*p)[last]):
		*p = append(*p, make([]T, 0, min(2*cap((*p)[last]), mostPiece)))
		last++
	}
	(*p)[last] = append((*p)[last], x)
}

func (p pieces[T]) count() (n int32) {
	for _, some := range p {
		n += int32(len(some))
	}
	return n
}

// compact puts the rules behind each other by where they begin, on all processors: those of place p are
// to[off[p]:off[p+1]]. Gates have the last places.
func (l *layout) compact() (off, to []int32) {
	nodes, gates := len(l.victims), 0
	for _, r := range l.rulings {
		r.firstGate = int32(nodes + gates)
		gates += len(r.gates)
	}
	begins := make([]int32, groupsOf(nodes)+1) // by group
	for group := range len(begins) - 1 {
		begins[group+1] = begins[group]
		for _, r := range l.rulings {
			begins[group+1] += r.pairs[group].count()
		}
	}
	all := begins[len(begins)-1]
	off, to = make([]int32, nodes+gates+1), make([]int32, all, int(all)+gates)
	inParts(len(begins)-1, 1, func(from, end int) {
		for group := from; group < end; group++ {
			first := group << groupBits
			l.compactGroup(group, begins[group], off[first:min(first+1<<groupBits, nodes)], to)
		}
	})
	at := off[nodes:nodes]
	for _, r := range l.rulings {
		l.member = append(l.member, r.gates...)
		for _, target := range r.targets {
			at = append(at, int32(len(to)))
			if target >= 0 {
				to = append(to, target)
			}
		}
	}
	off[nodes+gates] = int32(len(to))
	return off, to
}

// compactGroup does so with a group of places, which begins in to where it says.
func (l *layout) compactGroup(group int, begin int32, off, to []int32) {
	first, at := int32(group)<<groupBits, make([]int32, len(off))
	for _, r := range l.rulings {
		for _, some := range r.pairs[group] {
			for _, s := range some {
				at[s.from-first]++
			}
		}
	}
	for p, n := range at {
		off[p], at[p] = begin, begin
		begin += n
	}
	for _, r := range l.rulings {
		for _, some := range r.pairs[group] {
			for _, s := range some {
				if s.to < 0 {
					s.to = r.firstGate + ^s.to
				}
				to[at[s.from-first]] = s.to
				at[s.from-first]++
			}
		}
	}
}
