package boltfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxProblems bounds how many are told one by one.
const maxProblems = 100

// File is a file that is read. It is not safe for concurrent use.
type File struct {
	r    io.ReaderAt
	size int64
	meta meta

	head     [pageHeader]byte // what is read of a page first
	seen     []bool           // pages that were reached, so that circles end
	elements int64            // that were read: a file has room for so many, and no more
	problems []string
	torn     int // of these: of the two first pages
	more     int
}

// Open reads where the newest tree of a file of so many bytes begins. Errors wrap
// ErrNotBolt, or are those of reading.
func Open(r io.ReaderAt, size int64) (*File, error) {
	m, problems, err := readMeta(r, size)
	if err != nil {
		return nil, err
	}
	f := &File{r: r, size: size, meta: m, problems: problems, torn: len(problems)}
	if want := int64(m.end) * int64(m.pageSize); m.end > uint64(size) || want > size {
		f.problem("it has %d bytes and should have %d pages of %d: it was cut short", size, m.end, m.pageSize)
	}
	f.seen = make([]bool, min(m.end, uint64(size)/uint64(m.pageSize)))
	return f, nil
}

func (f *File) problem(format string, args ...any) {
	if len(f.problems) >= maxProblems {
		f.more++
		return
	}
	f.problems = append(f.problems, fmt.Sprintf(format, args...))
}

// Problems are those that were found so far; none says that all that was read is whole.
func (f *File) Problems() []string {
	if f.more == 0 {
		return f.problems
	}
	return append(slices.Clone(f.problems), fmt.Sprintf("and %d more", f.more))
}

// Bucket is one of the buckets at the top.
type Bucket struct {
	Name   string
	root   uint64
	inline []byte // a page that lies within its value
}

// Buckets lists the buckets at the top that can be read, sorted.
func (f *File) Buckets() (list []Bucket) {
	f.walk(Bucket{Name: "(top)", root: f.meta.root}, func(l leaf) bool {
		if b, ok := bucketOf(l); ok {
			list = append(list, b)
		} else {
			f.problem("%q among the buckets is none", clip(l.key))
		}
		return true
	})
	return list
}

// Walk calls each for every key of a bucket and of those in it that can be read, until it returns false: in
// order, unless a problem says otherwise. Key and value belong to the callee.
func (f *File) Walk(b Bucket, each func(key, value []byte) bool) {
	f.walk(b, func(l leaf) bool {
		if !l.bucket {
			return each(l.key, l.value)
		}
		if inner, ok := bucketOf(l); ok {
			inner.Name = b.Name + "/" + inner.Name
			f.Walk(inner, each)
			return true
		}
		f.problem("bucket %q: %q in it is no bucket", b.Name, clip(l.key))
		return true
	})
}

// bucketOf reads where a bucket begins.
func bucketOf(l leaf) (b Bucket, ok bool) {
	if !l.bucket || len(l.value) < bucketHeader {
		return b, false
	}
	b = Bucket{Name: string(clip(l.key)), root: order.Uint64(l.value)}
	if b.root == 0 {
		b.inline = bytes.Clone(l.value[bucketHeader:])
	}
	return b, true
}

// walker walks one bucket.
type walker struct {
	f      *File
	bucket string
	last   []byte          // key
	each   func(leaf) bool // nil: what is on leaves is not looked at
}

func (f *File) walk(b Bucket, each func(leaf) bool) {
	w := &walker{f: f, bucket: b.Name, each: each}
	switch {
	case b.root != 0:
		w.page(b.root, 0)
	case each != nil:
		w.inline(b.inline)
	}
}

func (w *walker) inline(data []byte) {
	if len(data) < pageHeader {
		w.f.problem("bucket %q: the page within it is cut short", w.bucket)
		return
	}
	p := page{flags: order.Uint16(data[8:]), count: order.Uint16(data[10:]), data: data}
	if p.flags != flagLeaf {
		w.f.problem("bucket %q: the page within it is no leaf", w.bucket)
		return
	}
	w.leaves(0, p)
}

// page walks a page and what hangs on it; false when the caller has had enough.
func (w *walker) page(id uint64, height int) bool {
	p, err := w.f.readHead(id)
	if err == nil && p.flags != flagLeaf && p.flags != flagBranch {
		err = errors.New("is neither branch nor leaf")
	}
	if err == nil && (height > maxTreeHeight || !w.f.reach(id, p)) {
		w.f.problem("bucket %q: page %d is reached twice", w.bucket, id)
		return true
	}
	if err == nil && (p.flags == flagBranch || w.each != nil) {
		p, err = w.f.readPage(id)
	}
	switch {
	case err != nil:
		w.f.problem("bucket %q: page %d %v: what hangs on it is lost", w.bucket, id, err)
		return true
	case p.flags == flagBranch:
		return w.children(id, p, height)
	case w.each == nil:
		return true
	}
	return w.leaves(id, p)
}

func (w *walker) children(id uint64, p page, height int) bool {
	if p.count == 0 {
		w.f.problem("bucket %q: page %d is a branch that leads nowhere", w.bucket, id)
	}
	for i := range int(p.count) {
		child, _, err := p.child(i)
		if err != nil {
			w.f.problem("bucket %q: page %d %v", w.bucket, id, err)
			return true
		}
		if !w.page(child, height+1) {
			return false
		}
	}
	return true
}

func (w *walker) leaves(id uint64, p page) bool {
	for i := range int(p.count) {
		if w.f.elements++; w.f.elements > w.f.size/elementSize {
			if w.f.elements == w.f.size/elementSize+1 {
				w.f.problem("bucket %q: page %d has elements that lie upon each other", w.bucket, id)
			}
			return false
		}
		l, err := p.leaf(i)
		if err != nil {
			w.f.problem("bucket %q: page %d %v", w.bucket, id, err)
			continue
		}
		if w.last != nil && bytes.Compare(l.key, w.last) <= 0 {
			w.f.problem("bucket %q: page %d: key %q comes after %q", w.bucket, id, clip(l.key), clip(w.last))
		}
		w.last = append(w.last[:0], l.key...)
		if !w.each(l) {
			return false
		}
	}
	return true
}

// Stray calls each for what stands in leaves that no walk so far has come to: those whose
// branch is lost, and those that are free. It is for values that say themselves whether
// they are whole.
func (f *File) Stray(each func(key, value []byte)) {
	for id := uint64(2); id < uint64(len(f.seen)); id++ {
		if f.seen[id] {
			continue
		}
		p, err := f.readPage(id)
		if err != nil || p.flags != flagLeaf {
			continue
		}
		for i := range int(p.count) {
			l, err := p.leaf(i)
			if err == nil && !l.bucket {
				each(l.key, l.value)
			}
		}
	}
}

// CheckAll walks all buckets at the top and what is free, and returns how many keys each has.
func (f *File) CheckAll() map[string]int {
	keys := map[string]int{}
	for _, b := range f.Buckets() {
		keys[b.Name] = 0
		f.Walk(b, func(_, _ []byte) bool { keys[b.Name]++; return true })
	}
	f.CheckFree()
	return keys
}

func clip(b []byte) []byte { return b[:min(len(b), 80)] }
