package translate

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"cassini/agent/translate/conntrack"
	"cassini/model"
)

// limit is how many translations are kept. Beyond it the longest idle are forgotten, a
// hundredth at once; what was told of them stays with the manager.
const limit = 8192

// where is a translation in a network namespace.
type where struct {
	conntrack.Flow
	netns string
}

// entry is what a document tells.
type entry struct {
	model.Translation
	told bool // as it stands
	sent bool // ever
}

// table keeps translations. It is not safe for concurrent use.
type table struct {
	entries   map[where]*entry
	flows     uint64
	forgotten uint64
}

func newTable() *table { return &table{entries: make(map[where]*entry)} }

// began counts a flow that begins now.
func (t *table) began(netns string, f conntrack.Flow, now time.Time) *entry {
	t.flows++
	e := t.find(netns, f, now)
	e.Flows++
	e.LastSeen = now.UTC()
	e.told = false
	return e
}

// found takes the flows that are there, by how many: at the start, and after some were
// lost. Those that were counted as they began are not counted again.
func (t *table) found(netns string, flows map[conntrack.Flow]uint64, now time.Time) {
	for f, n := range flows {
		e := t.find(netns, f, now)
		if e.Flows+e.Found < n {
			e.Found = n - e.Flows
			e.LastSeen = now.UTC()
			e.told = false
		}
	}
}

func (t *table) find(netns string, f conntrack.Flow, now time.Time) *entry {
	at := where{f, netns}
	if e := t.entries[at]; e != nil {
		return e
	}
	if len(t.entries) >= limit {
		t.forget()
	}
	e := &entry{Translation: model.Translation{
		Proto: f.Proto, Client: f.Client, Dialled: f.Dialled, Reached: f.Reached, SeenAs: f.SeenAs, NetnsName: netns,
		FirstSeen: now.UTC(), LastSeen: now.UTC(), CountingSince: now.UTC(),
	}}
	t.entries[at] = e
	return e
}

// forget makes room.
func (t *table) forget() {
	idle := make([]where, 0, len(t.entries))
	for at := range t.entries {
		idle = append(idle, at)
	}
	slices.SortFunc(idle, func(a, b where) int { return t.entries[a].LastSeen.Compare(t.entries[b].LastSeen) })
	for _, at := range idle[:max(limit/100, 1)] {
		delete(t.entries, at)
		t.forgotten++
	}
}

// moved are the translations of which something is to be told, the oldest first.
func (t *table) moved() []*entry {
	var list []*entry
	for _, e := range t.entries {
		if !e.told {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b *entry) int {
		return cmp.Or(a.FirstSeen.Compare(b.FirstSeen), strings.Compare(a.Key(), b.Key()))
	})
	return list
}
