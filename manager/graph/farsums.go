package graph

import (
	"hash/maphash"
	"sync/atomic"
)

// farSeed makes sums of several graphs comparable. It never changes.
var farSeed = maphash.MakeSeed()

// farSums are sums of what the edges of nodes lead to that differences are told of, by index
// of the node; 0 is not known. They are worked out when somebody asks for differences and
// forgotten by an edge that comes or goes, so that nodes whose edges have not changed since
// the last such question are compared by one number.
type farSums []atomic.Uint64

// farSums are those of the view as it stands.
func (v *view) farSums() farSums {
	v.farLock.Lock()
	defer v.farLock.Unlock()
	if len(v.far) < len(v.list) {
		far := make(farSums, len(v.list)+len(v.list)/8)
		for i := range v.far {
			far[i].Store(v.far[i].Load())
		}
		v.far = far
	}
	return v.far
}

// unsum forgets the sum of a node whose edges change; one that takes the index of another which
// is gone has none yet, as that had in the end. Nobody may read the view meanwhile.
func (v *view) unsum(n *node) {
	if int(n.index) < len(v.far) {
		v.far[n.index].Store(0)
	}
}

// of is the sum of a node; 1 where it has no such edges.
func (f farSums) of(n *node) uint64 {
	if sum := f[n.index].Load(); sum != 0 {
		return sum
	}
	var h maphash.Hash
	h.SetSeed(farSeed)
	some := false
	for _, e := range n.out() {
		if e.kind == edgeDependsOn || e.kind == edgeWiredTo {
			some = true
			h.WriteByte(byte(e.kind))
			h.WriteString(e.to.id)
			h.WriteByte(0) // in no identifier
		}
	}
	sum := uint64(1)
	if some {
		sum = h.Sum64() | 2
	}
	f[n.index].Store(sum)
	return sum
}
