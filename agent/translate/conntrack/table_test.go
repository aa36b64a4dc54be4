package conntrack

import "testing"

// Of so many different flows those of the first are counted, and what is left out is too.
func TestTableIsBounded(t *testing.T) {
	table := Table{Counts: make(map[Flow]uint64), IDs: make(map[uint32]struct{})}
	id := uint32(0)
	for range 3 {
		for _, proto := range []string{"a", "b", "c", "d", "e"} {
			id++
			table.add(Tracked{Flow{Proto: proto}, id}, 4)
		}
	}
	if len(table.Counts) != 4 || table.Counts[Flow{Proto: "a"}] != 3 || table.Counts[Flow{Proto: "d"}] != 3 || len(table.IDs) != 12 || table.Left != 3 {
		t.Errorf("%+v", table)
	}
}
