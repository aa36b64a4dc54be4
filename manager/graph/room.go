package graph

import "sync"

// room is the memory of rules that hold no more, for those that come after them: nobody has to wait
// for what was never used, and the collector has less to do. It has what it last had.
type room struct {
	start, hit, off, strike, gate, other []int32
	victims                              []victims
	parts, reach                         []uint8
	ways                                 []shortcut
	visits                               []visit
	floods                               *sync.Pool // of those that nobody uses
}

// leave is the room of rules and of their shortcuts, which nobody uses any more.
func (f *falls) leave() room {
	if f == nil {
		return room{}
	}
	r := room{
		start: f.start, hit: f.hit, off: f.off, strike: f.strike, gate: f.gate, victims: f.victims, parts: f.parts, visits: f.visits, floods: f.idle,
	}
	if s := f.short; s != nil {
		r.reach, r.ways, r.other = s.reach, s.ways, s.other
	}
	return r
}

// again is a list of so many zeros, in the room of one that nobody uses any more where it fits.
func again[T any](old []T, n int) []T {
	if cap(old) < n {
		return make([]T, n, n+n/roomPart)
	}
	list := old[:n]
	clear(list)
	return list
}

// roomPart is for how many more there is room, as a part of those that are there.
const roomPart = 32
