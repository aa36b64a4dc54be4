package exec

import (
	"context"
	"errors"

	"cassini/manager/cypher/functions"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/plan"
	"cassini/manager/cypher/source"
	"cassini/manager/cypher/value"
)

// Job is what Execute needs.
type Job struct {
	Planner *plan.Planner // that made the plan
	Plan    plan.Plan
	Graph   source.Graph
	Params  map[string]value.Value
	Env     *functions.Env
	Limits  Limits
}

// Execute runs a plan and answers its rows. Errors are *issue.Error, or the
// context's.
func Execute(ctx context.Context, job Job) (rows [][]value.Value, err error) {
	c := &compiler{planner: job.Planner, graph: job.Graph}
	r := &run{ctx: ctx, graph: job.Graph, env: job.Env, params: job.Params, limits: job.Limits}
	out := &result{r: r}
	if len(job.Plan.Parts) > 1 && !job.Plan.All {
		out.seen = map[string]bool{}
	}
	for _, part := range job.Plan.Parts {
		chain, err := c.chain(part.Ops)
		if err != nil {
			return nil, err
		}
		r.frame = make([]value.Value, job.Planner.Slots())
		out.columns = part.Columns
		if err := drive(chain.start(r, out)); err != nil {
			return nil, err
		}
	}
	return out.rows, nil
}

// drive runs a chain once.
func drive(s sink) error {
	if err := s.push(); err != nil && !errors.Is(err, errStop) {
		return err
	}
	if err := s.close(); err != nil && !errors.Is(err, errStop) {
		return err
	}
	return nil
}

// result is the last sink: it keeps the rows.
type result struct {
	r       *run
	columns []int
	rows    [][]value.Value
	seen    map[string]bool // rows of a UNION
}

func (s *result) push() error {
	row := make([]value.Value, len(s.columns))
	for i, slot := range s.columns {
		row[i] = s.r.frame[slot]
	}
	if s.seen != nil {
		key := string(rowKey(nil, row))
		if s.seen[key] {
			return nil
		}
		s.seen[key] = true
		if err := s.r.hold(int64(len(key))); err != nil {
			return err
		}
	}
	if len(s.rows) >= s.r.limits.Rows {
		return issue.Raise(issue.Limit, "RowLimit", "the answer has more than %d rows", s.r.limits.Rows).WithHint("add LIMIT, or aggregate")
	}
	if _, err := s.r.holdRow(row); err != nil {
		return err
	}
	s.rows = append(s.rows, row)
	return nil
}

func (s *result) close() error { return nil }

func rowKey(key []byte, row []value.Value) []byte {
	for _, v := range row {
		key = value.AppendKey(key, v)
	}
	return key
}

// sink takes rows, which stand in the run's frame.
type sink interface {
	// push takes the row in the frame. errStop asks for no more.
	push() error
	// close says that there are no more rows; it is called once, behind an
	// errStop too, and not behind a failure.
	close() error
}

// stage is an operator that can be started: it makes the sink that hands rows to
// next.
type stage interface {
	start(r *run, next sink) sink
}

// chain is operators in a row.
type chain []stage

func (c chain) start(r *run, next sink) sink {
	for i := len(c) - 1; i >= 0; i-- {
		next = c[i].start(r, next)
	}
	return next
}

// passing is a sink that has nothing left to do at the end.
type passing struct {
	r    *run
	next sink
}

func (p passing) close() error { return p.next.close() }
