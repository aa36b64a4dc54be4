package graph

import (
	"encoding/binary"
	"math/bits"
	"unsafe"

	"cassini/model"
)

// packed are counters in the memory that those need which are not zero, without the header of
// a slice, since every dependency has them: how long the piece of memory is, in parts of
// packedPart bytes, which counters there are, as the bits of a number, and then their values,
// all as varints. The zero value is all zero.
type packed struct{ at *byte }

// packedPart divides the sizes in which Go hands out memory.
const packedPart = 8

// block is the whole piece of memory.
func (p packed) block() []byte {
	if p.at == nil {
		return nil
	}
	parts, _ := binary.Uvarint(unsafe.Slice(p.at, packedPart)) // there is no smaller one
	return unsafe.Slice(p.at, parts*packedPart)
}

// newPacked is a piece of memory with so much room behind its size.
func newPacked(room int) packed {
	size := room + 1
	if size > 1<<7*packedPart-packedPart { // which no longer fits into a byte
		size = room + binary.MaxVarintLen64
	}
	b := append([]byte(nil), make([]byte, size)...)
	b = b[:cap(b)/packedPart*packedPart]
	binary.PutUvarint(b, uint64(len(b)/packedPart))
	return packed{&b[0]}
}

// room is what is behind the size.
func (p packed) room() []byte {
	b := p.block()
	_, n := binary.Uvarint(b)
	return b[n:]
}

// counted is how many counters there are.
const counted = 22

// each are counters in the order of their bits, those that are seldom zero first.
func each(c *model.Counters) [counted]*uint64 {
	return [...]*uint64{
		&c.Connections, &c.Attempts, &c.Closed, &c.BytesSent, &c.BytesReceived, &c.RTTMicros, &c.Open,
		&c.Failed, &c.Refused, &c.TimedOut, &c.Unreachable, &c.Aborted, &c.Retransmits, &c.Adopted,
		&c.OpenTraffic.BytesSent, &c.OpenTraffic.BytesReceived, &c.OpenTraffic.Retransmits,
		&c.AdoptedTraffic.BytesSent, &c.AdoptedTraffic.BytesReceived, &c.AdoptedTraffic.Retransmits,
		&c.DatagramsSent, &c.DatagramsReceived,
	}
}

// histograms are those of counters, behind all numbers.
func histograms(c *model.Counters) [4]*model.Histogram {
	return [...]*model.Histogram{&c.RTTs, &c.Lifetimes, &c.OpenRTTs, &c.OpenAges}
}

// pack are counters in the memory of p, where that is enough.
func (p packed) pack(c *model.Counters) packed {
	var which uint64
	all := each(c)
	for i, n := range all {
		if *n != 0 {
			which |= 1 << i
		}
	}
	texts := histograms(c)
	for i, h := range texts {
		if *h != "" {
			which |= 1 << (counted + i)
		}
	}
	if which == 0 && p.at == nil {
		return p
	}
	var room [binary.MaxVarintLen64 * (counted + 1)]byte
	b := binary.AppendUvarint(room[:0], which)
	for left := which; left != 0; left &= left - 1 {
		if i := bits.TrailingZeros64(left); i < counted {
			b = binary.AppendUvarint(b, *all[i])
		} else {
			h := *texts[i-counted]
			b = append(binary.AppendUvarint(b, uint64(len(h))), h...)
		}
	}
	if len(p.room()) < len(b) {
		p = newPacked(len(b))
	}
	copy(p.room(), b)
	return p
}

// counters are what was packed.
func (p packed) counters() (c model.Counters) {
	p.unpack(&c, true)
	return c
}

// numbers are the same without histograms, which takes no memory.
func (p packed) numbers() (c model.Counters) {
	p.unpack(&c, false)
	return c
}

func (p packed) unpack(c *model.Counters, whole bool) {
	rest := p.room()
	which, n := binary.Uvarint(rest)
	all, texts := each(c), histograms(c)
	for rest = rest[n:]; which != 0; which &= which - 1 {
		i := bits.TrailingZeros64(which)
		if i >= counted && !whole {
			return
		}
		value, n := binary.Uvarint(rest)
		rest = rest[n:]
		if i < counted {
			*all[i] = value
		} else {
			*texts[i-counted] = model.Histogram(rest[:value])
			rest = rest[value:]
		}
	}
}
