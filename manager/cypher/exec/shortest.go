package exec

import (
	"slices"

	"cassini/manager/cypher/plan"
	"cassini/manager/cypher/value"
)

// shortest finds shortest chains between two nodes, level by level.
type shortest struct {
	op   *plan.Shortest
	each each
}

func (s *shortest) start(r *run, next sink) sink {
	return &shortestSink{passing{r, next}, s}
}

type shortestSink struct {
	passing
	*shortest
}

// search is one search: of every node, the relationships by which it was reached
// on a shortest way.
type search struct {
	*shortestSink
	to    *value.Node
	want  []value.Value
	depth map[int64]int
	came  map[int64][]*value.Relationship
}

func (s *shortestSink) push() error {
	from, ok := s.r.frame[s.op.From].(*value.Node)
	to, ok2 := s.r.frame[s.op.To].(*value.Node)
	if !ok || !ok2 {
		return nil
	}
	want, err := s.each.wanted(s.r)
	if err != nil {
		return err
	}
	x := &search{s, to, want, map[int64]int{from.ID: 0}, map[int64][]*value.Relationship{}}
	if from.ID == to.ID {
		if s.op.Min > 0 {
			return nil
		}
		return x.emit(from, nil)
	}
	found, err := x.levels(from)
	if err != nil || !found {
		return err
	}
	return x.back(from, to, nil)
}

// levels searches until the level on which the end is.
func (x *search) levels(from *value.Node) (found bool, err error) {
	level := []*value.Node{from}
	for depth := 1; len(level) > 0 && (x.op.Max < 0 || depth <= x.op.Max); depth++ {
		var next []*value.Node
		for _, n := range level {
			for rel := range x.r.graph.Expand(n, x.op.Dir, x.op.Types) {
				if err := x.r.tick(); err != nil {
					return false, err
				}
				other := rel.Other(n)
				before, seen := x.depth[other.ID]
				if seen && before < depth || used(x.r, x.op.Unique, rel) || !x.each.meets(rel, x.want) {
					continue
				}
				x.came[other.ID] = append(x.came[other.ID], rel)
				if !seen {
					x.depth[other.ID] = depth
					next = append(next, other)
				}
			}
		}
		if _, found := x.depth[x.to.ID]; found {
			return depth >= x.op.Min, nil
		}
		level = next
	}
	return false, nil
}

// back walks from the end to the start, along every way or along one.
func (x *search) back(from, at *value.Node, rels value.List) error {
	if at.ID == from.ID {
		return x.emit(from, rels)
	}
	for _, rel := range x.came[at.ID] {
		if err := x.r.tick(); err != nil {
			return err
		}
		step := int64(len(rels)+1) * perRow // a list for each step: this bounds how deep it goes, too
		if err := x.r.hold(step); err != nil {
			return err
		}
		err := x.back(from, rel.Other(at), append(slices.Clone(rels), rel))
		x.r.let(step)
		if err != nil {
			return err
		}
		if !x.op.All {
			return nil
		}
	}
	return nil
}

func (x *search) emit(_ *value.Node, rels value.List) error {
	list := append(value.List{}, rels...)
	slices.Reverse(list)
	x.r.frame[x.op.Rel] = list
	if !x.op.Var && len(list) == 1 {
		x.r.frame[x.op.Rel] = list[0]
	}
	return x.next.push()
}
