package exec

import (
	"cassini/manager/cypher/plan"
	"cassini/manager/cypher/source"
	"cassini/manager/cypher/value"
)

// used says whether a relationship is in one of the slots, by itself or in a list.
func used(r *run, slots []int, rel *value.Relationship) bool {
	for _, slot := range slots {
		switch v := r.frame[slot].(type) {
		case *value.Relationship:
			if v.ID == rel.ID {
				return true
			}
		case value.List:
			for _, e := range v {
				if x, ok := e.(*value.Relationship); ok && x.ID == rel.ID {
					return true
				}
			}
		}
	}
	return false
}

type expand struct{ op plan.Follow }

func (s *expand) start(r *run, next sink) sink { return &expandSink{passing{r, next}, s} }

type expandSink struct {
	passing
	*expand
}

func (s *expandSink) push() error {
	from, ok := s.r.frame[s.op.From].(*value.Node)
	if !ok {
		return nil
	}
	var into *value.Node
	if s.op.Into {
		if into, ok = s.r.frame[s.op.To].(*value.Node); !ok {
			return nil
		}
	}
	for rel := range s.r.graph.Expand(from, s.op.Dir, s.op.Types) {
		if err := s.r.tick(); err != nil {
			return err
		}
		to := rel.Other(from)
		if into != nil && to.ID != into.ID || used(s.r, s.op.Unique, rel) {
			continue
		}
		s.r.frame[s.op.Rel] = rel
		if into == nil {
			s.r.frame[s.op.To] = to
		}
		if err := s.next.push(); err != nil {
			return err
		}
	}
	return nil
}

// retrace follows what an earlier clause has found.
type retrace struct{ op *plan.Retrace }

func (s *retrace) start(r *run, next sink) sink { return &retraceSink{passing{r, next}, s} }

type retraceSink struct {
	passing
	*retrace
}

func (s *retraceSink) push() error {
	rels, ok := s.known()
	if !ok {
		return nil
	}
	if s.op.FromBound {
		from, ok := s.r.frame[s.op.From].(*value.Node)
		if !ok {
			return nil
		}
		return s.from(from, rels)
	}
	if len(rels) == 0 {
		return nil
	}
	starts := []*value.Node{rels[0].Start, rels[0].End}
	if starts[0].ID == starts[1].ID {
		starts = starts[:1]
	}
	for _, from := range starts {
		s.r.frame[s.op.From] = from
		if err := s.from(from, rels); err != nil {
			return err
		}
	}
	return nil
}

// known are the relationships in the order in which they are walked.
func (s *retraceSink) known() (rels []*value.Relationship, ok bool) {
	switch v := s.r.frame[s.op.Rel].(type) {
	case *value.Relationship:
		return []*value.Relationship{v}, !s.op.Var
	case value.List:
		for _, e := range v {
			rel, ok := e.(*value.Relationship)
			if !ok {
				return nil, false
			}
			rels = append(rels, rel)
		}
		if s.op.Reversed {
			rels = reversed(rels)
		}
		return rels, s.op.Var && len(rels) >= s.op.Min && (s.op.Max < 0 || len(rels) <= s.op.Max)
	}
	return nil, false
}

func reversed(rels []*value.Relationship) []*value.Relationship {
	out := make([]*value.Relationship, len(rels))
	for i, r := range rels {
		out[len(rels)-1-i] = r
	}
	return out
}

// from walks along the relationships, and passes the row if they lead where they
// should.
func (s *retraceSink) from(at *value.Node, rels []*value.Relationship) error {
	for _, rel := range rels {
		if !fits(rel, at, s.op.Dir, s.op.Types) || used(s.r, s.op.Unique, rel) {
			return nil
		}
		at = rel.Other(at)
	}
	if s.op.Into {
		to, ok := s.r.frame[s.op.To].(*value.Node)
		if !ok || to.ID != at.ID {
			return nil
		}
	}
	s.r.frame[s.op.To] = at
	return s.next.push()
}

// fits says whether a relationship leads away from a node in a direction.
func fits(rel *value.Relationship, at *value.Node, d source.Direction, types []string) bool {
	if len(types) > 0 && !has(types, rel.Type) {
		return false
	}
	out, in := rel.Start.ID == at.ID, rel.End.ID == at.ID
	return out && d != source.In || in && d != source.Out
}

// makePath puts a path together.
type makePath struct{ op *plan.Path }

func (s *makePath) start(r *run, next sink) sink { return &pathSink{passing{r, next}, s} }

type pathSink struct {
	passing
	*makePath
}

func (s *pathSink) push() error {
	p := &value.Path{}
	at, ok := s.r.frame[s.op.Nodes[0]].(*value.Node)
	if !ok {
		return nil
	}
	p.Nodes = append(p.Nodes, at)
	step := func(rel *value.Relationship) {
		at = rel.Other(at)
		p.Relationships = append(p.Relationships, rel)
		p.Nodes = append(p.Nodes, at)
	}
	for _, slot := range s.op.Rels {
		switch v := s.r.frame[slot].(type) {
		case *value.Relationship:
			step(v)
		case value.List:
			for _, e := range v {
				if rel, ok := e.(*value.Relationship); ok {
					step(rel)
				}
			}
		}
	}
	s.r.frame[s.op.Slot] = p
	return s.next.push()
}
