package boltfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
)

const (
	magic   = 0xED0CDAED
	version = 2

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagMeta     = 0x04
	flagFreelist = 0x10
	leafBucket   = 0x01 // of an element: its value is a bucket

	pageHeader    = 16
	elementSize   = 16
	bucketHeader  = 16
	noFreelist    = ^uint64(0)
	maxPages      = 1 << 16 // of one page with what overflows: values are far smaller
	minPageSize   = 1 << 10
	maxPageSize   = 1 << 16
	metaSize      = 64
	maxTreeHeight = 64
)

// ErrNotBolt says that neither of the two meta pages is whole.
var ErrNotBolt = errors.New("neither of its two first pages is whole: it is no bbolt file, or its beginning is lost")

// meta is what one of the first two pages says.
type meta struct {
	pageSize uint32
	root     uint64
	freelist uint64
	end      uint64 // behind the last page
	txid     uint64
}

// page is one page with what overflows of it.
type page struct {
	flags, count uint16
	overflow     uint32
	data         []byte // all of it, with the header
}

var order = binary.NativeEndian

// parseMeta reads a meta page; false when it is not whole.
func parseMeta(data []byte) (m meta, ok bool) {
	if len(data) < pageHeader+metaSize || order.Uint16(data[8:])&flagMeta == 0 {
		return m, false
	}
	b := data[pageHeader:]
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaSize-8]) // never fails
	if order.Uint32(b) != magic || order.Uint32(b[4:]) != version || order.Uint64(b[56:]) != sum.Sum64() {
		return m, false
	}
	m = meta{pageSize: order.Uint32(b[8:]), root: order.Uint64(b[16:]), freelist: order.Uint64(b[32:]), end: order.Uint64(b[40:]), txid: order.Uint64(b[48:])}
	return m, m.pageSize >= minPageSize && m.pageSize <= maxPageSize && m.pageSize&(m.pageSize-1) == 0
}

// readMeta finds the newest meta page that is whole.
func readMeta(r io.ReaderAt, size int64) (best meta, problems []string, err error) {
	first := make([]byte, pageHeader+metaSize)
	found := 0
	for _, at := range metaOffsets(r, first) {
		if at+int64(len(first)) > size {
			continue
		}
		if _, err := r.ReadAt(first, at); err != nil && !errors.Is(err, io.EOF) {
			problems = append(problems, fmt.Sprintf("read the page at byte %d: %v", at, err))
			continue
		}
		if m, ok := parseMeta(first); ok {
			if found++; found == 1 || m.txid > best.txid {
				best = m
			}
		}
	}
	switch found {
	case 0:
		return best, problems, ErrNotBolt
	case 1:
		problems = append(problems, "one of the two meta pages is not whole: the last transaction may be missing")
	}
	return best, problems, nil
}

// metaOffsets are where meta pages may be: the second is behind the first, whose size may
// be what is lost.
func metaOffsets(r io.ReaderAt, buf []byte) []int64 {
	if _, err := r.ReadAt(buf, 0); err == nil {
		if m, ok := parseMeta(buf); ok {
			return []int64{0, int64(m.pageSize)}
		}
	}
	var list []int64
	for size := int64(minPageSize); size <= maxPageSize; size *= 2 {
		list = append(list, size)
	}
	return list
}

// readHead reads the header of a page by its number, and sees that the page lies within the file.
func (f *File) readHead(id uint64) (p page, err error) {
	if id < 2 || id >= uint64(len(f.seen)) {
		return p, errors.New("is beyond the end of the file")
	}
	head := f.head[:]
	if _, err := f.r.ReadAt(head, f.offset(id)); err != nil {
		return p, err
	}
	p = page{flags: order.Uint16(head[8:]), count: order.Uint16(head[10:]), overflow: order.Uint32(head[12:])}
	if order.Uint64(head) != id || p.overflow >= maxPages || id+uint64(p.overflow) >= uint64(len(f.seen)) {
		return p, errors.New("has a wrong header")
	}
	return p, nil
}

// readPage reads a page by its number, with what overflows.
func (f *File) readPage(id uint64) (p page, err error) {
	if p, err = f.readHead(id); err != nil {
		return p, err
	}
	p.data = make([]byte, f.offset(uint64(p.overflow)+1))
	_, err = f.r.ReadAt(p.data, f.offset(id))
	return p, err
}

// offset is where a page begins.
func (f *File) offset(id uint64) int64 { return int64(id) * int64(f.meta.pageSize) }

// reach notes that a page was come to, with what overflows; false where that is so already.
func (f *File) reach(id uint64, p page) bool {
	pages := f.seen[id : id+uint64(p.overflow)+1]
	if slices.Contains(pages, true) {
		return false
	}
	for i := range pages {
		pages[i] = true
	}
	return true
}

// leaf is one element of a leaf.
type leaf struct {
	bucket     bool
	key, value []byte
}

var errElement = errors.New("has an element that lies outside of it")

// leaf reads an element of a leaf.
func (p page) leaf(i int) (l leaf, err error) {
	b, err := p.element(i)
	if err != nil {
		return l, err
	}
	key, value := uint64(order.Uint32(b[8:])), uint64(order.Uint32(b[12:]))
	rest, err := p.tail(i, uint64(order.Uint32(b[4:])), key+value)
	if err != nil {
		return l, err
	}
	return leaf{order.Uint32(b)&leafBucket != 0, rest[:key], rest[key : key+value]}, nil
}

// child reads an element of a branch: the page that it leads to, and its first key.
func (p page) child(i int) (id uint64, key []byte, err error) {
	b, err := p.element(i)
	if err != nil {
		return 0, nil, err
	}
	size := uint64(order.Uint32(b[4:]))
	rest, err := p.tail(i, uint64(order.Uint32(b)), size)
	if err != nil {
		return 0, nil, err
	}
	return order.Uint64(b[8:]), rest[:size], nil
}

func (p page) element(i int) ([]byte, error) {
	at := pageHeader + i*elementSize
	if at+elementSize > len(p.data) {
		return nil, errElement
	}
	return p.data[at : at+elementSize], nil
}

// tail is what lies pos bytes behind an element, of which size bytes must be there.
func (p page) tail(i int, pos, size uint64) ([]byte, error) {
	at := uint64(pageHeader+i*elementSize) + pos
	if pos < elementSize || at+size > uint64(len(p.data)) {
		return nil, errElement
	}
	return p.data[at:], nil
}
