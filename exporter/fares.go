package exporter

import (
	"math"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"cassini/model"
)

// fares shows a model.Histogram of microseconds, as the capture counts them: buckets end
// at powers of two of a microsecond.
type fares struct{ histogram }

// newFares takes the exponents of two at which the buckets end.
func newFares(name, help string, exponents []int, labels ...string) fares {
	var bounds []float64
	for _, e := range exponents {
		bounds = append(bounds, seconds(1<<e))
	}
	return fares{newHistogram(name, help, bounds, 0, labels...)}
}

func seconds(us uint64) float64 { return float64(us) / 1e6 }

// upTo are the exponents from first to last.
func upTo(first, last int) (list []int) {
	for e := first; e <= last; e++ {
		list = append(list, e)
	}
	return list
}

// nearest is the native bucket of schema 0 that ends nearest to a power of two of a
// microsecond: at most 5% lower.
func nearest(us uint64) int { return int(math.Round(math.Log2(seconds(us)))) }

// distribution estimates the sum by the middle of each bucket, since the kernel adds up
// nothing but counts.
func (f fares) distribution(h model.Histogram) distribution {
	low := nearest(uint64(math.Round(f.bounds[0] * 1e6)))
	d := distribution{classic: make([]uint64, len(f.bounds)+1), native: make(map[int]int64), floor: math.Ldexp(1, low)}
	for b, n := range h.All() {
		place, middle := len(f.bounds), 1.5*seconds(b.Low)
		if b.High > 0 {
			place, _ = slices.BinarySearch(f.bounds, seconds(b.High))
			middle = (seconds(b.Low) + seconds(b.High)) / 2
		}
		d.classic[min(place, len(f.bounds))] += n
		d.sum += float64(float64(n) * middle) // no fused operations: the same sum on every machine
		switch {
		case place == 0:
			d.zero += n
		case b.High == 0:
			d.native[nearest(b.Low)+1] += int64(n)
		default:
			d.native[nearest(b.High)] += int64(n)
		}
	}
	return d
}

func (f fares) sendAll(ch chan<- prometheus.Metric, byEnd map[string]model.Histogram) {
	for end, h := range byEnd {
		f.send(ch, f.distribution(h), end)
	}
}

// newRTTs and newLifetimes have the buckets of bpf/health.h.
func newRTTs() fares {
	return newFares("connection_rtt_seconds", "Smoothed round-trip times of connections of TCP and SCTP as they closed, all of this machine together, by which end it was. Connections on which none was measured are left out.", upTo(4, 22), "end")
}

func newLifetimes() fares {
	return newFares("connection_lifetime_seconds", "How long connections of TCP and SCTP lived that closed, from the handshake to the last packet, all of this machine together, by which end it was. Connections that are older than the agent are left out.", append(upTo(10, 32), 34, 36, 38, 40), "end")
}
