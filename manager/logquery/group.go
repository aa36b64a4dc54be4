package logquery

import (
	"context"
	"encoding/json"
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// part is what some records came to: of a chunk of them, or of all so far.
type part struct {
	q      *Query
	groups map[string]*group
	order  []string // keys of groups as they came
	stats  Stats
}

// group is the records that have the same values in the columns to group by.
type group struct {
	key   []any
	cells []cell
}

// Stats are what a question looked at.
type Stats struct {
	Scanned uint64 `json:"scanned"` // records
	Matched uint64 `json:"matched"`
	// Failed is how many of them an expression could not be worked out for, mostly
	// because they lack a field; Failure is the first reason.
	Failed  uint64 `json:"failed"`
	Failure string `json:"failure,omitempty"`
}

func (s *Stats) fail(why string) {
	if s.Failed++; s.Failure == "" {
		s.Failure = undone(why)
	}
}

func (s *Stats) merge(o Stats) {
	s.Scanned += o.Scanned
	s.Matched += o.Matched
	s.Failed += o.Failed
	if s.Failure == "" {
		s.Failure = o.Failure
	}
}

func newPart(q *Query) *part { return &part{q: q, groups: make(map[string]*group)} }

// evaluate works out an expression; why says what hindered it. The error is the
// context's.
func evaluate(ctx context.Context, p cel.Program, r *Record) (v ref.Val, why string, err error) {
	v, _, evalErr := p.ContextEval(ctx, r)
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	if evalErr != nil {
		return nil, evalErr.Error(), nil
	}
	return v, "", nil
}

// matches says whether the filter takes a record.
func (q *Query) matches(ctx context.Context, r *Record, s *Stats) (bool, error) {
	s.Scanned++
	if q.where == nil {
		s.Matched++
		return true, nil
	}
	v, why, err := evaluate(ctx, q.where, r)
	switch {
	case err != nil:
		return false, err
	case why != "":
		s.fail("where: " + why)
	case v == types.True:
		s.Matched++
		return true, nil
	case v != types.False:
		s.fail(fmt.Sprintf("where: the answer is of type %s, not true or false", v.Type().TypeName()))
	}
	return false, nil
}

// take adds a record to its group.
func (p *part) take(ctx context.Context, r *Record) error {
	if ok, err := p.q.matches(ctx, r, &p.stats); !ok || err != nil {
		return err
	}
	failed := ""
	key := make([]any, len(p.q.groups))
	for i, c := range p.q.groups {
		v, why, err := evaluate(ctx, c.program, r)
		if err != nil {
			return err
		}
		if why != "" {
			failed = c.title + ": " + why
		}
		key[i] = native(v)
	}
	var weight ref.Val
	if p.q.weight != nil {
		v, why, err := evaluate(ctx, p.q.weight, r)
		if err != nil {
			return err
		}
		if why != "" {
			failed = "weight: " + why
			v = types.NullValue // no number: the record is in no average
		}
		weight = v
	}
	g := p.group(key)
	for i, a := range p.q.aggregates {
		why, err := g.cells[i].take(ctx, a, weight, r)
		if err != nil {
			return err
		}
		if why != "" {
			failed = a.title + ": " + why
		}
	}
	if failed != "" {
		p.stats.fail(failed)
	}
	return nil
}

// take works out the expression of an aggregate and adds it. Null is no value.
func (c *cell) take(ctx context.Context, a aggregate, weight ref.Val, r *Record) (why string, err error) {
	if a.program == nil {
		c.count++
		return "", nil
	}
	v, why, err := evaluate(ctx, a.program, r)
	if err != nil || why != "" || v == types.NullValue {
		return why, err
	}
	if !c.add(a, v, weight) {
		return fmt.Sprintf("of a value of type %s that cannot be made", v.Type().TypeName()), nil
	}
	return "", nil
}

// group finds or begins the group of a key.
func (p *part) group(key []any) *group {
	name := "[]"
	if len(key) > 0 {
		text, err := json.Marshal(key)
		if err != nil {
			text = fmt.Append(nil, key) // native makes nothing that JSON lacks
		}
		name = string(text)
	}
	g := p.groups[name]
	if g == nil {
		g = &group{key: key, cells: make([]cell, len(p.q.aggregates))}
		p.groups[name] = g
		p.order = append(p.order, name)
	}
	return g
}

// merge adds a later part, and returns how many bytes that added, about.
func (p *part) merge(o *part) (grown int) {
	p.stats.merge(o.stats)
	for _, name := range o.order {
		from, to := o.groups[name], p.groups[name]
		if to == nil {
			p.groups[name] = from
			p.order = append(p.order, name)
			grown += 2*len(name) + 200
			for i := range from.cells {
				grown += from.cells[i].size()
			}
			continue
		}
		for i, a := range p.q.aggregates {
			before := to.cells[i].size()
			if !to.cells[i].merge(a, &from.cells[i]) {
				p.stats.fail(a.title + ": values of types that cannot be compared")
			}
			grown += to.cells[i].size() - before
		}
	}
	return grown
}
