package logquery

import (
	"math"
	"math/bits"
	"slices"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"github.com/DataDog/sketches-go/ddsketch"
)

// Percentiles are exact up to so many values of a group, and then of a sketch: within
// accuracy of the true value, whatever the number of values and however they are cut.
const (
	exactValues = 512
	accuracy    = 0.01 // relative
	maxBins     = 2048 // of a sketch, for either sign
)

// What cells hold, in bytes, for the limit on memory; a sketch when it is full.
const (
	cellSize   = 160
	valueSize  = 8
	sketchSize = 2 * maxBins * 8
)

// cell is one aggregate of one group, or of a part of it: what can be merged.
type cell struct {
	count  uint64 // of values
	sum    sum
	weight sum
	best   ref.Val // least or greatest
	values []float64
	sketch *ddsketch.DDSketch
}

// sum adds whole numbers exactly while they fit into 64 bits, and what is not whole
// with Neumaier's compensation (1974).
type sum struct {
	whole int64
	rest  float64
	lost  float64 // what adding to rest lost
}

func (s *sum) addWhole(n int64) {
	if total, carry := add64(s.whole, n); !carry {
		s.whole = total
		return
	}
	s.addFloat(float64(s.whole))
	s.whole = n
}

func add64(a, b int64) (int64, bool) {
	total, _ := bits.Add64(uint64(a), uint64(b), 0)
	overflow := (a < 0) == (b < 0) && (int64(total) < 0) != (a < 0)
	return int64(total), overflow
}

func (s *sum) addFloat(f float64) {
	total := s.rest + f
	if math.Abs(s.rest) >= math.Abs(f) {
		s.lost += s.rest - total + f
	} else {
		s.lost += f - total + s.rest
	}
	s.rest = total
}

func (s *sum) merge(o sum) {
	s.addWhole(o.whole)
	if o.rest != 0 || o.lost != 0 {
		s.addFloat(o.rest)
		s.addFloat(o.lost)
	}
}

func (s *sum) float() float64 {
	if math.IsInf(s.rest, 0) {
		return s.rest
	}
	return float64(s.whole) + (s.rest + s.lost)
}

// value is a whole number where nothing but such were added and they fit.
func (s *sum) value() any {
	if s.rest == 0 && s.lost == 0 {
		return s.whole
	}
	return number(s.float())
}

// number makes a figure of a float: JSON has no infinite ones.
func number(f float64) any {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil
	}
	return f
}

// add takes one value; ok is false when an aggregate cannot be made of such.
func (c *cell) add(a aggregate, v, weight ref.Val) (ok bool) {
	switch a.of {
	case "count":
		c.count++
		return true
	case "min", "max":
		return c.extreme(a, v)
	case "p":
		f, ok := float(v)
		if ok {
			c.count++
			c.values = append(c.values, f)
			c.condense()
		}
		return ok
	}
	if a.of == "avg" && weight != nil {
		f, good := float(v)
		w, positive := float(weight)
		if !good || !positive || w < 0 {
			return false
		}
		c.count++
		c.sum.addFloat(f * w)
		c.weight.addFloat(w)
		return true
	}
	if ok = c.sum.add(v); ok {
		c.count++
		c.weight.addWhole(1)
	}
	return ok
}

func (s *sum) add(v ref.Val) bool {
	if n, whole := v.(types.Int); whole {
		s.addWhole(int64(n))
		return true
	}
	f, ok := float(v)
	if ok {
		s.addFloat(f)
	}
	return ok
}

// float is a number, or a duration in seconds.
func float(v ref.Val) (float64, bool) {
	var f float64
	switch v := v.(type) {
	case types.Int:
		f = float64(v)
	case types.Uint:
		f = float64(v)
	case types.Double:
		f = float64(v)
	case types.Duration:
		f = v.Seconds()
	default:
		return 0, false
	}
	return f, !math.IsNaN(f) && !math.IsInf(f, 0)
}

// extreme keeps the least or greatest of numbers, texts, times or durations.
func (c *cell) extreme(a aggregate, v ref.Val) bool {
	if d, nan := v.(types.Double); nan && math.IsNaN(float64(d)) {
		return false
	}
	this, ok := v.(traits.Comparer)
	if !ok {
		return false
	}
	if c.best == nil {
		c.best = v
		c.count++
		return true
	}
	way, ok := this.Compare(c.best).(types.Int)
	if !ok {
		return false
	}
	if c.count++; way == types.IntNegOne && a.of == "min" || way == types.IntOne && a.of == "max" {
		c.best = v
	}
	return true
}

// condense turns many values into a sketch.
func (c *cell) condense() {
	if c.sketch == nil && len(c.values) <= exactValues {
		return
	}
	if c.sketch == nil {
		c.sketch = newSketch()
	}
	for _, f := range c.values {
		_ = c.sketch.Add(f) // refuses what float lets nobody bring
	}
	c.values = nil
}

func newSketch() *ddsketch.DDSketch {
	s, err := ddsketch.LogCollapsingLowestDenseDDSketch(accuracy, maxBins)
	if err != nil { // for an accuracy that is none
		panic(err)
	}
	return s
}

// merge adds what another part of the same group came to.
func (c *cell) merge(a aggregate, o *cell) (ok bool) {
	if a.of == "min" || a.of == "max" {
		before := c.count
		if o.best == nil {
			return true
		}
		ok = c.extreme(a, o.best)
		c.count = before + o.count
		return ok
	}
	c.count += o.count
	c.sum.merge(o.sum)
	c.weight.merge(o.weight)
	if o.sketch != nil {
		if c.sketch == nil {
			c.sketch = newSketch()
		}
		_ = c.sketch.MergeWith(o.sketch) // they are of one making
	}
	c.values = append(c.values, o.values...)
	c.condense()
	return true
}

// answer is what the values came to; nil of none.
func (c *cell) answer(a aggregate) any {
	switch {
	case a.of == "count":
		return c.count
	case c.count == 0:
		return nil
	case a.of == "sum":
		return c.sum.value()
	case a.of == "avg":
		if w := c.weight.float(); w > 0 {
			return number(c.sum.float() / w)
		}
		return nil
	case a.of == "p":
		return c.quantile(a.percentile / 100)
	}
	return native(c.best)
}

// quantile is the nearest rank: the least value that so large a part does not exceed.
func (c *cell) quantile(q float64) any {
	if c.sketch != nil {
		f, err := c.sketch.GetValueAtQuantile(q)
		if err != nil {
			return nil
		}
		return number(f)
	}
	slices.Sort(c.values)
	rank := int(math.Ceil(q*float64(len(c.values)))) - 1
	return c.values[min(max(rank, 0), len(c.values)-1)]
}

// size is about what the cell holds, in bytes.
func (c *cell) size() int {
	n := cellSize + cap(c.values)*valueSize
	if c.sketch != nil {
		n += sketchSize
	}
	return n
}
