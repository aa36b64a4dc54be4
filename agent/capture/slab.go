package capture

import "unsafe"

// slabBytes is how much is allocated at once: a page of Go's heap, which holds nothing else.
const slabBytes = 8192

// slab hands out places for things of one kind, many to an allocation. They live long and come
// by the hundred thousand, while much garbage is made: alone, each would have holes beside it
// when that is gone. The zero value is ready. It is not safe for concurrent use.
type slab[T any] struct {
	fresh []T
	spare []*T // that were given back
}

// take is a place that holds nothing.
func (s *slab[T]) take() *T {
	if last := len(s.spare) - 1; last >= 0 {
		at := s.spare[last]
		s.spare = s.spare[:last]
		return at
	}
	if len(s.fresh) == 0 {
		var one T
		s.fresh = make([]T, slabBytes/unsafe.Sizeof(one))
	}
	at := &s.fresh[0]
	s.fresh = s.fresh[1:]
	return at
}

// give takes a place back of which nobody makes use any more.
func (s *slab[T]) give(at *T) {
	var nothing T
	*at = nothing
	s.spare = append(s.spare, at)
}
