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
	// root is by place: all that falls with that place falls with this one too, and besides
	// only some others. It is the place itself where that is not so, and -1 where the others
	// are all.
	root  []int32
	first []int32 // by place: where its others begin, of which itself is one
	count []uint8 // by place: how many they are
	other []int32
	// reach is by place, in powers of two: as many places fall with it at most, were those that
	// several others take along counted for each of these.
	reach []uint8
}

// mostOthers is how many places may fall besides those of the root, and othersEach how many do about.
const (
	mostOthers = 16
	othersEach = 4
)

// newShortcuts works them out from the last place to the first. There is no gate among the
// others: what falls with a place is what falls with them and with the root, each by itself.
func newShortcuts(f *falls) *shortcuts {
	s := &shortcuts{
		root: make([]int32, len(f.gate)), first: make([]int32, len(f.gate)), count: make([]uint8, len(f.gate)),
	}
	var reaching sync.WaitGroup
	reaching.Go(func() { s.reach = f.reaches() })
	defer reaching.Wait()
	s.other = make([]int32, 0, othersEach*len(f.gate))
	var others []int32
	for p := int32(len(f.gate) - 1); p >= 0; p-- {
		s.root[p], others = s.of(f, p, others[:0])
		if s.root[p] == p {
			continue
		}
		s.first[p], s.count[p] = int32(len(s.other)), uint8(len(others))
		s.other = append(s.other, others...)
	}
	return s
}

// of is the root of a place with its others, where those of all places behind it are known.
func (s *shortcuts) of(f *falls, p int32, others []int32) (root int32, _ []int32) {
	if f.gate[p] >= 0 {
		return p, others
	}
	root, others = -1, append(others, p)
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
	if r := s.root[to]; r >= 0 {
		if root >= 0 && root != r {
			return p, others, false
		}
		root = r
	}
	for _, o := range s.others(to) {
		if others = putIn(others, o); len(others) > mostOthers {
			return p, others, false
		}
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

// others are the places that fall with one besides those of its root; none where it is its
// own.
func (s *shortcuts) others(p int32) []int32 {
	return s.other[s.first[p] : s.first[p]+int32(s.count[p])]
}

// reaches adds up by place what falls with each, from the last to the first. Ways back count
// for nothing.
func (f *falls) reaches() []uint8 {
	places := uint64(len(f.gate))
	sum, reach := make([]uint32, places), make([]uint8, places)
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
