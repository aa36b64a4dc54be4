package graph

import "fmt"

// How much is followed as a possible cause: nodes, and memory for what they explain.
const (
	maxCandidates = 100_000
	maxExplained  = 1 << 30 // bits
)

// upper is a node that symptoms hang on, and those symptoms, a bit each: it explains these
// at most. Where there are too many symptoms or nodes to say, all bits are set.
type upper struct {
	*node
	may lane
}

// upstream are the nodes whose failure could take a symptom along, the nearest first, but
// for programs whose services tell. A note tells where there are too many.
func (x *explaining) upstream() []upper {
	most := max(1, min(maxCandidates, maxExplained/len(x.symptoms)))
	return x.nearest(most)
}

func (x *explaining) nearest(most int) (list []upper) {
	s := ascend(x.symptoms, func(n *node) bool {
		if n.kind == nodeProcess && n.serves() {
			return true
		}
		if len(list) == most {
			x.note = fmt.Sprintf("only the %d nodes nearest to the symptoms were tried of what these hang on: a cause farther away is not found", most)
			return false
		}
		list = append(list, upper{node: n})
		return true
	})
	if x.note != "" || len(x.symptoms) > atATime {
		for i := range list {
			list[i].may = everything
		}
		return list
	}
	may := s.carry(x.symptoms)
	for i, u := range list {
		list[i].may = may[s.place[u.node]]
	}
	return list
}

// everything is a lane with all bits.
var everything = lane{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}

// ascent is a walk upwards, the nearest first.
type ascent struct {
	place map[*node]int32
	nodes []*node   // by place
	above [][]int32 // by place: the places of what it hangs on directly
}

// ascend begins at nodes, and goes on as long as take takes what it meets.
func ascend(from []*node, take func(*node) bool) *ascent {
	s := &ascent{place: make(map[*node]int32)}
	reach := func(n *node) int32 {
		at, known := s.place[n]
		if !known {
			at = int32(len(s.nodes))
			s.place[n], s.nodes = at, append(s.nodes, n)
		}
		return at
	}
	for _, n := range from {
		reach(n)
	}
	for len(s.above) < len(s.nodes) {
		n := s.nodes[len(s.above)]
		if !take(n) {
			break
		}
		var above []int32
		n.above(func(up *node) { above = append(above, reach(up)) })
		s.above = append(s.above, above)
	}
	return s
}

// carry gives each of some nodes a bit, and all nodes those of what hangs on them.
func (s *ascent) carry(from []*node) []lane {
	may, waits := make([]lane, len(s.nodes)), make([]bool, len(s.nodes))
	var queue []int32
	for bit, n := range from {
		at := s.place[n]
		may[at].set(bit)
		queue, waits[at] = append(queue, at), true
	}
	for next := 0; next < len(queue); next++ { // it grows meanwhile
		at := queue[next]
		waits[at] = false
		for _, up := range s.above[at] {
			if may[up].join(&may[at]) && !waits[up] {
				queue, waits[up] = append(queue, up), true
			}
		}
	}
	return may
}

// above tells what a node hangs on directly.
func (n *node) above(tell func(*node)) {
	from := func(kind edgeKind) {
		for _, e := range n.in() {
			if e.kind == kind {
				tell(e.from)
			}
		}
	}
	to := func(kind edgeKind) {
		for _, e := range n.out() {
			if e.kind == kind {
				tell(e.to)
			}
		}
	}
	switch n.kind {
	case nodeService:
		from(edgeRuns)
		to(edgeRunsAs)
	case nodeProcess:
		from(edgeHas)
	case nodeHost:
		to(edgeOwns)
	case nodeInterface:
		to(edgeWiredTo)
	case nodeSwitchPort:
		from(edgeHas)
	}
	to(edgeDependsOn) // a machine without an agent is a client too
}
