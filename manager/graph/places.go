package graph

// strikes says that the failure of one place is felt at another.
type strikes struct{ from, to int32 }

// pairsOfPlaces are many of them, in pieces that are never copied.
type pairsOfPlaces [][]strikes

// How many pairs are in a piece: the first, and no piece has more than the most.
const (
	firstPiece = 64
	mostPiece  = 1 << 16
)

func (p *pairsOfPlaces) add(s strikes) {
	last := len(*p) - 1
	switch {
	case last < 0:
		*p = append(*p, make([]strikes, 0, firstPiece))
		last = 0
	case len((*p)[last]) == cap((*p)[last]):
		*p = append(*p, make([]strikes, 0, min(2*cap((*p)[last]), mostPiece)))
		last++
	}
	(*p)[last] = append((*p)[last], s)
}

// compact puts pairs behind each other by where they begin: those of place p are
// to[off[p]:off[p+1]].
func (p pairsOfPlaces) compact(places int) (off, to []int32) {
	off = make([]int32, places+2) // until to is there, those of place p begin at off[p+1]
	all := 0
	for _, some := range p {
		all += len(some)
		for _, s := range some {
			off[s.from+2]++
		}
	}
	for place := range places {
		off[place+2] += off[place+1]
	}
	to = make([]int32, all)
	for _, some := range p {
		for _, s := range some {
			to[off[s.from+1]] = s.to
			off[s.from+1]++
		}
	}
	return off[:places+1], to
}
