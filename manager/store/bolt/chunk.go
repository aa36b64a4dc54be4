package bolt

import (
	"context"

	"cassini/manager/store"

	bolt "go.etcd.io/bbolt"
)

// Read implements store.Store.
func (s *Store) Read(ctx context.Context, after, until store.Key, c *store.Chunk) error {
	c.Last, c.Bad, c.Entries = "", 0, c.Entries[:0]
	if err := ctx.Err(); err != nil {
		return err
	}
	err := s.view(func(_ *bolt.DB, tx *bolt.Tx) error {
		c.Room, c.Ends = c.Room[:0], c.Ends[:0]
		rangeStep(tx, []byte(after), until, func(k, v []byte) bool {
			c.Room = append(c.Room, k...)
			c.Ends = append(c.Ends, len(c.Room))
			c.Room = append(c.Room, v...)
			c.Ends = append(c.Ends, len(c.Room))
			return len(c.Ends) < 2*stepEntries && len(c.Room) < stepBytes
		})
		return nil
	})
	if n := len(c.Ends); err == nil && n > 0 {
		c.Last = store.Key(keyIn(c, n/2-1))
		decodeChunk(c)
	}
	return err
}

// keyIn is the key of a chunk's entry.
func keyIn(c *store.Chunk, i int) []byte {
	if i == 0 {
		return c.Room[:c.Ends[0]]
	}
	return c.Room[c.Ends[2*i-1]:c.Ends[2*i]]
}

// decodeChunk decodes what was read into a chunk.
func decodeChunk(c *store.Chunk) {
	n := len(c.Ends) / 2
	if cap(c.Entries) < n {
		c.Entries = make([]store.Entry, 0, n)
	}
	all := c.Entries[:n]
	inParts(n, func(from, end int) {
		for i := from; i < end; i++ {
			e := &all[i]
			if i > from { // mostly many of a host come after each other
				e.Document.Host, e.Document.Package = all[i-1].Document.Host, all[i-1].Document.Package
			}
			if decodeInto(keyIn(c, i), c.Room[c.Ends[2*i]:c.Ends[2*i+1]], e) != nil {
				e.Key = ""
			}
		}
	})
	for _, e := range all {
		if e.Key == "" {
			c.Bad++
			continue
		}
		c.Entries = append(c.Entries, e)
	}
}
