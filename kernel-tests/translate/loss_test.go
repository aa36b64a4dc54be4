package translate

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"cassini/agent/netns"
	"cassini/agent/translate/conntrack"
)

// What begins behind a loss is heard once what waited has been thrown away: until then the kernel
// keeps nothing, and does not say so.
func TestHeardAfterALoss(t *testing.T) {
	e := build(t, fmt.Sprintf(balance, ""))
	spaces, err := netns.List()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(spaces, func(n netns.Namespace) bool { return n.Name == e.router })
	s, err := conntrack.Open(spaces[at].Do)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for err == nil {
		dial(t, e.client, "10.81.0.1:80", 1000) // more than find room, in a few rounds
		_, _, err = s.Read()
	}
	if !errors.Is(err, conntrack.ErrOverrun) {
		t.Fatal(err)
	}
	s.Drain()
	if !s.Empty() {
		t.Error("something waits still")
	}
	dial(t, e.client, "10.81.0.1:80", 1)
	if flows, _, err := s.Read(); err != nil || len(flows) != 1 {
		t.Errorf("%d flows, %v", len(flows), err)
	}
}
