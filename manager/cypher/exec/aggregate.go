package exec

import (
	"errors"

	"cassini/manager/cypher/plan"
	"cassini/manager/cypher/value"
)

type aggregate struct {
	keys []assign
	aggs []aggregation
}

// aggregation is one aggregating function with its arguments.
type aggregation struct {
	make     func() accumulator
	arg      eval // or nil for count(*)
	extra    eval // a second argument, or nil
	distinct bool
	slot     int
}

func (c *compiler) aggregate(op *plan.Aggregate) (stage, error) {
	s := &aggregate{}
	var err error
	if s.keys, err = c.assigns(op.Keys); err != nil {
		return nil, err
	}
	for _, a := range op.Aggs {
		agg := aggregation{make: accumulators(a.Call), distinct: a.Call.Distinct, slot: a.Slot}
		args, err := c.list(a.Call.Args, a.Scope)
		if err != nil {
			return nil, err
		}
		if len(args) > 0 {
			agg.arg = args[0]
		}
		if len(args) > 1 {
			agg.extra = args[1]
		}
		s.aggs = append(s.aggs, agg)
	}
	return s, nil
}

func (s *aggregate) start(r *run, next sink) sink {
	return &aggregateSink{passing: passing{r, next}, aggregate: s, groups: map[string]*group{}}
}

type aggregateSink struct {
	passing
	*aggregate
	groups map[string]*group
	order  []*group
	keys   []value.Value
	key    []byte
	held   int64
}

// group is rows that have the same keys.
type group struct {
	keys []value.Value
	accs []accumulator
	seen []map[string]bool // values that DISTINCT has let through
}

func (s *aggregateSink) push() error {
	s.keys = s.keys[:0]
	for _, k := range s.aggregate.keys {
		v, err := k.eval(s.r)
		if err != nil {
			return err
		}
		s.keys = append(s.keys, v)
	}
	s.key = rowKey(s.key[:0], s.keys)
	g := s.groups[string(s.key)]
	if g == nil {
		var err error
		if g, err = s.group(); err != nil {
			return err
		}
	}
	for i, a := range s.aggs {
		if err := s.take(g, i, a); err != nil {
			return err
		}
	}
	return nil
}

// group makes a group of the keys.
func (s *aggregateSink) group() (*group, error) {
	g := &group{keys: append([]value.Value{}, s.keys...), seen: make([]map[string]bool, len(s.aggs))}
	for i, a := range s.aggs {
		g.accs = append(g.accs, a.make())
		if a.distinct {
			g.seen[i] = map[string]bool{}
		}
	}
	s.groups[string(s.key)] = g
	s.order = append(s.order, g)
	size, err := s.r.holdRow(g.keys)
	if err != nil {
		return nil, err
	}
	more := int64(len(s.key)) + perRow*int64(1+len(s.aggs))
	s.held += size + more
	return g, s.r.hold(more)
}

// take gives a row to one aggregation of its group.
func (s *aggregateSink) take(g *group, i int, a aggregation) error {
	if a.arg == nil {
		_, err := g.accs[i].add(s.r, true, nil)
		return err
	}
	v, err := a.arg(s.r)
	if err != nil || v == nil {
		return err
	}
	if seen := g.seen[i]; seen != nil {
		key := string(value.AppendKey(nil, v))
		if seen[key] {
			return nil
		}
		seen[key] = true
		if err := s.count(int64(len(key)) + perRow); err != nil {
			return err
		}
	}
	var extra value.Value
	if a.extra != nil {
		if extra, err = a.extra(s.r); err != nil {
			return err
		}
	}
	size, err := g.accs[i].add(s.r, v, extra)
	if err != nil {
		return err
	}
	return s.count(size)
}

func (s *aggregateSink) count(size int64) error {
	s.held += size
	return s.r.hold(size)
}

func (s *aggregateSink) close() error {
	if len(s.order) == 0 && len(s.aggregate.keys) == 0 { // no rows are one group without keys
		s.key, s.keys = nil, nil
		if _, err := s.group(); err != nil {
			return err
		}
	}
	for _, g := range s.order {
		if err := s.r.tick(); err != nil {
			return err
		}
		for i, k := range s.aggregate.keys {
			s.r.frame[k.slot] = g.keys[i]
		}
		for i, a := range s.aggs {
			v, err := g.accs[i].result()
			if err != nil {
				return err
			}
			s.r.frame[a.slot] = v
		}
		if err := s.next.push(); errors.Is(err, errStop) {
			break
		} else if err != nil {
			return err
		}
	}
	s.r.let(s.held)
	s.groups, s.order = nil, nil
	return s.next.close()
}
