package graph

import (
	"slices"
	"unsafe"
)

// edgeList is a list of edges that takes two words instead of three, since every node has one.
type edgeList struct {
	first       **edge
	count, room int32
}

// all are the edges. Whoever changes the list gives it back to keep.
func (l *edgeList) all() []*edge { return unsafe.Slice(l.first, l.room)[:l.count] }

func (l *edgeList) keep(list []*edge) {
	l.first, l.count, l.room = unsafe.SliceData(list), int32(len(list)), int32(cap(list))
}

func (l *edgeList) insert(at int, e *edge) { l.keep(slices.Insert(l.all(), at, e)) }

func (l *edgeList) lose(at int) {
	if list := slices.Delete(l.all(), at, at+1); len(list) > 0 {
		l.keep(list)
	} else {
		*l = edgeList{}
	}
}
