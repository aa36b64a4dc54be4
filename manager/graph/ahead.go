package graph

import (
	"runtime"
	"slices"
)

// readTogether is how many nodes are read ahead at a time.
const readTogether = 32

// withEdges calls f with nodes, of which some may be nil, by their places in the list. Edges of those for which
// it wants them are read ahead, with where they lead, one thing of each at a time: it lies all over memory,
// and what does not hang on each other is fetched at once.
func withEdges(list []*node, wants func(*node) bool, f func(i int, n *node)) {
	read, at := 0, 0
	var wanted []*node
	for nodes := range slices.Chunk(list, readTogether) {
		wanted = wanted[:0]
		for _, n := range nodes {
			if n != nil && wants(n) {
				wanted = append(wanted, n)
			}
		}
		for _, n := range wanted {
			read += readEdges(n.out(), func(e *edge) int { return int(e.kind) })
		}
		for _, n := range wanted {
			read += readEdges(n.out(), func(e *edge) int { return int(e.to.index) })
		}
		for i, n := range nodes {
			if n != nil {
				f(at+i, n)
			}
		}
		at += len(nodes)
	}
	runtime.KeepAlive(read)
}

// readEdges reads something of edges, but for those of a crowd.
func readEdges(edges []*edge, what func(*edge) int) (read int) {
	for _, e := range edges[:min(len(edges), mostEdgesAhead)] {
		read += what(e)
	}
	return read
}

// mostEdgesAhead is how many edges of a node are read ahead at most.
const mostEdgesAhead = 64
