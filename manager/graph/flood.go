package graph

import (
	"iter"
	"math/bits"
)

// Failures are followed many at a time, each of them by a bit of its own.
const (
	lanes   = 4
	atATime = lanes * 64
)

// lane is one bit for each failure that is followed.
type lane [lanes]uint64

func (l *lane) has(bit int) bool { return l[bit/64]>>(bit%64)&1 != 0 }
func (l *lane) set(bit int)      { l[bit/64] |= 1 << (bit % 64) }

func (l *lane) count() (n int) {
	for _, word := range l {
		n += bits.OnesCount64(word)
	}
	return n
}

// all are the bits that are set.
func (l *lane) all() iter.Seq[int] { return members(l[:]).all() }

// join adds another's bits, and says whether some are new.
func (l *lane) join(other *lane) bool {
	fresh := uint64(0)
	for i, word := range other {
		fresh |= word &^ l[i]
		l[i] |= word
	}
	return fresh != 0
}

// holds says whether it has all of another's bits.
func (l *lane) holds(other *lane) bool {
	missing := uint64(0)
	for i, word := range other {
		missing |= word &^ l[i]
	}
	return missing == 0
}

// flood follows many failures at once, each as if it were alone: at each place a bit says
// which of them hit it. A place is done when its bits are, and in the order of places most
// are done once. One flood is used for one set of failures after the other.
type flood struct {
	*falls
	bits    []lane   // by place
	waiting []uint64 // places that are to be done, a bit each
	next    int      // no word before it waits
	touched []int32  // places that have bits
}

// flood is one that nobody else uses, until it is done.
func (f *falls) flood() *flood {
	places, words := len(f.gate), (len(f.gate)+63)/64
	if idle, ok := f.idle.Get().(*flood); ok && cap(idle.bits) >= places && cap(idle.waiting) >= words {
		idle.falls, idle.bits, idle.waiting = f, idle.bits[:places], idle.waiting[:words]
		return idle
	}
	return &flood{falls: f, bits: again[lane](nil, places), waiting: again[uint64](nil, words)}
}

func (f *flood) done() {
	f.reset()
	f.idle.Put(f)
}

func (f *flood) reset() {
	for _, p := range f.touched {
		f.bits[p] = lane{}
	}
	f.touched = f.touched[:0]
}

// fromPlaces lets places fail, each by itself, at most so many at a time. The bit of each is its
// place in the list; of -1, with which nothing falls, nothing is hit.
func (f *flood) fromPlaces(places []int32) {
	f.reset()
	f.next = len(f.waiting)
	for bit, p := range places {
		f.fail(p, bit)
	}
	f.run()
}

func (f *flood) fail(p int32, bit int) {
	if p >= 0 {
		var one lane
		one.set(bit)
		f.add(p, &one)
	}
}

// run follows what waits until nothing does.
func (f *flood) run() {
	for f.next < len(f.waiting) {
		word := f.waiting[f.next]
		if word == 0 {
			f.next++
			continue
		}
		f.waiting[f.next] = word & (word - 1)
		f.do(int32(f.next*64 + bits.TrailingZeros64(word))) // which may go back
	}
}

// wait has a place done.
func (f *flood) wait(p int32) {
	word := int(p) / 64
	f.waiting[word] |= 1 << (p % 64)
	f.next = min(f.next, word)
}

func (f *flood) add(p int32, more *lane) {
	have := &f.bits[p]
	fresh, had := uint64(0), uint64(0)
	for i, m := range more {
		fresh |= m &^ have[i]
		had |= have[i]
		have[i] |= m
	}
	if fresh == 0 {
		return
	}
	if had == 0 {
		f.touched = append(f.touched, p)
	}
	if len(f.struck(p)) > 0 { // else nothing falls with it
		f.wait(p)
	}
}

func (f *flood) do(p int32) {
	if g := f.gate[p]; g >= 0 && !f.opens(p, f.member[g]) {
		return
	}
	mine := f.bits[p]
	for _, to := range f.struck(p) {
		if to < 0 {
			f.wait(^to)
		} else {
			f.add(to, &mine)
		}
	}
}

// opens gives a gate the bits that all of its members have, and says whether some are new.
func (f *flood) opens(p int32, members []int32) bool {
	all := f.bits[members[0]]
	for _, m := range members[1:] {
		some := uint64(0)
		for i, b := range f.bits[m] {
			all[i] &= b
			some |= all[i]
		}
		if some == 0 {
			return false
		}
	}
	have := &f.bits[p]
	fresh, had := uint64(0), uint64(0)
	for i, b := range all {
		fresh |= b &^ have[i]
		had |= have[i]
	}
	if fresh == 0 {
		return false
	}
	if had == 0 {
		f.touched = append(f.touched, p)
	}
	*have = all
	return true
}

// columns count for each of the failures how many have its bit: numbers in binary, written
// by columns.
type columns struct{ planes [32]lane }

// add counts a lane so many times.
func (c *columns) add(l *lane, times int) {
	for from := bits.TrailingZeros(uint(times)); times != 0; from = bits.TrailingZeros(uint(times)) {
		times &= times - 1
		for i, carry := range l {
			for k := from; carry != 0; k++ {
				c.planes[k][i], carry = c.planes[k][i]^carry, c.planes[k][i]&carry
			}
		}
	}
}

// of is how many were added that have a bit.
func (c *columns) of(bit int) (n int) {
	for k := range c.planes {
		if c.planes[k].has(bit) {
			n |= 1 << k
		}
	}
	return n
}
