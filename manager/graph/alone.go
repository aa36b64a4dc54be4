package graph

// alone follows one failure after the other, with one bit a place. Of such as take little along
// hardly two hit the same, so that nothing is gained by following them at once, and so many bits
// stay near to the processor.
type alone struct {
	*falls
	fell    members
	touched []int32 // places that fell, in order
}

func (f *falls) alone() *alone { return &alone{falls: f, fell: make(members, (len(f.gate)+63)/64)} }

// from lets a place fail, and what fell before stand again.
func (a *alone) from(place int32) {
	for _, p := range a.touched {
		a.fell[p/64] = 0
	}
	a.touched = a.touched[:0]
	a.fall(place)
	for next := 0; next < len(a.touched); { // it grows meanwhile
		p := a.touched[next]
		next++
		for _, to := range a.struck(p) {
			switch {
			case to >= 0:
				a.fall(to)
			case a.opens(^to):
				a.fall(^to)
			}
		}
	}
}

func (a *alone) fall(p int32) {
	if word, bit := &a.fell[p/64], uint64(1)<<(p%64); *word&bit == 0 {
		*word |= bit
		a.touched = append(a.touched, p)
	}
}

// opens says whether all members of a gate fell.
func (a *alone) opens(gate int32) bool {
	for _, m := range a.member[a.gate[gate]] {
		if !a.fell.has(int(m)) {
			return false
		}
	}
	return true
}
