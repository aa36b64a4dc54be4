package capture

import (
	"cmp"
	"slices"
	"time"

	"cassini/bpf"
)

// The edge map is emptied down to evictTo of its limit when it is filled beyond
// evictFrom, by forgetting edges that have no open connection and were idle for
// evictIdle, the longest idle first.
const (
	evictFrom = 0.90
	evictTo   = 0.75
	evictIdle = time.Minute
)

// toEvict chooses the edges to forget. nowNs is CLOCK_MONOTONIC.
func (t *edges) toEvict(limit int, nowNs uint64) []bpf.EdgeKey {
	if float64(len(t.byKernel)) < evictFrom*float64(limit) {
		return nil
	}
	var idle []bpf.EdgeKey
	for key, e := range t.byKernel {
		if quiet(&e.read) && e.read.LastNs+uint64(evictIdle) < nowNs {
			idle = append(idle, key)
		}
	}
	slices.SortFunc(idle, func(a, b bpf.EdgeKey) int {
		return cmp.Compare(t.byKernel[a].read.LastNs, t.byKernel[b].read.LastNs)
	})
	surplus := len(t.byKernel) - int(evictTo*float64(limit))
	return idle[:min(len(idle), surplus)]
}

// quiet reports whether no connection is open or being opened: then no socket
// refers to the edge any more.
func quiet(e *bpf.Edge) bool {
	return open(e)+e.Waiting == 0 && e.Attempts <= e.Connections+failures(e)
}
