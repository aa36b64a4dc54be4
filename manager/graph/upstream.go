package graph

import (
	"cmp"
	"fmt"
	"slices"
)

// How much is followed as a possible cause: nodes, and memory for what they explain.
const (
	maxCandidates = 100_000
	maxExplained  = 1 << 30 // bits
)

// upper is a node that symptoms hang on, and those symptoms, a bit each: it explains these
// at most. Where there are too many symptoms to say, all bits are set.
type upper struct {
	*node
	number int32 // in the ascent
	may    lane
}

// upstream are the nodes whose failure could take a symptom along, the nearest first, but
// for programs whose services tell. A note tells where there are too many.
func (x *explaining) upstream() []upper {
	most := max(1, min(maxCandidates, maxExplained/len(x.symptoms)))
	return x.nearest(most)
}

func (x *explaining) nearest(most int) (list []upper) {
	x.ascent = ascend(x.symptoms)
	may := x.ascent.carry(x.symptoms)
	for number, n := range x.ascent.nodes {
		if n.serves() {
			continue
		}
		if len(list) == most {
			x.note = fmt.Sprintf("only the %d nodes nearest to the symptoms were tried of what these hang on: a cause farther away is not found", most)
			return list
		}
		list = append(list, upper{n, int32(number), everything})
		if may != nil {
			list[len(list)-1].may = may[number]
		}
	}
	return list
}

// everything is a lane with all bits.
var everything = lane{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}

// ascent is all that some nodes hang on, the nearest first. The rules of falling among these
// nodes tell all of what falls of them.
type ascent struct {
	number map[*node]int32
	nodes  []*node // by number
	off    []int32 // by number: where the numbers begin of what it hangs on directly
	up     []int32 // these numbers
}

func ascend(from []*node) *ascent {
	s := &ascent{number: make(map[*node]int32)}
	for _, n := range from {
		s.reach(n)
	}
	for len(s.off) < len(s.nodes) { // they grow meanwhile
		n := s.nodes[len(s.off)]
		s.off = append(s.off, int32(len(s.up)))
		n.above(func(up *node) { s.up = append(s.up, s.reach(up)) })
	}
	s.off = append(s.off, int32(len(s.up)))
	return s
}

func (s *ascent) reach(n *node) int32 {
	at, known := s.number[n]
	if !known {
		at = int32(len(s.nodes))
		s.number[n], s.nodes = at, append(s.nodes, n)
	}
	return at
}

// falls are the rules among its nodes.
func (s *ascent) falls() *falls {
	return fallsOf(s.nodes, rulesApart, false, room{}, func(n *node) int32 {
		if at, known := s.number[n]; known {
			return at
		}
		return -1
	})
}

// carry gives each of some nodes a bit, and all nodes those of what hangs on them. It is nil
// where there are too many.
func (s *ascent) carry(from []*node) []lane {
	if len(from) > atATime {
		return nil
	}
	may, waits := make([]lane, len(s.nodes)), make([]bool, len(s.nodes))
	var queue []int32
	for bit, n := range from {
		at := s.number[n]
		may[at].set(bit)
		queue, waits[at] = append(queue, at), true
	}
	for next := 0; next < len(queue); next++ { // it grows meanwhile
		at := queue[next]
		waits[at] = false
		for _, up := range s.up[s.off[at]:s.off[at+1]] {
			if may[up].join(&may[at]) && !waits[up] {
				queue, waits[up] = append(queue, up), true
			}
		}
	}
	return may
}

// above tells what a node hangs on directly.
func (n *node) above(tell func(*node)) {
	from := func(kind edgeKind, of nodeKind) {
		for _, e := range n.inOf(of) {
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
		from(edgeRuns, nodeHost)
		to(edgeRunsAs)
	case nodeProcess:
		from(edgeHas, nodeHost)
	case nodeHost:
		to(edgeOwns)
	case nodeInterface:
		to(edgeWiredTo)
	case nodeSwitchPort:
		from(edgeHas, nodeSwitch)
	}
	to(edgeDependsOn) // a machine without an agent is a client too
}

// inOf are the edges to a node from those of a kind. They are found without looking at the
// others, of which a popular service has very many: the identifiers of a kind begin alike.
func (n *node) inOf(kind nodeKind) []*edge {
	in, before := n.in(), func(e *edge, order uint8) int { return cmp.Compare(kindOrder[e.from.kind], order) }
	begin, _ := slices.BinarySearchFunc(in, kindOrder[kind], before)
	end, _ := slices.BinarySearchFunc(in, kindOrder[kind]+1, before)
	return in[begin:end]
}
