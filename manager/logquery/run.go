package logquery

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"time"
)

// Limits bound one question. Zero values mean the defaults.
type Limits struct {
	Time   time.Duration
	Groups int // that are held
	Memory int // bytes that groups may take, about
}

// Default limits.
const (
	DefaultTime   = 20 * time.Second
	DefaultGroups = 100_000
	DefaultMemory = 128 << 20
)

// Chunks that are evaluated side by side: at most so many records, and so many at once.
const (
	chunkRecords = 512
	chunkBytes   = 2 << 20 // of bodies
	maxWorkers   = 4
)

// Answer is rows under named columns. More says that there were more than the limit.
type Answer struct {
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
	More    bool     `json:"more"`
	Stats
}

// Source is the records to look at, once through.
type Source struct {
	Records iter.Seq2[*Record, error]
	// Newest says that they come with the newest first; single records are answered so,
	// groups do not care.
	Newest bool
}

// Run answers a question. Errors of the source come as they are, those about limits are
// *Error.
func (q *Query) Run(ctx context.Context, src Source, lim Limits) (Answer, error) {
	if lim.Time == 0 {
		lim.Time = DefaultTime
	}
	if lim.Groups == 0 {
		lim.Groups = DefaultGroups
	}
	if lim.Memory == 0 {
		lim.Memory = DefaultMemory
	}
	limited, cancel := context.WithTimeout(ctx, lim.Time)
	defer cancel()
	answer, err := q.run(limited, src, lim)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = limitError(fmt.Sprintf("the answer takes more than %v", lim.Time), "ask for a shorter time with from and to")
	}
	if err != nil {
		return Answer{}, err
	}
	answer.Columns = q.titles()
	return answer, nil
}

func (q *Query) run(ctx context.Context, src Source, lim Limits) (Answer, error) {
	if !q.grouped() {
		return q.rows(ctx, src, lim)
	}
	all, err := q.gather(ctx, src.Records, lim)
	if err != nil {
		return Answer{}, err
	}
	if len(all.order) == 0 && len(q.groups) == 0 {
		all.group(nil) // of nothing the count is 0
	}
	return q.finish(all), nil
}

// finish makes rows of groups: sorted as was asked, and then by what they are grouped by.
func (q *Query) finish(all *part) Answer {
	rows := make([][]any, 0, len(all.order))
	for _, name := range all.order {
		g := all.groups[name]
		row := slices.Clone(g.key)
		for i, a := range q.aggregates {
			row = append(row, g.cells[i].answer(a))
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b []any) int {
		for _, o := range q.sort {
			if c := compare(a[o.index], b[o.index]); c != 0 && o.down {
				return -c
			} else if c != 0 {
				return c
			}
		}
		for i := range q.groups {
			if c := compare(a[i], b[i]); c != 0 {
				return c
			}
		}
		return 0
	})
	answer := Answer{Rows: rows, Stats: all.stats}
	if n := q.question.Limit; n > 0 && len(rows) > n {
		answer.Rows, answer.More = rows[:n], true
	}
	return answer
}

// gather evaluates chunks side by side and merges what they came to, in their order.
func (q *Query) gather(ctx context.Context, records iter.Seq2[*Record, error], lim Limits) (*part, error) {
	ctx, cancel := context.WithCancel(ctx)
	type result struct {
		part *part
		err  error
	}
	// As many results wait as chunks may be under way; each is read, or the context is
	// over and its worker ends by itself.
	pending := make(chan chan result, min(maxWorkers, runtime.GOMAXPROCS(0)))
	done := make(chan struct{})
	defer func() { cancel(); <-done }()
	go func() {
		defer close(done)
		defer close(pending)
		for chunk, err := range chunks(records) {
			future := make(chan result, 1)
			if err != nil {
				future <- result{nil, err}
			} else {
				go func() {
					p, err := q.evaluate(ctx, chunk)
					future <- result{p, err}
				}()
			}
			select {
			case pending <- future:
			case <-ctx.Done():
				<-future
				return
			}
		}
	}()
	all, held := newPart(q), 0
	var failed error
	for future := range pending {
		r := <-future
		switch {
		case failed != nil: // only wait for the others
		case r.err != nil:
			failed = r.err
		default:
			held += all.merge(r.part)
			failed = lim.check(len(all.order), held)
		}
		if failed != nil {
			cancel()
		}
	}
	if failed == nil {
		failed = ctx.Err()
	}
	return all, failed
}

func (l Limits) check(groups, held int) error {
	const hint = "group by something that has fewer values, or ask for fewer records"
	if groups > l.Groups {
		return limitError(fmt.Sprintf("there are more than %d groups", l.Groups), hint)
	}
	if held > l.Memory {
		return limitError(fmt.Sprintf("the groups take more than %d MB", l.Memory>>20), hint)
	}
	return nil
}

// evaluate works out one chunk.
func (q *Query) evaluate(ctx context.Context, chunk []*Record) (*part, error) {
	p := newPart(q)
	for _, r := range chunk {
		if err := p.take(ctx, r); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// chunks cuts a sequence. An error comes behind the chunk before it and ends it.
func chunks(records iter.Seq2[*Record, error]) iter.Seq2[[]*Record, error] {
	return func(yield func([]*Record, error) bool) {
		var chunk []*Record
		bytes := 0
		for r, err := range records {
			if err != nil {
				if len(chunk) == 0 || yield(chunk, nil) {
					yield(nil, err)
				}
				return
			}
			chunk = append(chunk, r)
			if r.document != nil {
				bytes += len(r.document.Body)
			}
			if len(chunk) == chunkRecords || bytes >= chunkBytes {
				if !yield(chunk, nil) {
					return
				}
				chunk, bytes = nil, 0
			}
		}
		if len(chunk) > 0 {
			yield(chunk, nil)
		}
	}
}

// rows answers with single records, the newest first and at most the limit.
func (q *Query) rows(ctx context.Context, src Source, lim Limits) (Answer, error) {
	a := Answer{Rows: [][]any{}}
	held := 0
	for r, err := range src.Records {
		if err != nil {
			return a, err
		}
		if err := ctx.Err(); err != nil {
			return a, err
		}
		ok, err := q.matches(ctx, r, &a.Stats)
		if err != nil {
			return a, err
		}
		if !ok {
			continue
		}
		if q.question.Limit > 0 && len(a.Rows) == q.question.Limit {
			if a.More = true; src.Newest {
				a.Matched-- // it is not among them
				break
			}
			held -= rowSize(a.Rows[0])
			a.Rows = a.Rows[1:]
		}
		row, err := q.row(ctx, r, &a.Stats)
		if err != nil {
			return a, err
		}
		if held += rowSize(row); held > lim.Memory {
			return a, limitError(fmt.Sprintf("the rows take more than %d MB", lim.Memory>>20), "ask for fewer, or for fewer columns")
		}
		a.Rows = append(a.Rows, row)
	}
	if !src.Newest {
		slices.Reverse(a.Rows)
	}
	return a, nil
}

func (q *Query) row(ctx context.Context, r *Record, s *Stats) ([]any, error) {
	row, failed := make([]any, len(q.columns)), ""
	for i, c := range q.columns {
		v, why, err := evaluate(ctx, c.program, r)
		if err != nil {
			return nil, err
		}
		if why != "" {
			failed = c.title + ": " + why
			continue
		}
		row[i] = native(v)
	}
	if failed != "" {
		s.fail(failed)
	}
	return row, nil
}

// rowSize is about what a row takes, in bytes.
func rowSize(row []any) int {
	n := 48
	for _, v := range row {
		n += valueBytes(v)
	}
	return n
}

func valueBytes(v any) int {
	switch v := v.(type) {
	case string:
		return 32 + len(v)
	case []any:
		return 24 + rowSize(v)
	case map[string]any:
		n := 48
		for key, e := range v {
			n += 48 + len(key) + valueBytes(e)
		}
		return n
	}
	return 16
}
