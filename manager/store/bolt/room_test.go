package bolt

import (
	"bytes"
	"fmt"
	"testing"
)

// TestRoom gives away memory that nobody else has until it is cleared, and keeps little of it.
func TestRoom(t *testing.T) {
	var r room
	for round := range 3 {
		var all [][]byte
		for i := range 3000 {
			n := []int{0, 1, 1000, 300, roomChunk / 4, roomChunk}[i%6]
			b := r.take(n)
			if len(b) != 0 || cap(b) < n {
				t.Fatalf("%d bytes of %d", cap(b), n)
			}
			text := fmt.Appendf(nil, "%d", i)
			for len(text) < n {
				text = append(text, byte(i))
			}
			all = append(all, append(b, text...)) // may be more than asked for
		}
		for i, b := range all {
			if want := fmt.Appendf(nil, "%d", i); !bytes.HasPrefix(b, want) {
				t.Fatalf("round %d: piece %d was written over: %.10q", round, i, b)
			}
			for _, c := range b[len(fmt.Sprint(i)):] {
				if c != byte(i) {
					t.Fatalf("round %d: piece %d was written over", round, i)
				}
			}
		}
		if r.clear(); len(r.chunks) > roomKept || r.used != 0 {
			t.Fatalf("%d chunks are kept", len(r.chunks))
		}
	}
	for i := range 2 * roomTurns {
		if r.take(1); i < roomTurns/2 && len(r.chunks) != roomKept {
			t.Fatalf("%d chunks are kept after %d transactions of one byte", len(r.chunks), i)
		}
		r.clear()
	}
	if len(r.chunks) != 1 {
		t.Errorf("%d chunks are kept for one byte", len(r.chunks))
	}
}
