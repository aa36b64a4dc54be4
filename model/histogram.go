package model

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// Histogram counts values in buckets that end at powers of two, of any unit. Two of them
// are added by adding their counts (Plus), so that it does not matter who counted what,
// nor in which order. It is a value: the zero one is empty, and == compares. In JSON it is
// an object of the buckets that hold something, from low to high:
// {"64-128": 40, "128-256": 2, "4194304-": 1}, where the end of a bucket is not part of
// it and the last one has none.
//
// Inside, each bucket is two bytes and its count as a varint: histograms are kept by the
// hundred thousand, and most hold a few buckets.
type Histogram string

// Bucket is a range of values: Low <= value < High. Low is 0 or a power of two, and High
// is a power of two, or 0 where there is no end.
type Bucket struct{ Low, High uint64 }

// maxBuckets bounds a histogram that comes from outside.
const maxBuckets = 128

// ErrBadHistogram says that a text is no histogram.
var ErrBadHistogram = errors.New("bad histogram")

// code is how a bucket stands in a Histogram: the numbers of bits of both ends, so that
// codes sort as buckets do.
func (b Bucket) code() [2]byte {
	high := byte(math.MaxUint8)
	if b.High > 0 {
		high = byte(bits.Len64(b.High))
	}
	return [2]byte{byte(bits.Len64(b.Low)), high}
}

func (b Bucket) valid() bool {
	return b.Low&(b.Low-1) == 0 && b.High&(b.High-1) == 0 && (b.High == 0 || b.High > b.Low)
}

func power(length byte) uint64 {
	if length == 0 || length > 64 {
		return 0
	}
	return 1 << (length - 1)
}

// String is the bucket as it stands in JSON.
func (b Bucket) String() string {
	if b.High == 0 {
		return strconv.FormatUint(b.Low, 10) + "-"
	}
	return strconv.FormatUint(b.Low, 10) + "-" + strconv.FormatUint(b.High, 10)
}

func parseBucket(s string) (b Bucket, err error) {
	low, high, ok := strings.Cut(s, "-")
	b.Low, err = strconv.ParseUint(low, 10, 64)
	if err == nil && high != "" {
		b.High, err = strconv.ParseUint(high, 10, 64)
		ok = ok && b.High > 0
	}
	if !ok || err != nil || !b.valid() || b.String() != s {
		return Bucket{}, fmt.Errorf("%w: %.40q is no bucket", ErrBadHistogram, s)
	}
	return b, nil
}

// MakeHistogram makes a histogram of counts, whose buckets ascend.
func MakeHistogram(counts iter.Seq2[Bucket, uint64]) Histogram {
	var out []byte
	for b, n := range counts {
		if n > 0 {
			code := b.code()
			out = binary.AppendUvarint(append(out, code[0], code[1]), n)
		}
	}
	return Histogram(out)
}

// All walks the buckets that hold something, in ascending order.
func (h Histogram) All() iter.Seq2[Bucket, uint64] {
	return func(yield func(Bucket, uint64) bool) {
		for raw := []byte(h); len(raw) > 2; {
			b := Bucket{Low: power(raw[0]), High: power(raw[1])}
			n, size := binary.Uvarint(raw[2:])
			if size <= 0 || !yield(b, n) {
				return
			}
			raw = raw[2+size:]
		}
	}
}

// Count is how many values were counted.
func (h Histogram) Count() (n uint64) {
	for _, c := range h.All() {
		n += c
	}
	return n
}

// Plus adds two histograms. It is associative and commutative.
func (h Histogram) Plus(o Histogram) Histogram {
	if h == "" {
		return o
	}
	if o == "" {
		return h
	}
	sum := make(map[Bucket]uint64)
	for _, part := range []Histogram{h, o} {
		for b, n := range part.All() {
			sum[b] += n
		}
	}
	return ofCounts(sum)
}

// Minus takes away what was counted before.
func (h Histogram) Minus(before Histogram) Histogram {
	if before == "" {
		return h
	}
	left := make(map[Bucket]uint64)
	for b, n := range h.All() {
		left[b] = n
	}
	for b, n := range before.All() {
		left[b] -= min(n, left[b])
	}
	return ofCounts(left)
}

func ofCounts(counts map[Bucket]uint64) Histogram {
	buckets := make([]Bucket, 0, len(counts))
	for b := range counts {
		buckets = append(buckets, b)
	}
	slices.SortFunc(buckets, func(a, b Bucket) int {
		x, y := a.code(), b.code()
		return slices.Compare(x[:], y[:])
	})
	return MakeHistogram(func(yield func(Bucket, uint64) bool) {
		for _, b := range buckets {
			if !yield(b, counts[b]) {
				return
			}
		}
	})
}

// Quantile is the value below which a share q (0 to 1) of all values lies: exact to the
// bucket, and inside of it as if values were spread evenly over its logarithm. Of a bucket
// without an end it is the beginning; 0 when nothing was counted.
func (h Histogram) Quantile(q float64) uint64 {
	rank, seen := q*float64(h.Count()), 0.0
	var last uint64
	for b, n := range h.All() {
		if seen+float64(n) >= rank {
			return b.at((rank - seen) / float64(n))
		}
		seen += float64(n)
		last = b.at(1)
	}
	return last
}

// at is the value at a share of the bucket.
func (b Bucket) at(share float64) uint64 {
	switch share = min(max(share, 0), 1); {
	case b.High == 0:
		return b.Low
	case b.Low == 0:
		return uint64(math.Round(share * float64(b.High)))
	}
	return uint64(math.Round(float64(b.Low) * math.Pow(float64(b.High)/float64(b.Low), share)))
}

// MarshalJSON implements json.Marshaler.
func (h Histogram) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for b, n := range h.All() {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = strconv.AppendUint(append(append(append(out, '"'), b.String()...), `":`...), n, 10)
	}
	return append(out, '}'), nil
}

// UnmarshalJSON implements json.Unmarshaler. Errors wrap ErrBadHistogram.
func (h *Histogram) UnmarshalJSON(text []byte) error {
	var raw map[string]uint64
	if err := json.Unmarshal(text, &raw); err != nil {
		return fmt.Errorf("%w: %w", ErrBadHistogram, err)
	}
	if len(raw) > maxBuckets {
		return fmt.Errorf("%w: %d buckets", ErrBadHistogram, len(raw))
	}
	counts := make(map[Bucket]uint64, len(raw))
	for key, n := range raw {
		b, err := parseBucket(key)
		if err != nil {
			return err
		}
		counts[b] = n
	}
	*h = ofCounts(counts)
	return nil
}
