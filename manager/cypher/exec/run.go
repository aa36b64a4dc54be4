// Package exec runs plans. An operator is a sink: it is handed one row after the
// other, in one frame of slots, and hands rows on; whoever must see all rows
// first (sorting, grouping) hands them on when there are no more. Nothing here
// starts a goroutine; the context and the limits end a query that takes too much.
package exec

import (
	"context"
	"errors"

	"cassini/manager/cypher/functions"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/source"
	"cassini/manager/cypher/value"
)

// Limits end a query that takes too much.
type Limits struct {
	Rows   int   // of the answer
	Memory int64 // bytes that the query holds at one time, about
}

// run is the state of one run.
type run struct {
	ctx    context.Context
	graph  source.Graph
	env    *functions.Env
	params map[string]value.Value
	limits Limits
	frame  []value.Value
	steps  int
	held   int64 // bytes of rows that are kept
}

// errStop says that no more rows are wanted. It ends whoever makes rows and is no
// failure.
var errStop = errors.New("no more rows are wanted")

// tick is called at every step that could be one of very many.
func (r *run) tick() error { return r.ticks(1) }

// ticks counts steps, and looks now and then whether the query may go on.
func (r *run) ticks(n int) error {
	if r.steps += n; r.steps < 128 {
		return nil
	}
	r.steps = 0
	if err := r.ctx.Err(); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			return issue.Raise(issue.Limit, "TimeLimit", "the query takes too long").WithHint("narrow it down with labels, properties or fewer steps")
		}
		return err
	}
	return nil
}

// hold counts memory that stays in use; let gives it back.
func (r *run) hold(bytes int64) error {
	r.held += bytes
	if r.held > r.limits.Memory {
		return tooLarge()
	}
	return nil
}

func (r *run) let(bytes int64) { r.held -= bytes }

func tooLarge() error {
	return issue.Raise(issue.Limit, "MemoryLimit", "the query needs more memory than it may use").WithHint("return fewer rows or columns, or aggregate")
}

// weigh refuses a value that is too large by itself.
func (r *run) weigh(v value.Value) (int64, error) {
	size, ok := value.Size(v, r.limits.Memory)
	if !ok {
		return size, tooLarge()
	}
	return size, nil
}

// holdRow counts the values that a row keeps.
func (r *run) holdRow(row []value.Value) (size int64, err error) {
	for _, v := range row {
		n, err := r.weigh(v)
		if err != nil {
			return 0, err
		}
		size += n
	}
	return size, r.hold(size)
}
