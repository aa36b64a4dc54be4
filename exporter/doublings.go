package exporter

import "math"

// doublings is a histogram of the watch of heartbeats: its first bucket ends at first
// seconds, each further one at the double of the one before, and the last has no end.
type doublings struct {
	histogram
	first float64
	low   int // index of the native bucket that stands for the first
}

// Places of such a histogram.
const places = 16

// newDoublings takes the end of the first bucket in seconds. Native buckets of schema 0
// end at powers of two seconds; the nearest ones are taken, which are within 5% of the
// watch's.
func newDoublings(name, help string, first float64, labels ...string) doublings {
	var bounds []float64
	for i := range places - 1 {
		bounds = append(bounds, math.Ldexp(first, i))
	}
	return doublings{histogram: newHistogram(name, help, bounds, 0, labels...), first: first, low: int(math.Round(math.Log2(first)))}
}

// distribution takes counts by place. Their sum is estimated by the middle of each
// place, since nobody adds up what the kernel counts.
func (h doublings) distribution(counts []uint64) distribution {
	d := distribution{classic: make([]uint64, places), native: make(map[int]int64), floor: math.Ldexp(1, h.low)}
	for i, n := range counts[:min(len(counts), places)] {
		d.classic[i] = n
		if i == 0 {
			d.zero = n
			d.sum += float64(float64(n) * h.first / 2) // no fused operations: the same sum on every machine
			continue
		}
		if n > 0 {
			d.native[h.low+i] = int64(n)
		}
		d.sum += float64(float64(n) * math.Ldexp(h.first, i-1) * 1.5)
	}
	return d
}
