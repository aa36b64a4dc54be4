package graph

import (
	"cmp"
	"runtime"
	"slices"
	"sync"

	"cassini/model"
)

// SinglePoints are hosts, switches, ports of switches and services that each take
// others along when they alone die, those with the most victims first. With of, only those
// that this node falls with, as down or affected; ok is false when there is no such
// node.
//
// Candidates that take many along are followed many at once, in one walk over what falls with any of them.
func (g *Graph) SinglePoints(of string) (list []model.SinglePoint, ok bool) {
	list = []model.SinglePoint{}
	g.read(func(v *view) {
		target := v.named(of)
		if ok = of == "" || target != nil; ok {
			list = v.singlePoints(target, aloneReach)
		}
	})
	return list, ok
}

// singlePoints are those of the whole or, with a target, those that it falls with. Roots that reach
// less than so far are followed one after the other, the others many at once.
func (v *view) singlePoints(target *node, apart uint8) []model.SinglePoint {
	f := v.falls()
	s := spof{falls: f, shortcuts: f.shortcuts(), target: -1, apart: apart}
	among := v.list
	if target != nil {
		if s.target = f.hit[target.index]; s.target < 0 {
			return []model.SinglePoint{} // nothing takes it along
		}
		among = ascend([]*node{target}).nodes
	}
	points, rooted := s.points(among, target)
	s.follow(rooted)
	points = slices.DeleteFunc(append(points, rooted...), point.alone)
	slices.SortFunc(points, func(a, b point) int {
		if c := cmp.Compare(b.hosts+b.services, a.hosts+a.services); c != 0 {
			return c
		}
		if a.natural != 0 && b.natural != 0 {
			return cmp.Compare(a.natural, b.natural)
		}
		return compareNatural(a.node, b.node)
	})
	list := make([]model.SinglePoint, len(points))
	for i, p := range points {
		list[i] = model.SinglePoint{ID: p.id, Kind: p.kind.String(), Hosts: int(p.hosts), Services: int(p.services)}
	}
	return list
}

// point is what can fail, with the place that takes along what it does, and what that is.
type point struct {
	*node
	root            int32
	natural         uint32 // its rank
	hosts, services int32
}

// alone says that nothing falls with it.
func (p point) alone() bool { return p.hosts+p.services == 0 }

// spof counts what falls with points.
type spof struct {
	*falls
	*shortcuts
	target int32 // place that has to fall, or -1
	apart  uint8 // roots that reach less are followed one after the other; see shortcuts
}

// points are those among nodes, of which some may be nil, that have no root, of which all is
// known at once, and the rest, in the order in which they are followed: those of which the most
// may fall come together, since who takes everything along makes a walk over everything of that
// of all who are followed beside it. Of those, such that are near to each other take the same
// along.
func (s *spof) points(among []*node, target *node) (lone, rooted []point) {
	var lock sync.Mutex
	var all, followed pieces[point]
	inParts(len(among), pointsApart, func(from, end int) {
		var mine, ours pieces[point]
		for _, n := range among[from:end] {
			if n == nil || n == target || !canFail(n) || !s.strikes(n) {
				continue
			}
			p := point{node: n, root: s.ways[s.start[n.index]].root, natural: n.ranks.natural}
			if p.root >= 0 {
				ours.add(p)
			} else if s.besides(&p, func(int32) bool { return false }); !p.alone() {
				mine.add(p)
			}
		}
		lock.Lock()
		defer lock.Unlock()
		all, followed = append(all, mine...), append(followed, ours...)
	})
	lone, rooted = slices.Concat(all...), slices.Concat(followed...)
	slices.SortFunc(rooted, func(a, b point) int {
		return cmp.Or(cmp.Compare(s.reach[b.root], s.reach[a.root]), cmp.Compare(a.root, b.root))
	})
	return lone, rooted
}

// pointsApart is how many nodes are worth a processor of their own.
const pointsApart = 10_000

// aloneReach is the reach, in powers of two, from which roots are followed many at once: of those the
// walks of several are over the same places.
const aloneReach = 16

// follow counts for points that are sorted by their roots, some of them on each processor.
func (s *spof) follow(points []point) {
	batches := make(chan []point, len(points)/atATime+1)
	for len(points) > 0 {
		end, roots := 0, 0
		for end < len(points) && roots < atATime {
			roots += b2i(end+1 == len(points) || points[end].root != points[end+1].root)
			end++
		}
		batches <- points[:end]
		points = points[end:]
	}
	close(batches)
	var following sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(batches)) {
		following.Go(func() {
			a := s.falls.alone()
			for some := range batches {
				if s.reach[some[0].root] < s.apart {
					s.countAlone(a, some)
				} else {
					s.count(some)
				}
			}
		})
	}
	following.Wait()
}

// count tells of points what falls with each, besides what is on itself.
func (s *spof) count(points []point) {
	f := s.flood()
	defer f.done()
	roots := make([]int32, 0, atATime)
	for _, p := range points {
		if len(roots) == 0 || roots[len(roots)-1] != p.root {
			roots = append(roots, p.root)
		}
	}
	f.fromPlaces(roots)
	var hosts, services columns
	for _, p := range f.touched {
		fell := s.victims[p]
		hosts.add(&f.bits[p], fell.hosts())
		services.add(&f.bits[p], fell.services())
	}
	bit := 0
	for i := range points {
		p := &points[i]
		bit += b2i(roots[bit] != p.root)
		p.hosts, p.services = int32(hosts.of(bit)), int32(services.of(bit))
		s.besides(p, func(place int32) bool { return f.bits[place].has(bit) })
	}
}

// countAlone does so one root after the other.
func (s *spof) countAlone(a *alone, points []point) {
	hosts, services := 0, 0
	for i := range points {
		p := &points[i]
		if i == 0 || points[i-1].root != p.root {
			hosts, services = 0, 0
			a.from(p.root)
			for _, place := range a.touched {
				hosts += s.victims[place].hosts()
				services += s.victims[place].services()
			}
		}
		p.hosts, p.services = int32(hosts), int32(services)
		s.besides(p, func(place int32) bool { return a.fell.has(int(place)) })
	}
}

// besides adds to what falls with a point's root what else falls with it, and takes off what
// is on itself.
func (s *spof) besides(p *point, withRoot func(place int32) bool) {
	at, hit := s.start[p.index], s.hit[p.index]
	others := s.others(at)
	fell := func(place int32) bool { return place == at || withRoot(place) || slices.Contains(others, place) }
	if s.target >= 0 && !fell(s.target) {
		p.hosts, p.services = 0, 0
		return
	}
	add := func(place int32) {
		if !withRoot(place) {
			p.hosts += int32(s.victims[place].hosts())
			p.services += int32(s.victims[place].services())
		}
	}
	add(at)
	for _, place := range others {
		add(place)
	}
	switch p.node.kind {
	case nodeHost:
		p.hosts--
		for _, to := range s.struck(at) { // services that nobody is known to run are on none
			if to >= 0 {
				p.services -= int32(s.victims[to].services())
			}
		}
	case nodeService:
		p.services -= int32(b2i(fell(hit)))
	}
}

// strikes says whether anything but a place of itself falls with a node.
func (f *falls) strikes(n *node) bool {
	for _, to := range f.struck(f.start[n.index]) {
		if to != f.hit[n.index] || n.kind == nodeService {
			return true
		}
	}
	return false
}

// canFail says whether a node is a thing that dies: of services those that are there.
func canFail(n *node) bool {
	switch n.kind {
	case nodeHost, nodeSwitch, nodeSwitchPort:
		return true
	case nodeService:
		if n.service() == nil {
			return n.answered()
		}
		return n.listens()
	}
	return false
}

// answered says whether anybody ever got through to a service.
func (n *node) answered() bool {
	return slices.ContainsFunc(n.in(), func(e *edge) bool {
		return e.kind == edgeDependsOn && sumOf(e.told()).Connections > 0
	})
}
