package manager

import (
	"sync"

	"cassini/manager/store"
)

// maxTail bounds the bodies of what has been committed and does not stand in the graph yet,
// in bytes. Beyond it the graph reads them from the log. Deliveries wait for the graph, so that
// it takes many large ones at once.
const maxTail = 64 << 20

// tail is the end of the log that the graph does not have yet, as the store has committed
// it: so that it need not be read again. It may lack entries, and says so.
type tail struct {
	mu      sync.Mutex
	before  store.Key // of the entry before the first one
	entries []store.Entry
	newest  store.Key // of all that were ever added; "" before there was one
	size    int
	lost    uint64 // entries that found no room
}

// add is the store's Committed.
func (t *tail) add(before store.Key, entries []store.Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.entries) == 0 {
		t.before = before
	}
	t.newest = entries[len(entries)-1].Key
	for _, e := range entries {
		t.size += len(e.Document.Body)
	}
	if len(t.entries) == 0 {
		t.entries = entries // the store keeps none
	} else {
		t.entries = append(t.entries, entries...)
	}
	if t.size > maxTail {
		t.lost += uint64(len(t.entries))
		t.entries, t.size = nil, 0
	}
}

// missed is how many entries found no room.
func (t *tail) missed() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lost
}

// take is all that was committed behind a key, which is not kept any longer; ok is false
// when the log has to be asked.
func (t *tail) take(after store.Key) (entries []store.Entry, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	entries = t.entries
	t.entries, t.size = nil, 0
	if len(entries) == 0 {
		return nil, t.newest != "" && after >= t.newest
	}
	if after < t.before {
		return nil, false
	}
	for len(entries) > 0 && entries[0].Key <= after {
		entries = entries[1:]
	}
	return entries, true
}
