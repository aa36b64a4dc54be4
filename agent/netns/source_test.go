package netns

import (
	"testing"
	"time"
)

// A namespace that has ended is not looked for at each of the sockets that it leaves.
func TestEndedNamespaceIsNotLookedForAtOnce(t *testing.T) {
	const nobodys = 1
	var s Sources
	look := func() (looked bool) {
		t.Helper()
		s.known = nil // a look makes it anew
		if _, ok := s.find(nobodys); ok {
			t.Fatal("found what is not there")
		}
		return s.known != nil
	}
	if !look() {
		t.Error("not looked for")
	}
	s.gone[nobodys] = time.Now().Add(time.Hour) // however slow this machine is
	if look() {
		t.Error("looked for again at once")
	}
	s.gone[nobodys] = time.Now().Add(-goneFor)
	if !look() || len(s.gone) != 1 {
		t.Errorf("not looked for later: %v", s.gone)
	}
}
