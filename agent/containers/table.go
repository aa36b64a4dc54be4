package containers

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"cassini/model"
)

// Max is how many containers are remembered. Beyond it some are forgotten that have ended,
// or else the one whose last process came first.
const Max = 4096

// Retries of a question that failed: so often by themselves, each after eight times as
// long; then only when another process of the container is seen, at most once in maxWait.
const (
	retries   = 3
	firstWait = time.Second
	maxWait   = 5 * time.Minute
)

// table is what is known of containers. It is not safe for concurrent use.
type table struct {
	limit   int
	entries map[string]*entry
	queue   []*entry // to be asked about, the first to come first
	turn    uint64
	// alive says whether a cgroup is still there.
	alive func(cgroup string) bool
}

// entry is one container.
type entry struct {
	home   model.Home
	cgroup string // "" when only the manager remembers it
	used   uint64 // the turn in which a process of it was last seen
	queued bool
	gone   bool // forgotten

	found    *model.Container
	told     *model.Container // by an earlier run of the agent, to the manager
	failures int
	again    time.Time // not before
}

func newTable(limit int, alive func(string) bool) *table {
	return &table{limit: limit, entries: make(map[string]*entry), alive: alive}
}

// see takes a process of a container. forgotten are those that had to make room.
func (t *table) see(home model.Home, cgroup string, now time.Time) (forgotten []*entry) {
	e := t.entries[home.ContainerID]
	if e == nil {
		forgotten = t.makeRoom()
		e = &entry{home: home, cgroup: cgroup}
		t.entries[home.ContainerID] = e
	}
	if e.cgroup == "" { // the manager knows less of where it lives; nobody is asking yet
		e.home = home
	}
	t.turn++
	e.used, e.cgroup = t.turn, cgroup
	if e.found == nil && !now.Before(e.again) {
		t.put(e)
	}
	return forgotten
}

func (t *table) put(e *entry) {
	if !e.queued {
		e.queued = true
		t.queue = append(t.queue, e)
	}
}

// next is the container to ask about, nil when there is none; wait is then how long until
// a retry, 0 for ever.
func (t *table) next(now time.Time) (e *entry, wait time.Duration) {
	for len(t.queue) > 0 {
		e, t.queue = t.queue[0], t.queue[1:]
		e.queued = false
		if !e.gone && e.found == nil {
			return e, 0
		}
	}
	for _, e := range t.entries {
		if e.found != nil || e.failures == 0 || e.failures > retries {
			continue
		}
		left := e.again.Sub(now)
		if left <= 0 {
			return e, 0
		}
		if wait == 0 || left < wait {
			wait = left
		}
	}
	return nil, wait
}

// answered takes what was found of a container, or that nothing was.
func (t *table) answered(e *entry, c *model.Container, now time.Time) {
	if e.gone {
		return
	}
	e.found = c
	if c != nil {
		e.failures = 0
		return
	}
	wait := firstWait
	for range min(e.failures, 4) {
		wait *= 8
	}
	e.failures++
	e.again = now.Add(min(wait, maxWait))
}

// makeRoom forgets containers when the table is full. Of those whose last process came
// first it looks at some: those that have ended go, else the first.
func (t *table) makeRoom() (forgotten []*entry) {
	if len(t.entries) < t.limit {
		return nil
	}
	oldest := slices.SortedFunc(maps.Values(t.entries), func(a, b *entry) int {
		return cmp.Or(cmp.Compare(a.used, b.used), strings.Compare(a.home.ContainerID, b.home.ContainerID))
	})
	for _, e := range oldest[:(t.limit+3)/4] {
		if e.cgroup == "" || !t.alive(e.cgroup) {
			forgotten = append(forgotten, e)
		}
	}
	if forgotten == nil {
		forgotten = oldest[:1]
	}
	for _, e := range forgotten {
		e.gone = true
		delete(t.entries, e.home.ContainerID)
	}
	return forgotten
}
