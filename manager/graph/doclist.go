package graph

import "slices"

// docList are documents in an order: mostly one of the client's end and one of the service's,
// which need no memory of their own.
type docList struct {
	few  [2]*dependency
	many *[]*dependency // all, where few are not enough
}

// docs are the documents. Nobody may change the list.
func (l *docList) docs() []*dependency {
	if l.many != nil {
		return *l.many
	}
	return l.few[:b2i(l.few[0] != nil)+b2i(l.few[1] != nil)]
}

func (l *docList) insert(at int, d *dependency) {
	switch docs := l.docs(); {
	case l.many != nil:
		*l.many = slices.Insert(docs, at, d)
	case len(docs) < len(l.few):
		copy(l.few[at+1:], docs[at:])
		l.few[at] = d
	default:
		all := slices.Insert(slices.Clone(docs), at, d)
		l.few, l.many = [2]*dependency{}, &all
	}
}

// drop takes away the documents that are gone, of which it asks for one after the other. It is
// false when there is none.
func (l *docList) drop(gone func(at int, d *dependency) bool) bool {
	docs := l.docs()
	kept := docs[:0]
	for at, d := range docs {
		if !gone(at, d) {
			kept = append(kept, d)
		}
	}
	clear(docs[len(kept):])
	switch {
	case l.many == nil:
	case len(kept) > len(l.few):
		*l.many = kept
	default:
		copy(l.few[:], kept)
		l.many = nil
	}
	return len(kept) < len(docs)
}
