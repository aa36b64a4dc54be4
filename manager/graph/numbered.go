package graph

import (
	"iter"

	"cassini/manager/table"
)

// numbered are things with a number each, as long as one is there, that are found by hashes of
// what they are called. To the collector a table of numbers is nothing, whereas things that
// stand in the order of hashes lie all over memory for whoever follows one after the other. Here
// most are in the order in which they were made.
type numbered[T any] struct {
	list []*T    // by number; nil where one has gone
	free []int32 // numbers of such
	by   table.Table[int32]
}

func (t *numbered[T]) size() int { return t.by.Len() }

// get is the thing of a hash that is the one wanted, or nil.
func (t *numbered[T]) get(hash uint64, is func(*T) bool) *T {
	number, ok := t.by.Find(hash, func(i int32) bool { return is(t.list[i]) })
	if !ok {
		return nil
	}
	return t.list[number]
}

// put adds a thing that is not there yet, and tells its number.
func (t *numbered[T]) put(hash uint64, x *T) (number int32) {
	if last := len(t.free) - 1; last >= 0 {
		number = t.free[last]
		t.free = t.free[:last]
		t.list[number] = x
	} else {
		number = int32(len(t.list))
		t.list = append(t.list, x)
	}
	t.by.Add(hash, number)
	return number
}

// remove takes a thing away.
func (t *numbered[T]) remove(hash uint64, x *T) {
	is := func(i int32) bool { return t.list[i] == x }
	number, ok := t.by.Find(hash, is)
	if !ok {
		return
	}
	t.by.Remove(hash, is)
	t.list[number] = nil
	t.free = append(t.free, number)
}

// all are the things by number, which is in no order.
func (t *numbered[T]) all() iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for _, x := range t.list {
			if x != nil && !yield(x) {
				return
			}
		}
	}
}
