package exporter

import (
	"cmp"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// histogramKind is the kind of a metric that is a histogram; the client library's
// value types have none for it.
const histogramKind prometheus.ValueType = -1

// histogram is a metric whose samples are native histograms. Prometheus servers that
// take no native histograms, and the text formats, see classic buckets with the same
// counts: a family may hold both, and a server keeps one of them.
type histogram struct {
	metric
	bounds []float64 // upper bounds of the classic buckets, in ascending order
	schema int32     // of the native buckets: 2^schema of them for each doubling
}

func newHistogram(name, help string, bounds []float64, schema int32, labels ...string) histogram {
	return histogram{metric: newMetric(histogramKind, name, help, labels), bounds: bounds, schema: schema}
}

// distribution is what one sample of a histogram says.
type distribution struct {
	classic []uint64      // by place in bounds, not cumulative; the last is beyond all of them
	native  map[int]int64 // by index, see index
	zero    uint64        // at or below the zero threshold
	floor   float64       // the zero threshold; 0 is the client library's
	sum     float64
}

func (d distribution) count() (n uint64) {
	for _, c := range d.classic {
		n += c
	}
	return n
}

// index is the native bucket of a value above 0: bucket i ends at 2^(i/2^schema).
func index(v float64, schema int32) int {
	return int(math.Ceil(math.Log2(v) * math.Exp2(float64(schema))))
}

// observe counts one value.
func (h histogram) observe(d *distribution, v float64) {
	if d.native == nil {
		d.native, d.classic = make(map[int]int64), make([]uint64, len(h.bounds)+1)
	}
	place := 0
	for place < len(h.bounds) && v > h.bounds[place] {
		place++
	}
	d.classic[place]++
	d.sum += v
	if v <= 0 {
		d.zero++
		return
	}
	d.native[index(v, h.schema)]++
}

// send passes one sample on. Without a zero threshold, servers take an empty one for
// classic.
func (h histogram) send(ch chan<- prometheus.Metric, d distribution, labels ...string) {
	for i, l := range labels {
		labels[i] = valid(l)
	}
	floor := cmp.Or(d.floor, prometheus.DefNativeHistogramZeroThreshold)
	sample, err := prometheus.NewConstNativeHistogram(h.desc, d.count(), d.sum, d.native, nil, d.zero, h.schema, floor, time.Time{}, labels...)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(h.desc, err)
		return
	}
	ch <- both{sample, h.buckets(d)}
}

// buckets are the classic ones, cumulative as Prometheus wants them.
func (h histogram) buckets(d distribution) (list []*dto.Bucket) {
	var sum uint64
	for i, bound := range h.bounds {
		if i < len(d.classic) {
			sum += d.classic[i]
		}
		list = append(list, &dto.Bucket{UpperBound: new(bound), CumulativeCount: new(sum)})
	}
	return list
}

// both is a native histogram with classic buckets beside.
type both struct {
	prometheus.Metric
	classic []*dto.Bucket
}

// Write implements prometheus.Metric.
func (b both) Write(out *dto.Metric) error {
	if err := b.Metric.Write(out); err != nil {
		return err
	}
	out.Histogram.Bucket = b.classic
	out.Histogram.CreatedTimestamp = nil // not known: sources tell no beginning
	return nil
}
