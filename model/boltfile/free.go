package boltfile

import (
	"errors"
	"fmt"
	"io"
	"slices"
)

// ErrUnsound says that a file is damaged so that bbolt should not touch it.
var ErrUnsound = errors.New("its structure is damaged")

// Sound looks at what bbolt believes a file before it is opened for writing: which pages belong to
// which, and what is free. A page that says it is four billion pages long keeps bbolt busy for ever
// when it is replaced, a circle of pages ends the process. Of the pages with data it reads the headers
// alone, unless each is true. Errors wrap ErrUnsound or ErrNotBolt, also where the disk cannot read a page.
// That one of the two first pages is not whole is what a loss of power leaves, and no damage.
func Sound(r io.ReaderAt, size int64, each bool) error {
	f, err := Open(r, size)
	if err != nil {
		return err
	}
	f.problems = f.problems[f.torn:]
	if each {
		f.CheckAll()
	} else {
		for _, b := range f.Buckets() {
			f.walk(b, nil)
		}
		f.CheckFree()
	}
	if len(f.problems) > 0 {
		return fmt.Errorf("%w: %s", ErrUnsound, f.problems[0])
	}
	return nil
}

// CheckFree looks at the list of free pages: none of them may be one that a walk so far has come to.
func (f *File) CheckFree() {
	id := f.meta.freelist
	if id == noFreelist {
		return
	}
	p, err := f.readPage(id)
	if err == nil && p.flags != flagFreelist {
		err = errors.New("does not have them")
	}
	if err == nil && !f.reach(id, p) {
		err = errors.New("is something else too")
	}
	var free []uint64
	if err == nil {
		free, err = p.free()
	}
	if err != nil {
		f.problem("the list of free pages: page %d %v", id, err)
		return
	}
	slices.Sort(free)
	for i, id := range free {
		if id < 2 || id >= uint64(len(f.seen)) || f.seen[id] || i > 0 && free[i-1] == id {
			f.problem("page %d is said to be free, and is in use, free twice or beyond the end", id)
		}
	}
}

// free are the pages that a list has: where there are many, its first number says how many.
func (p page) free() (list []uint64, err error) {
	const many = 0xffff
	body, n := p.data[pageHeader:], uint64(p.count)
	if n == many {
		n, body = order.Uint64(body), body[8:]
	}
	if n > uint64(len(body))/8 {
		return nil, errors.New("is too short for what it should have")
	}
	for i := range n {
		list = append(list, order.Uint64(body[8*i:]))
	}
	return list, nil
}
