package capture

import (
	"hash/maphash"
	"iter"
	"slices"
)

// index finds things by a key that they can tell themselves: it keeps a hash of each key and
// not the key, which is much larger than all else that a map needs. It is not safe for
// concurrent use.
type index[K comparable, V any] struct {
	seed  maphash.Seed
	key   func(*V) K
	by    map[uint64]*V
	clash []*V // those whose hash another has: next to never one
}

func newIndex[K comparable, V any](key func(*V) K) *index[K, V] {
	return &index[K, V]{seed: maphash.MakeSeed(), key: key, by: make(map[uint64]*V)}
}

func (x *index[K, V]) len() int { return len(x.by) + len(x.clash) }

// get is what has the key, or nil.
func (x *index[K, V]) get(key K) *V { return x.find(maphash.Comparable(x.seed, key), key) }

func (x *index[K, V]) find(hash uint64, key K) *V {
	v := x.by[hash]
	if v == nil || x.key(v) == key {
		return v
	}
	for _, v := range x.clash {
		if x.key(v) == key {
			return v
		}
	}
	return nil
}

// put adds what is not there.
func (x *index[K, V]) put(v *V) { x.add(maphash.Comparable(x.seed, x.key(v)), v) }

func (x *index[K, V]) add(hash uint64, v *V) {
	if x.by[hash] == nil {
		x.by[hash] = v
		return
	}
	x.clash = append(x.clash, v)
}

// remove takes away what is there.
func (x *index[K, V]) remove(v *V) { x.drop(maphash.Comparable(x.seed, x.key(v)), v) }

func (x *index[K, V]) drop(hash uint64, v *V) {
	if x.by[hash] != v {
		x.clash = slices.DeleteFunc(x.clash, func(o *V) bool { return o == v })
		return
	}
	delete(x.by, hash)
	again := x.clash // one of them may have had the same hash
	x.clash = nil
	for _, o := range again {
		x.put(o)
	}
}

// all walks what is there, in no order. What it is at may be removed.
func (x *index[K, V]) all() iter.Seq[*V] {
	return func(yield func(*V) bool) {
		for _, v := range slices.Clone(x.clash) {
			if !yield(v) {
				return
			}
		}
		for _, v := range x.by {
			if !yield(v) {
				return
			}
		}
	}
}
