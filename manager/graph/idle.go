package graph

import "sync"

// idleMost is how many of a kind are kept for the next question.
const idleMost = 4

// idle keeps what questions need for each node, so that a question about a few of many
// nodes does not begin with making room for all. It outlives views.
type idle struct {
	falls   spare[falling]
	walks   spare[walk]
	scribes spare[scribe]
	pages   spare[page]
}

// spare are things that nobody uses now. It is safe for concurrent use.
type spare[T any] struct {
	mu   sync.Mutex
	list []*T
}

func (s *spare[T]) take() *T {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) == 0 {
		return new(T)
	}
	last := len(s.list) - 1
	x := s.list[last]
	s.list = s.list[:last]
	return x
}

func (s *spare[T]) put(x *T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) < idleMost {
		s.list = append(s.list, x)
	}
}
