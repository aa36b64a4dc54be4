package exec

import (
	"errors"
	"slices"

	"cassini/manager/cypher/plan"
	"cassini/manager/cypher/value"
)

type sorting struct {
	keys        []eval
	desc        []bool
	slots       []int
	skip, limit eval // or nil
}

func (c *compiler) sort(op *plan.Sort) (stage, error) {
	s := &sorting{slots: op.Slots}
	for _, k := range op.Keys {
		e, err := c.bound(k.Bound)
		if err != nil {
			return nil, err
		}
		s.keys, s.desc = append(s.keys, e), append(s.desc, k.Desc)
	}
	var err error
	if op.Skip != nil {
		if s.skip, err = c.bound(*op.Skip); err != nil {
			return nil, err
		}
	}
	if op.Limit != nil {
		s.limit, err = c.bound(*op.Limit)
	}
	return s, err
}

func (s *sorting) start(r *run, next sink) sink {
	return &sortSink{passing: passing{r, next}, sorting: s, most: -1}
}

type sortSink struct {
	passing
	*sorting
	rows []sorted
	most int64 // rows that are wanted, 0 for all, -1 before the first row
}

// sorted is a row that waits: its keys, then its slots.
type sorted struct {
	values []value.Value
	size   int64
}

func (s *sortSink) push() error {
	if s.most < 0 {
		if err := s.bound(); err != nil {
			return err
		}
	}
	row := sorted{values: make([]value.Value, 0, len(s.keys)+len(s.slots))}
	for _, k := range s.keys {
		v, err := k(s.r)
		if err != nil {
			return err
		}
		row.values = append(row.values, v)
	}
	for _, slot := range s.slots {
		row.values = append(row.values, s.r.frame[slot])
	}
	var err error
	if row.size, err = s.r.holdRow(row.values); err != nil {
		return err
	}
	s.rows = append(s.rows, row)
	if s.most > 0 && int64(len(s.rows)) >= 2*s.most+1024 {
		s.sort()
		s.cut()
	}
	return nil
}

// bound finds out how many rows are wanted: with a LIMIT behind, only the first
// ones need to be kept. A wrong SKIP or LIMIT is for those operators to tell.
func (s *sortSink) bound() error {
	s.most = 0
	if s.limit == nil {
		return nil
	}
	v, err := s.limit(s.r)
	if err != nil {
		return err
	}
	n, ok := v.(int64)
	if s.skip != nil && ok {
		v, err := s.skip(s.r)
		if err != nil {
			return err
		}
		var more int64
		if more, ok = v.(int64); more < 0 {
			ok = false
		}
		n += more
	}
	if ok && n > 0 && n < 1<<30 {
		s.most = n
	}
	return nil
}

func (s *sortSink) sort() {
	slices.SortStableFunc(s.rows, func(a, b sorted) int {
		for i, desc := range s.desc {
			if c := value.Order(a.values[i], b.values[i]); c != 0 {
				if desc {
					return -c
				}
				return c
			}
		}
		return 0
	})
}

// cut forgets rows that are not wanted.
func (s *sortSink) cut() {
	if s.most <= 0 || int64(len(s.rows)) <= s.most {
		return
	}
	for i, row := range s.rows[s.most:] {
		s.r.let(row.size)
		s.rows[int(s.most)+i] = sorted{}
	}
	s.rows = s.rows[:s.most]
}

func (s *sortSink) close() error {
	s.sort()
	s.cut()
	for _, row := range s.rows {
		if err := s.r.tick(); err != nil {
			return err
		}
		for i, slot := range s.slots {
			s.r.frame[slot] = row.values[len(s.keys)+i]
		}
		if err := s.next.push(); errors.Is(err, errStop) {
			break
		} else if err != nil {
			return err
		}
	}
	for _, row := range s.rows {
		s.r.let(row.size)
	}
	s.rows = nil
	return s.next.close()
}
