package capture

import (
	"slices"

	"cassini/bpf"
	"cassini/model"
)

// How many cgroups are looked at, whether they are still there: when a program begins
// another life, and when somebody asks. What is left has its turn the next time.
const (
	looksPerBirth    = 4
	looksPerQuestion = 2048
)

// programsLimit bounds the programs of which lives are remembered although none is left;
// those that rest longest are forgotten beyond it, and counted anew.
const programsLimit = 4096

// lives are those of programs. A life is a cgroup in which a program has connections: a run
// of a unit, a container, a job. It is not safe for concurrent use.
type lives struct {
	byFunction map[string]*program
	began      uint64 // the agent, CLOCK_BOOTTIME: who is older was found
	released   uint64 // kernel edges of lives that ended
	forgotten  uint64 // programs and dependencies, to make room
}

// program is what all lives of one program have in common.
type program struct {
	model.Program
	byCgroup map[uint64]*life
	turn     []*life // that may have ended, in the order in which to look
	ended    []*life // whose cgroup is gone, and whose edges are not yet let go
	sent     model.Lives
}

// life is one cgroup in which a program has or had connections, with its kernel edges.
type life struct {
	cgroup uint64
	edges  map[*edge]struct{}
}

func newLives() *lives { return &lives{byFunction: make(map[string]*program)} }

// joined takes an edge that was not known: perhaps the first of a life. It returns the
// program when that life is new, else nil.
func (l *lives) joined(e *edge, process model.Process, startNs uint64, clock bpf.Clock) (begun *program) {
	p := l.byFunction[process.Function()]
	if p == nil {
		p = &program{byCgroup: make(map[uint64]*life)}
		p.CountingSince, p.Since = clock.Wall.UTC(), clock.Wall.UTC()
		l.forget()
		l.byFunction[process.Function()] = p
	}
	one := p.byCgroup[e.cgroup]
	if one == nil {
		one = &life{cgroup: e.cgroup, edges: make(map[*edge]struct{})}
		p.byCgroup[e.cgroup] = one
		p.turn = append(p.turn, one)
		p.Process, p.Last = process, clock.Wall.UTC()
		if startNs != 0 && startNs < l.began {
			p.Found++
		} else {
			p.Births++
		}
		begun = p
	}
	one.edges[e] = struct{}{}
	return begun
}

// left takes an edge that the kernel has no more.
func (l *lives) left(e *edge) {
	if p := l.byFunction[e.of.common.process.Function()]; p != nil && p.byCgroup[e.cgroup] != nil {
		delete(p.byCgroup[e.cgroup].edges, e)
	}
}

// look looks at up to looks cgroups, those that were not looked at for longest first, and
// returns at how many. Lives whose cgroup is gone have ended.
func (p *program) look(looks int, gone func(cgroup uint64) bool) (looked int) {
	for looks = min(looks, len(p.turn)); looked < looks; looked++ {
		one := p.turn[looked]
		if !gone(one.cgroup) {
			p.turn = append(p.turn, one)
			continue
		}
		p.Deaths++
		p.ended = append(p.ended, one)
	}
	p.turn = append(p.turn[:0], p.turn[looked:]...)
	return looked
}

// herd says that there is more than one life to tell of.
func (p *program) herd() bool { return p.Count() > 1 }

// forget makes room for another program: of those without a life the tenth that rests
// longest goes.
func (l *lives) forget() {
	if len(l.byFunction) < programsLimit {
		return
	}
	var rest []*program
	for _, p := range l.byFunction {
		if len(p.byCgroup) == 0 {
			rest = append(rest, p)
		}
	}
	slices.SortFunc(rest, func(a, b *program) int { return a.Last.Compare(b.Last) })
	for _, p := range rest[:min(len(rest), programsLimit/10)] {
		delete(l.byFunction, p.Function())
		l.forgotten++
	}
}
