package manager

import (
	"cassini/manager/graph"
	"cassini/manager/rings"
)

// Limits are how large an estate may grow. Zero values mean the defaults.
type Limits struct {
	Hosts        int // on rings; who comes beyond is refused
	Dependencies int // documents in the graph; the longest idle are forgotten beyond it
}

// DefaultLimits are those of the parts that have them.
func DefaultLimits() Limits {
	return Limits{Hosts: rings.DefaultLimit, Dependencies: graph.DefaultDependencies}
}

// newGraph makes an empty graph within the limits.
func newGraph(cfg Config) *graph.Graph {
	return graph.New(graph.Limits{Learn: cfg.Learn, Dependencies: cfg.Limits.Dependencies})
}
