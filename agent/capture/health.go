package capture

import (
	"math/bits"

	"cassini/bpf"
	"cassini/model"
)

// Where the kernel's buckets end, as in bpf/health.h: exponents of two, of microseconds.
const (
	rttLowest      = 4
	lifetimeLowest = 10
	lifetimeCoarse = 32 // from here on, each bucket is four times as wide as the one before
)

// health is how connections of TCP or SCTP fared: round-trip times and lifetimes, in microseconds.
type health struct{ rtts, lifetimes model.Histogram }

func (h *health) plus(o *health) {
	h.rtts = h.rtts.Plus(o.rtts)
	h.lifetimes = h.lifetimes.Plus(o.lifetimes)
}

// advance takes what the kernel counted, modulo 2^32, and reports whether anything moved.
func (h *health) advance(read *bpf.Health) bool {
	was := *h
	h.rtts = advance(h.rtts, read.Rtt[:], rttEnd)
	h.lifetimes = advance(h.lifetimes, read.Lifetime[:], lifetimeEnd)
	return *h != was
}

// advance adds to each bucket what its count, modulo 2^32, has moved by.
func advance(h model.Histogram, read []uint32, end func(int) int) model.Histogram {
	known := make([]uint64, len(read))
	for b, n := range h.All() {
		known[place(b, end, len(read))] = n
	}
	return model.MakeHistogram(func(yield func(model.Bucket, uint64) bool) {
		for i, n := range read {
			n := known[i] + uint64(n-uint32(known[i]))
			if n > 0 && !yield(bucket(i, end, len(read)), n) {
				return
			}
		}
	})
}

// rttEnd and lifetimeEnd are the exponents of two at which the buckets end.
func rttEnd(i int) int { return rttLowest + i }

func lifetimeEnd(i int) int {
	end := lifetimeLowest + i
	if coarse := end - lifetimeCoarse; coarse > 0 {
		end += coarse
	}
	return end
}

// bucket is the kernel's bucket number i, of n: the first begins at 0, the last has no end.
func bucket(i int, end func(int) int, n int) (b model.Bucket) {
	if i > 0 {
		b.Low = 1 << end(i-1)
	}
	if i < n-1 {
		b.High = 1 << end(i)
	}
	return b
}

// place is the number of a bucket.
func place(b model.Bucket, end func(int) int, n int) int {
	for i := range n - 1 {
		if b.High == 1<<end(i) {
			return i
		}
	}
	return n - 1
}

// slot is the place of a value.
func slot(v uint64, end func(int) int, n int) int {
	for i := range n - 1 {
		if bits.Len64(v) <= end(i) {
			return i
		}
	}
	return n - 1
}

// observe counts an open connection as the kernel does one that closes.
func observe(h *bpf.Health, t *bpf.Traffic, nowNs uint64) {
	if t.RttUs > 0 {
		h.Rtt[slot(uint64(t.RttUs), rttEnd, len(h.Rtt))]++
	}
	if now := nowNs / 1000; t.StartUs > 0 && now >= t.StartUs {
		h.Lifetime[slot(now-t.StartUs, lifetimeEnd, len(h.Lifetime))]++
	}
}

// takeHealth takes what the kernel tells of an edge's closed connections. It reports
// whether anything moved.
func (t *edges) takeHealth(e *edge, read *bpf.Health) bool {
	was := *e.health()
	e.healthAt = uint32(e.read.closed)
	now := was
	if !now.advance(read) {
		return false
	}
	if was == (health{}) {
		t.healths++
	}
	e.fared = t.fares.share(now)
	t.totals.fared(e.of.direction, &was, &now)
	return true
}

// health is how the edge's closed connections fared. It is not to be changed.
func (e *edge) health() *health {
	if e.fared == nil {
		return new(health)
	}
	return e.fared
}

// faresLimit bounds those that are looked through for one that can be shared.
const faresLimit = 1024

// fares are what edges share: most have few connections, that fared like those of others.
type fares map[health]*health

func (f fares) share(h health) *health {
	if known := f[h]; known != nil {
		return known
	}
	if len(f) >= faresLimit {
		clear(f)
	}
	f[h] = &h
	return &h
}

// readHealth reads how connections fared on those edges where some have closed since it
// last did. It calls moved for each that moved.
func (c *Capture) readHealth(places []*edge, moved func(*edge)) error {
	for place, e := range places {
		if e == nil || uint32(e.read.closed) == e.healthAt || e.of.proto == bpf.ProtoUDP {
			continue
		}
		read, err := c.cfg.Kernel.Health(uint32(place))
		if err != nil {
			return err
		}
		if c.edges.takeHealth(e, &read) {
			moved(e)
		}
	}
	return nil
}

// byEnd tells how connections fared by which end of them this machine was.
func (t *totals) byEnd() (rtts, lifetimes map[string]model.Histogram) {
	rtts, lifetimes = make(map[string]model.Histogram), make(map[string]model.Histogram)
	for direction, end := range map[uint8]string{bpf.DirectionOut: "client", bpf.DirectionIn: "server", bpf.DirectionUnknown: "unknown"} {
		rtts[end], lifetimes[end] = t.health[direction].rtts, t.health[direction].lifetimes
	}
	return rtts, lifetimes
}
