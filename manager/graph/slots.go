package graph

import "iter"

// slots are things with a number each, as long as one is there. A table of numbers finds them
// by what they are called: to the collector it is nothing, whereas things that stand in the
// order of hashes lie all over memory for whoever follows one after the other. Here most are
// in the order in which they were made.
type slots[T any] struct {
	list []*T    // by number; nil where one has gone
	free []int32 // numbers of such
}

// put gives a thing its number.
func (s *slots[T]) put(x *T) (number int32) {
	last := len(s.free) - 1
	if last < 0 {
		s.list = append(s.list, x)
		return int32(len(s.list) - 1)
	}
	number = s.free[last]
	s.free = s.free[:last]
	s.list[number] = x
	return number
}

func (s *slots[T]) drop(number int32) {
	s.list[number] = nil
	s.free = append(s.free, number)
}

// all are the things by number, which is in no order.
func (s *slots[T]) all() iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for _, x := range s.list {
			if x != nil && !yield(x) {
				return
			}
		}
	}
}
