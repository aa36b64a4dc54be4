package graph

import (
	"slices"
	"unsafe"
)

// docList are documents in an order: mostly one of the client's end and one of the service's,
// which need no memory of their own. Where there are more, both words are the same and point at
// a list of all, a *[]*dependency: every link has one, and every edge of dependencies.
type docList struct{ few [2]unsafe.Pointer }

// many is the list of all, where few are not enough; else nil.
func (l *docList) many() *[]*dependency {
	if l.few[0] == nil || l.few[0] != l.few[1] {
		return nil
	}
	return (*[]*dependency)(l.few[0])
}

// pair are the documents where there are few.
func (l *docList) pair() []*dependency {
	all := (*[len(l.few)]*dependency)(unsafe.Pointer(&l.few))
	return all[:b2i(all[0] != nil)+b2i(all[1] != nil)]
}

// docs are the documents. Nobody may change the list.
func (l *docList) docs() []*dependency {
	if many := l.many(); many != nil {
		return *many
	}
	return l.pair()
}

func (l *docList) insert(at int, d *dependency) {
	docs := l.docs()
	switch many := l.many(); {
	case many != nil:
		*many = slices.Insert(docs, at, d)
	case len(docs) == len(l.few):
		all := slices.Insert(slices.Clone(docs), at, d)
		l.few[0], l.few[1] = unsafe.Pointer(&all), unsafe.Pointer(&all)
	default:
		copy(l.few[at+1:], l.few[at:])
		l.few[at] = unsafe.Pointer(d)
	}
}

// drop takes away the documents that are gone, of which it asks for one after the other. It is
// false when there is none.
func (l *docList) drop(gone func(at int, d *dependency) bool) bool {
	docs, many := l.docs(), l.many()
	kept := docs[:0]
	for at, d := range docs {
		if !gone(at, d) {
			kept = append(kept, d)
		}
	}
	clear(docs[len(kept):])
	switch {
	case many == nil:
	case len(kept) > len(l.few):
		*many = kept
	default:
		l.few = [len(l.few)]unsafe.Pointer{}
		for at, d := range kept {
			l.few[at] = unsafe.Pointer(d)
		}
	}
	return len(kept) < len(docs)
}
