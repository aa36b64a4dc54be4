package capture

import (
	"cmp"
	"slices"
	"time"

	"cassini/bpf"
)

// The edge map, and UDP's share of it, is emptied down to evictTo of its limit when
// it is filled beyond evictFrom, by forgetting edges that have no open connection and
// were idle for evictIdle, the longest idle first. Where that does not help, as too
// many are in use, it is tried again after evictPause: each try reads the whole map.
const (
	evictFrom  = 0.90
	evictTo    = 0.75
	evictIdle  = time.Minute
	evictPause = time.Second
)

// surplus is how many of the used places are too many.
func surplus(used int, limit uint32) int {
	if float64(used) < evictFrom*float64(limit) {
		return 0
	}
	return used - int(evictTo*float64(limit))
}

// crowded reports whether it is time to evict.
func (t *edges) crowded(limits bpf.Limits) bool {
	return surplus(len(t.byKernel), limits.Edges) > 0 || surplus(t.udp, limits.UDPEdges()) > 0
}

// toEvict chooses the edges to forget. nowNs is CLOCK_MONOTONIC.
func (t *edges) toEvict(limits bpf.Limits, nowNs uint64) []bpf.EdgeKey {
	if !t.crowded(limits) {
		return nil
	}
	idle := t.idle(nowNs)
	ofUDP := surplus(t.udp, limits.UDPEdges())
	var chosen, others []bpf.EdgeKey
	for _, key := range idle {
		if key.Proto == bpf.ProtoUDP && len(chosen) < ofUDP {
			chosen = append(chosen, key)
		} else {
			others = append(others, key)
		}
	}
	// What UDP leaves makes room for all.
	more := max(surplus(len(t.byKernel), limits.Edges)-len(chosen), 0)
	return append(chosen, others[:min(len(others), more)]...)
}

// idle lists the edges that may go, the longest idle first.
func (t *edges) idle(nowNs uint64) []bpf.EdgeKey {
	var idle []bpf.EdgeKey
	for key, e := range t.byKernel {
		if quiet(&e.read) && e.read.LastNs+uint64(evictIdle) < nowNs {
			idle = append(idle, key)
		}
	}
	slices.SortFunc(idle, func(a, b bpf.EdgeKey) int {
		return cmp.Compare(t.byKernel[a].read.LastNs, t.byKernel[b].read.LastNs)
	})
	return idle
}

// quiet reports whether no connection is open or being opened: then no socket
// refers to the edge any more.
func quiet(e *bpf.Edge) bool {
	return open(e)+e.Waiting == 0 && e.Attempts <= e.Connections+failures(e)
}

// makeRoom evicts idle edges from the kernel's map when it is nearly full.
func (c *Capture) makeRoom(clock bpf.Clock) error {
	limits := c.cfg.Kernel.Limits()
	if !c.edges.crowded(limits) || clock.MonoNs < c.roomAfter {
		return nil
	}
	if err := c.readEdges(clock); err != nil {
		return err
	}
	err := c.cfg.Kernel.Evict(c.edges.toEvict(limits, clock.MonoNs), func(key bpf.EdgeKey, last *bpf.Edge) {
		e := c.edges.byKernel[key]
		if c.edges.update(e, last, clock) {
			c.emitDependency(e.of, clock)
		}
		if !quiet(last) {
			c.evicted++
		}
		c.edges.drop(key)
		c.evictions++
	})
	if c.edges.crowded(limits) {
		c.roomAfter = clock.MonoNs + uint64(evictPause)
	}
	return err
}
