package graph

import (
	"math/bits"
	"slices"
	"sync"
)

// shortcuts tell of most places what they take along in terms of another's: a port takes
// along its interface and what the host does, a host itself and what its one busy service
// does. So what falls with all of them is followed once. They never change.
type shortcuts struct {
	ways  []shortcut // by place, and one more
	other []int32    // those of all places, of the last place first
	// reach is by place, in powers of two: as many places fall with it at most, were those that
	// several others take along counted for each of these.
	reach []uint8
}

// shortcut is what is known of a place, in one piece of memory.
type shortcut struct {
	// root is a place with which all falls that falls with this one, but for the place itself and
	// some others. It is the place itself where that is not so, and -1 where the others are all.
	root int32
	end  int32 // of its others, which begin where those of the place behind it end
}

// mostOthers is how many places, of which itself is one, may fall besides those of the root, and
// othersEach for how many there is room from the beginning.
const (
	mostOthers = 16
	othersEach = 3
)

// newShortcuts works them out from the last place to the first. There is no gate among the
// others: what falls with a place is what falls with them and with the root, each by itself.
func newShortcuts(f *falls) *shortcuts {
	places := len(f.gate)
	s := &shortcuts{ways: again(f.before.ways, places+1), other: slices.Grow(f.before.other[:0], othersEach*places)}
	var reaching sync.WaitGroup
	reaching.Go(func() { s.reach = f.reaches() })
	defer reaching.Wait()
	others := make([]int32, 0, mostOthers+1)
	for p := int32(places - 1); p >= 0; p-- {
		var root int32
		if root, others = s.of(f, p, others[:0]); root != p {
			s.other = append(s.other, others...)
		}
		s.ways[p] = shortcut{root, int32(len(s.other))}
	}
	return s
}

// of is the root of a place with its others, where those of all places behind it are known.
func (s *shortcuts) of(f *falls, p int32, others []int32) (root int32, _ []int32) {
	if f.gate[p] >= 0 {
		return p, others
	}
	root = -1
	fits := true
	for _, to := range f.strike[f.off[p]:f.off[p+1]] {
		if root, others, fits = s.with(p, to, root, others); !fits {
			break
		}
	}
	for part := p + 1; fits && part <= p+int32(f.parts[p]); part++ {
		root, others, fits = s.with(p, part, root, others)
	}
	return root, others
}

// with adds a place that falls with another to its root and its others, and is false where these
// do not tell all then.
func (s *shortcuts) with(p, to, root int32, others []int32) (int32, []int32, bool) {
	if to <= p { // a gate, or the way back of a circle
		return p, others, false
	}
	r := s.ways[to].root
	if r >= 0 {
		if root >= 0 && root != r {
			return p, others, false
		}
		root = r
	}
	if r != to {
		others = putIn(others, to)
	}
	for _, o := range s.others(to) {
		if others = putIn(others, o); len(others) >= mostOthers {
			break
		}
	}
	if len(others) >= mostOthers {
		return p, others, false
	}
	return root, others, true
}

// putIn puts a place into a short list in order, unless it is there.
func putIn(list []int32, place int32) []int32 {
	at, known := slices.BinarySearch(list, place)
	if known {
		return list
	}
	return slices.Insert(list, at, place)
}

// others are the places that fall with one besides itself and those of its root; none where it is
// its own.
func (s *shortcuts) others(p int32) []int32 { return s.other[s.ways[p+1].end:s.ways[p].end] }

// reaches adds up by place what falls with each, from the last to the first. Ways back count
// for nothing.
func (f *falls) reaches() []uint8 {
	places := uint64(len(f.gate))
	sum, reach := make([]uint32, places), again(f.before.reach, int(places))
	for p := len(f.gate) - 1; p >= 0; p-- {
		all := uint64(1)
		for _, to := range f.struck(int32(p)) {
			if to < 0 {
				to = ^to
			}
			all += uint64(sum[to])
		}
		sum[p] = uint32(min(all, places))
		reach[p] = uint8(bits.Len32(sum[p]))
	}
	return reach
}
