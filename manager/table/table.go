// Package table finds things by hashes of what they are called, in half the memory of a map:
// there is no copy of what they are called, since they tell themselves.
package table

import "iter"

// How full a table is: beyond the most it grows by a quarter, below the least it shrinks.
const (
	mostOf, most   = 6, 5 // 5 in 6
	leastOf, least = 3, 1 // 1 in 3
	smallest       = 8
)

// Table has things by a hash that whoever uses it makes; things of one hash are told apart
// by whoever asks. The zero value is empty. Many may ask at once while nobody changes it.
//
// A thing stands where its hash says, or in the next place that is free. Places are in the
// order of hashes, so that a table of another size has the same order.
type Table[T any] struct {
	hashes []uint32 // 0 where a place is free
	things []T
	count  int
}

// Len is how many things there are.
func (t *Table[T]) Len() int { return t.count }

// Find is the thing of a hash that is the one wanted; ok is false when there is none.
func (t *Table[T]) Find(hash uint64, is func(T) bool) (thing T, ok bool) {
	if at := t.find(hash, is); at >= 0 {
		return t.things[at], true
	}
	return thing, false
}

// Add adds a thing that is not there yet.
func (t *Table[T]) Add(hash uint64, thing T) {
	if (t.count+1)*mostOf > len(t.hashes)*most {
		t.resize(t.count + t.count/2 + smallest)
	}
	t.put(short(hash), thing)
	t.count++
}

// Remove takes the thing of a hash away that is the one wanted. It is false when there is none.
func (t *Table[T]) Remove(hash uint64, is func(T) bool) bool {
	free := t.find(hash, is)
	if free < 0 {
		return false
	}
	for at := t.next(free); t.hashes[at] != 0; at = t.next(at) {
		if t.between(free, t.home(t.hashes[at]), at) {
			continue // it would stand before where its hash says
		}
		t.hashes[free], t.things[free] = t.hashes[at], t.things[at]
		free = at
	}
	var none T
	t.hashes[free], t.things[free] = 0, none
	if t.count--; len(t.hashes) > 4*smallest && t.count*leastOf < len(t.hashes)*least {
		t.resize(t.count + t.count/2 + smallest)
	}
	return true
}

// All are all things, in no order. Nobody may change the table meanwhile.
func (t *Table[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) {
		for at, hash := range t.hashes {
			if hash != 0 && !yield(t.things[at]) {
				return
			}
		}
	}
}

// short is what is remembered of a hash.
func short(hash uint64) uint32 { return max(uint32(hash>>32), 1) }

func (t *Table[T]) home(hash uint32) int { return int(uint64(hash) * uint64(len(t.hashes)) >> 32) }

func (t *Table[T]) next(at int) int {
	if at++; at < len(t.hashes) {
		return at
	}
	return 0
}

// between says whether one comes to a place after leaving the first and up to the last.
func (t *Table[T]) between(first, place, last int) bool {
	if first <= last {
		return first < place && place <= last
	}
	return first < place || place <= last
}

func (t *Table[T]) find(hash uint64, is func(T) bool) int {
	if t.count == 0 {
		return -1
	}
	wanted := short(hash)
	for at := t.home(wanted); t.hashes[at] != 0; at = t.next(at) {
		if t.hashes[at] == wanted && is(t.things[at]) {
			return at
		}
	}
	return -1
}

func (t *Table[T]) put(hash uint32, thing T) {
	at := t.home(hash)
	for t.hashes[at] != 0 {
		at = t.next(at)
	}
	t.hashes[at], t.things[at] = hash, thing
}

// resize gives everything another place among so many.
func (t *Table[T]) resize(places int) {
	old := *t
	t.hashes, t.things = make([]uint32, places), make([]T, places)
	for at, hash := range old.hashes {
		if hash != 0 {
			t.put(hash, old.things[at])
		}
	}
}
