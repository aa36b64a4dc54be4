package recent

import "testing"

func TestSet(t *testing.T) {
	s := Set[int]{Limit: 3}
	for key := range 5 {
		if s.Has(key) || !s.Add(key) || s.Add(key) || !s.Has(key) {
			t.Errorf("%d is not new once", key)
		}
	}
	for key, want := range []bool{false, false, true, true, true} {
		if got := s.Has(key); got != want {
			t.Errorf("%d is remembered: %v, want %v", key, got, want)
		}
	}
	if len(s.known) != s.Limit {
		t.Errorf("%d keys are kept", len(s.known))
	}
}
