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
	return surplus(t.byKernel.len(), limits.Edges) > 0 || surplus(t.udp, limits.UDPEdges()) > 0
}

// toEvict chooses the edges to forget. nowNs is CLOCK_MONOTONIC.
func (t *edges) toEvict(limits bpf.Limits, nowNs uint64) []bpf.EdgeKey {
	if !t.crowded(limits) {
		return nil
	}
	idle := t.idle(nowNs)
	ofUDP := surplus(t.udp, limits.UDPEdges())
	var chosen, others []bpf.EdgeKey
	for _, e := range idle {
		if e.of.proto == bpf.ProtoUDP && len(chosen) < ofUDP {
			chosen = append(chosen, e.key())
		} else {
			others = append(others, e.key())
		}
	}
	// What UDP leaves makes room for all.
	more := max(surplus(t.byKernel.len(), limits.Edges)-len(chosen), 0)
	return append(chosen, others[:min(len(others), more)]...)
}

// idle lists the edges that may go, the longest idle first.
func (t *edges) idle(nowNs uint64) []*edge {
	var idle []*edge
	for e := range t.byKernel.all() {
		if read := e.read.counted(); quiet(&read) && read.LastNs+uint64(evictIdle) < nowNs {
			idle = append(idle, e)
		}
	}
	slices.SortFunc(idle, func(a, b *edge) int { return cmp.Compare(a.read.lastNs, b.read.lastNs) })
	return idle
}

// quiet reports whether no connection is open or being opened: then no socket
// refers to the edge any more.
func quiet(e *counted) bool {
	return open(e)+e.Waiting == 0 && e.Attempts <= e.Connections+failures(e)
}

// makeRoom evicts idle edges from the kernel's map when it is nearly full.
func (c *Capture) makeRoom(clock bpf.Clock) error {
	limits := c.cfg.Kernel.Limits()
	if !c.edges.crowded(limits) || clock.MonoNs < c.roomAfter {
		return nil
	}
	if err := c.livesEnd(clock); err != nil {
		return err
	}
	if err := c.readEdges(clock); err != nil {
		return err
	}
	err := c.cfg.Kernel.Evict(c.edges.toEvict(limits, clock.MonoNs), func(key bpf.EdgeKey, last *bpf.Edge, health *bpf.Health) {
		e := c.edges.byKernel.get(key)
		_, moved := c.edges.unsent[e.of]
		moved = c.edges.update(e, last, clock) || moved
		if c.edges.takeHealth(e, health) || moved {
			c.emitDependency(e.of, clock)
		}
		if read := e.read.counted(); !quiet(&read) {
			c.evicted++
		}
		c.lives.left(e)
		c.edges.drop(key)
		c.evictions++
	})
	if c.edges.crowded(limits) {
		c.roomAfter = clock.MonoNs + uint64(evictPause)
	}
	return err
}
