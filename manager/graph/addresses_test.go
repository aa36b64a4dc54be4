package graph

import (
	"fmt"
	"net/netip"
	"testing"
)

// TestIsOf asks whose an address is that few hosts have, and then many.
func TestIsOf(t *testing.T) {
	w := newWorld(t)
	addr := netip.MustParseAddr("172.17.0.1")
	for i := range 2 * fewOwners {
		w.listen(fmt.Sprint("h", i), "/usr/bin/dockerd", addr.String(), 53)
		for j := range 2*fewOwners + 1 {
			if got := w.isOf(w.addresses.of(addr), fmt.Sprint("h", j)); got != (j <= i) {
				t.Errorf("%d hosts have it: that h%d does is %v", i+1, j, got)
			}
		}
	}
}
