package graph

import (
	"encoding/binary"
	"math/bits"

	"cassini/model"
)

// packed are counters in the memory that those need which are not zero: which these are, as
// the bits of a number, and then their values, all as varints. nil is all zero.
type packed []byte

// counted is how many counters there are.
const counted = 20

// each are counters in the order of their bits, those that are seldom zero first.
func each(c *model.Counters) [counted]*uint64 {
	return [...]*uint64{
		&c.Connections, &c.Attempts, &c.Closed, &c.BytesSent, &c.BytesReceived, &c.RTTMicros, &c.Open,
		&c.Failed, &c.Refused, &c.TimedOut, &c.Unreachable, &c.Aborted, &c.Retransmits, &c.Adopted,
		&c.OpenTraffic.BytesSent, &c.OpenTraffic.BytesReceived, &c.OpenTraffic.Retransmits,
		&c.AdoptedTraffic.BytesSent, &c.AdoptedTraffic.BytesReceived, &c.AdoptedTraffic.Retransmits,
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
	if which == 0 {
		return p[:0]
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
	if cap(p) < len(b) {
		return append(make(packed, 0, len(b)), b...)
	}
	return append(p[:0], b...)
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
	which, n := binary.Uvarint(p)
	all, texts := each(c), histograms(c)
	for rest := p[n:]; which != 0; which &= which - 1 {
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
