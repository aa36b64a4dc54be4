package exec

import (
	"math"
	"slices"
	"strings"

	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/temporal"
	"cassini/manager/cypher/value"
)

// accumulator is an aggregating function at work.
type accumulator interface {
	// add takes a value that is not null, and answers how much memory it keeps
	// more.
	add(r *run, v, extra value.Value) (held int64, err error)
	result() (value.Value, error)
}

// accumulators finds what makes a function's accumulators.
func accumulators(c *ast.Call) func() accumulator {
	switch strings.ToLower(c.Name) {
	case "sum":
		return func() accumulator { return &sum{at: c.At} }
	case "avg":
		return func() accumulator { return &sum{at: c.At, average: true} }
	case "min":
		return func() accumulator { return &extreme{want: -1} }
	case "max":
		return func() accumulator { return &extreme{want: 1} }
	case "collect":
		return func() accumulator { return &collect{} }
	case "stdev":
		return func() accumulator { return &deviation{at: c.At, less: 1} }
	case "stdevp":
		return func() accumulator { return &deviation{at: c.At} }
	case "percentilecont":
		return func() accumulator { return &percentile{at: c.At, between: true} }
	case "percentiledisc":
		return func() accumulator { return &percentile{at: c.At} }
	}
	return func() accumulator { return new(counter) }
}

type counter int64

func (c *counter) add(*run, value.Value, value.Value) (int64, error) {
	*c++
	return 0, nil
}

func (c *counter) result() (value.Value, error) { return int64(*c), nil }

// sum adds up; average divides.
type sum struct {
	at      ast.Pos
	average bool
	total   value.Value
	count   int64
}

func (s *sum) add(r *run, v, _ value.Value) (int64, error) {
	switch v.(type) {
	case int64, float64, temporal.Duration:
	default:
		return 0, placed(issue.Raise(issue.Type, "InvalidArgumentType", "%s cannot be added up", value.Described(v)), s.at)
	}
	if n, ok := v.(int64); ok && s.average { // an average must not overflow
		v = float64(n)
	}
	s.count++
	if s.total == nil {
		s.total = v
		return 0, nil
	}
	var err error
	s.total, err = add(r, s.total, v)
	return 0, placed(err, s.at)
}

func (s *sum) result() (value.Value, error) {
	switch {
	case s.total == nil && s.average:
		return nil, nil
	case s.total == nil:
		return int64(0), nil
	case s.average:
		return divide(nil, s.total, float64(s.count))
	}
	return s.total, nil
}

type extreme struct {
	want int
	best value.Value
}

func (e *extreme) add(r *run, v, _ value.Value) (int64, error) {
	if e.best == nil || value.Order(v, e.best) == e.want {
		e.best = v
	}
	return 0, nil
}

func (e *extreme) result() (value.Value, error) { return e.best, nil }

type collect struct{ list value.List }

func (c *collect) add(r *run, v, _ value.Value) (int64, error) {
	c.list = append(c.list, v)
	return r.weigh(v)
}

func (c *collect) result() (value.Value, error) {
	if c.list == nil {
		return value.List{}, nil
	}
	return c.list, nil
}

// deviation is the standard deviation, by Welford's way.
type deviation struct {
	at                   ast.Pos
	less                 float64 // 1 for a sample
	count, mean, squares float64
}

func (d *deviation) add(_ *run, v, _ value.Value) (int64, error) {
	x, ok := float(v)
	if !ok {
		return 0, placed(issue.Raise(issue.Type, "InvalidArgumentType", "%s has no deviation", value.Described(v)), d.at)
	}
	d.count++
	delta := x - d.mean
	d.mean += delta / d.count
	d.squares += delta * (x - d.mean)
	return 0, nil
}

func (d *deviation) result() (value.Value, error) {
	if d.count-d.less <= 0 {
		return 0.0, nil
	}
	return math.Sqrt(d.squares / (d.count - d.less)), nil
}

// percentile keeps all numbers.
type percentile struct {
	at      ast.Pos
	between bool // interpolate
	part    float64
	list    []value.Value
}

func (p *percentile) add(_ *run, v, extra value.Value) (int64, error) {
	if _, ok := float(v); !ok {
		return 0, placed(issue.Raise(issue.Type, "InvalidArgumentType", "%s has no percentile", value.Described(v)), p.at)
	}
	part, ok := float(extra)
	if !ok || !(part >= 0 && part <= 1) {
		return 0, placed(issue.Raise(issue.Argument, "NumberOutOfRange", "a percentile is a number from 0.0 to 1.0, not %s", value.Format(extra)), p.at)
	}
	p.part = part
	p.list = append(p.list, v)
	return 24, nil
}

func (p *percentile) result() (value.Value, error) {
	if p.list == nil {
		return nil, nil
	}
	slices.SortFunc(p.list, value.Order)
	last := float64(len(p.list) - 1)
	if !p.between {
		at := math.Ceil(p.part*float64(len(p.list))) - 1
		return p.list[int(min(max(at, 0), last))], nil
	}
	low := math.Floor(p.part * last)
	a, _ := float(p.list[int(low)])
	b, _ := float(p.list[int(min(low+1, last))])
	return a + (b-a)*(p.part*last-low), nil
}
