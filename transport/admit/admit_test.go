package admit

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"cassini/model/wire"
)

func tagged(n int) []byte {
	b := make([]byte, wire.HeaderSize)
	binary.LittleEndian.PutUint64(b[wire.HeaderSize-8:], uint64(n))
	return b
}

func TestPass(t *testing.T) {
	for _, size := range []struct{ rate, room int }{{1024, 1024}, {65536, 1 << 14}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			g, now := New(size.rate, size.room), time.Unix(1000, 0)
			passed := func(n int, tag func(i int) int) (passed int) {
				for i := range n {
					if g.Pass(tagged(tag(i)), now) {
						passed++
					}
				}
				return passed
			}
			same := func(int) int { return 1 }
			each := func(i int) int { return i + 10 }
			if got := passed(5000, same); got != 1+Again {
				t.Errorf("one datagram passed %d times", got)
			}
			if got := passed(2*size.rate, each); got != size.rate-1 {
				t.Errorf("%d new ones passed", got)
			}
			if len(g.seen) != size.room || len(g.order) != size.room {
				t.Errorf("%d and %d are remembered", len(g.seen), len(g.order))
			}
			now = now.Add(time.Second)
			latest := func(int) int { return each(size.rate - 2) }
			if got := passed(1000, latest); got != Again {
				t.Errorf("after a second %d of the same passed", got)
			}
			if got := passed(2*size.rate, func(i int) int { return i + 1e6 }); got != size.rate {
				t.Errorf("after a second %d new ones passed", got)
			}
		})
	}
}
