// Package recent remembers what was met of late, up to a limit.
package recent

// Set holds keys; the oldest goes when there is no room. It is not safe for concurrent use.
type Set[K comparable] struct {
	Limit int // keys; at least 1

	known map[K]bool
	order []K
}

// Add says whether a key is new, and remembers it.
func (s *Set[K]) Add(key K) bool {
	if s.known[key] {
		return false
	}
	if s.known == nil {
		s.known = make(map[K]bool)
	}
	if len(s.order) >= s.Limit {
		delete(s.known, s.order[0])
		s.order = s.order[1:]
	}
	s.known[key] = true
	s.order = append(s.order, key)
	return true
}

// Has says whether a key is remembered.
func (s *Set[K]) Has(key K) bool { return s.known[key] }
