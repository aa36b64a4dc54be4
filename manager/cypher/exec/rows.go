package exec

import (
	"cassini/manager/cypher/ast"
	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/value"
)

type project struct{ items []assign }

func (s *project) start(r *run, next sink) sink { return &projectSink{passing{r, next}, s} }

type projectSink struct {
	passing
	*project
}

func (s *projectSink) push() error {
	for _, item := range s.items {
		v, err := item.eval(s.r)
		if err != nil {
			return err
		}
		s.r.frame[item.slot] = v
	}
	return s.next.push()
}

type distinct struct{ slots []int }

func (s *distinct) start(r *run, next sink) sink {
	return &distinctSink{passing: passing{r, next}, distinct: s, seen: map[string]bool{}}
}

type distinctSink struct {
	passing
	*distinct
	seen map[string]bool
	key  []byte
	held int64
}

func (s *distinctSink) push() error {
	s.key = s.key[:0]
	for _, slot := range s.slots {
		s.key = value.AppendKey(s.key, s.r.frame[slot])
	}
	if s.seen[string(s.key)] {
		return nil
	}
	size := int64(len(s.key)) + perRow
	s.held += size
	if err := s.r.hold(size); err != nil {
		return err
	}
	s.seen[string(s.key)] = true
	return s.next.push()
}

func (s *distinctSink) close() error {
	s.r.let(s.held)
	s.seen = nil
	return s.next.close()
}

// perRow is what a row that is kept costs beside its values.
const perRow = 64

// count computes SKIP or LIMIT.
func count(r *run, f eval, at ast.Pos, word string) (int64, error) {
	v, err := f(r)
	if err != nil {
		return 0, err
	}
	n, ok := v.(int64)
	if !ok {
		return 0, placed(issue.Raise(issue.Syntax, "InvalidArgumentType", "%s wants an integer, not %s", word, value.Described(v)), at)
	}
	if n < 0 {
		return 0, placed(issue.Raise(issue.Syntax, "NegativeIntegerArgument", "%s cannot be negative", word), at)
	}
	return n, nil
}

type skip struct {
	count eval
	at    ast.Pos
}

func (s *skip) start(r *run, next sink) sink {
	return &skipSink{passing: passing{r, next}, skip: s, left: -1}
}

type skipSink struct {
	passing
	*skip
	left int64 // -1 before the first row
}

func (s *skipSink) push() (err error) {
	if s.left < 0 {
		if s.left, err = count(s.r, s.skip.count, s.at, "SKIP"); err != nil {
			return err
		}
	}
	if s.left > 0 {
		s.left--
		return nil
	}
	return s.next.push()
}

// close looks at a wrong number of rows even where there were none.
func (s *skipSink) close() error {
	if s.left < 0 {
		if _, err := count(s.r, s.skip.count, s.at, "SKIP"); err != nil {
			return err
		}
	}
	return s.next.close()
}

type limit struct {
	count eval
	at    ast.Pos
}

func (s *limit) start(r *run, next sink) sink {
	return &limitSink{passing: passing{r, next}, limit: s, left: -1}
}

type limitSink struct {
	passing
	*limit
	left int64 // -1 before the first row
}

func (s *limitSink) push() (err error) {
	if s.left < 0 {
		if s.left, err = count(s.r, s.limit.count, s.at, "LIMIT"); err != nil {
			return err
		}
	}
	if s.left == 0 {
		return errStop
	}
	s.left--
	if err := s.next.push(); err != nil {
		return err
	}
	if s.left == 0 {
		return errStop
	}
	return nil
}

// close looks at a wrong number of rows even where there were none.
func (s *limitSink) close() error {
	if s.left < 0 {
		if _, err := count(s.r, s.limit.count, s.at, "LIMIT"); err != nil {
			return err
		}
	}
	return s.next.close()
}
