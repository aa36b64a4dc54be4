package graph

import "container/heap"

// boundDependencies forgets the longest idle, a hundredth of all at a time.
func (g *Graph) boundDependencies() {
	excess := g.countDependencies() - g.limits.Dependencies
	if excess <= 0 {
		return
	}
	excess += g.limits.Dependencies / 100
	idle := make(longestIdle, 0, excess+1)
	for d := range g.allDependencies() {
		switch {
		case len(idle) < excess:
			heap.Push(&idle, d)
		case longerIdle(d, idle[0]):
			idle[0] = d
			heap.Fix(&idle, 0)
		}
	}
	for _, d := range idle {
		g.spent.note(d.name())
		g.removeDependency(d)
	}
	g.forgotten += uint64(excess)
}

// longerIdle orders dependencies by when they were last seen; which of several seen at once
// is taken does not depend on the order of documents.
func longerIdle(a, b *dependency) bool {
	if a.lastSeen != b.lastSeen {
		return a.lastSeen < b.lastSeen
	}
	return a.compareNames(b) < 0
}

// longestIdle is a heap of those that are idle for longest, the least so first.
type longestIdle []*dependency

func (h longestIdle) Len() int           { return len(h) }
func (h longestIdle) Less(i, j int) bool { return longerIdle(h[j], h[i]) }
func (h longestIdle) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *longestIdle) Push(d any) { *h = append(*h, d.(*dependency)) }

// Pop implements heap.Interface.
func (h *longestIdle) Pop() any {
	last := len(*h) - 1
	d := (*h)[last]
	*h = (*h)[:last]
	return d
}
