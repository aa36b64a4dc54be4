package exec

import (
	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/plan"
	"cassini/manager/cypher/value"
)

type scan struct{ op *plan.Scan }

func (s *scan) start(r *run, next sink) sink { return &scanSink{passing{r, next}, s} }

type scanSink struct {
	passing
	*scan
}

func (s *scanSink) push() error {
	for n := range s.r.graph.Nodes(s.op.Label) {
		if err := s.r.tick(); err != nil {
			return err
		}
		s.r.frame[s.op.Slot] = n
		if err := s.next.push(); err != nil {
			return err
		}
	}
	return nil
}

type seek struct {
	op    *plan.Seek
	value eval
}

func (s *seek) start(r *run, next sink) sink { return &seekSink{passing{r, next}, s} }

type seekSink struct {
	passing
	*seek
}

func (s *seekSink) push() error {
	v, err := s.value(s.r)
	if err != nil || v == nil {
		return err
	}
	for n := range s.r.graph.Find(s.op.Label, s.op.Property, v) {
		if err := s.r.tick(); err != nil {
			return err
		}
		s.r.frame[s.op.Slot] = n
		if err := s.next.push(); err != nil {
			return err
		}
	}
	return nil
}

// present passes rows in which a variable is a node: one from OPTIONAL MATCH may
// be null.
type present struct{ slot int }

func (s *present) start(r *run, next sink) sink { return &presentSink{passing{r, next}, s} }

type presentSink struct {
	passing
	*present
}

func (s *presentSink) push() error {
	if _, ok := s.r.frame[s.slot].(*value.Node); !ok {
		return nil
	}
	return s.next.push()
}

type filter struct {
	cond eval
	at   ast.Pos
}

func (s *filter) start(r *run, next sink) sink { return &filterSink{passing{r, next}, s} }

type filterSink struct {
	passing
	*filter
}

func (s *filterSink) push() error {
	v, err := s.cond(s.r)
	if err != nil {
		return err
	}
	t, err := truth(v)
	if err != nil {
		return placed(err, s.at)
	}
	if t != value.True {
		return nil
	}
	return s.next.push()
}

// optional passes what the inner chain makes of a row, or the row with nulls.
type optional struct {
	inner chain
	nulls []int
}

func (s *optional) start(r *run, next sink) sink {
	out := &optionalSink{passing: passing{r, next}, optional: s}
	out.chain = s.inner.start(r, calling{func() error {
		out.found = true
		return next.push()
	}})
	return out
}

type optionalSink struct {
	passing
	*optional
	chain sink
	found bool
}

func (s *optionalSink) push() error {
	s.found = false
	if err := s.chain.push(); err != nil || s.found {
		return err
	}
	for _, slot := range s.nulls {
		s.r.frame[slot] = nil
	}
	return s.next.push()
}

type unwind struct {
	list eval
	slot int
}

func (s *unwind) start(r *run, next sink) sink { return &unwindSink{passing{r, next}, s} }

type unwindSink struct {
	passing
	*unwind
}

func (s *unwindSink) push() error {
	v, err := s.list(s.r)
	if err != nil || v == nil {
		return err
	}
	list, ok := v.(value.List)
	if !ok {
		list = value.List{v}
	}
	for _, x := range list {
		if err := s.r.tick(); err != nil {
			return err
		}
		s.r.frame[s.slot] = x
		if err := s.next.push(); err != nil {
			return err
		}
	}
	return nil
}
