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
// Candidates are followed many at once, in one walk over what falls with any of them.
func (g *Graph) SinglePoints(of string) (list []model.SinglePoint, ok bool) {
	list = []model.SinglePoint{}
	g.read(func(v *view) {
		target := v.named(of)
		if ok = of == "" || target != nil; ok {
			list = v.singlePoints(target)
		}
	})
	return list, ok
}

// singlePoints are those of the whole or, with a target, those that it falls with.
func (v *view) singlePoints(target *node) []model.SinglePoint {
	f := v.falls()
	s := spof{falls: f, shortcuts: f.shortcuts(), target: -1}
	var above []bool
	if target != nil {
		if s.target = f.hit[target.index]; s.target < 0 {
			return []model.SinglePoint{} // nothing takes it along
		}
		above = f.above(s.target)
	}
	points := make([]point, 0, len(v.list))
	for _, n := range v.byID() {
		if n != target && canFail(n) && (above == nil || above[f.start[n.index]]) && f.strikes(n) {
			points = append(points, point{node: n, root: s.root[f.start[n.index]]})
		}
	}
	// Those that are near to each other take the same along.
	slices.SortFunc(points, func(a, b point) int { return cmp.Compare(a.root, b.root) })
	s.follow(points)
	points = slices.DeleteFunc(points, func(p point) bool { return p.hosts+p.services == 0 })
	slices.SortFunc(points, func(a, b point) int {
		return cmp.Or(cmp.Compare(b.hosts+b.services, a.hosts+a.services), compareNatural(a.node, b.node))
	})
	list := make([]model.SinglePoint, len(points))
	for i, p := range points {
		list[i] = model.SinglePoint{ID: p.id, Kind: p.kind.String(), Hosts: p.hosts, Services: p.services}
	}
	return list
}

// point is what can fail, with the place that takes along what it does, and what that is.
type point struct {
	*node
	root            int32
	hosts, services int
}

// spof counts what falls with points.
type spof struct {
	*falls
	*shortcuts
	target int32 // place that has to fall, or -1
}

// follow counts for points that are sorted by their roots, some of them on each processor.
func (s *spof) follow(points []point) {
	batches := make(chan []point, len(points)/atATime+2)
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
			f := s.flood()
			defer f.done()
			for some := range batches {
				s.count(f, some)
			}
		})
	}
	following.Wait()
}

// count tells of points what falls with each, besides what is on itself.
func (s *spof) count(f *flood, points []point) {
	roots := make([]int32, 0, atATime)
	for _, p := range points {
		if p.root >= 0 && (len(roots) == 0 || roots[len(roots)-1] != p.root) {
			roots = append(roots, p.root)
		}
	}
	f.fromPlaces(roots)
	var hosts, services columns
	for _, p := range f.touched {
		switch s.kind[p] {
		case nodeHost:
			hosts.add(&f.bits[p])
		case nodeService:
			services.add(&f.bits[p])
		}
	}
	bit := -1
	for i := range points {
		p := &points[i]
		if p.root >= 0 && (bit < 0 || roots[bit] != p.root) {
			bit++
		}
		fell := fallen{f, -1, s.others(s.start[p.index])}
		if p.root >= 0 {
			fell.bit, p.hosts, p.services = bit, hosts.of(bit), services.of(bit)
		}
		s.besides(p, fell)
	}
}

// fallen are the places that fall with a point.
type fallen struct {
	*flood
	bit    int // of its root, or -1
	others []int32
}

func (f fallen) withRoot(place int32) bool { return f.bit >= 0 && f.bits[place].has(f.bit) }

func (f fallen) has(place int32) bool { return f.withRoot(place) || slices.Contains(f.others, place) }

// besides adds to what falls with a point's root what else falls with it, and takes off what
// is on itself.
func (s *spof) besides(p *point, fell fallen) {
	if s.target >= 0 && !fell.has(s.target) {
		p.hosts, p.services = 0, 0
		return
	}
	for _, place := range fell.others {
		if !fell.withRoot(place) {
			p.hosts += b2i(s.kind[place] == nodeHost)
			p.services += b2i(s.kind[place] == nodeService)
		}
	}
	switch p.node.kind {
	case nodeHost:
		p.hosts--
		for _, e := range p.out() { // services that nobody is known to run are on none
			p.services -= b2i(e.kind == edgeRuns && !e.to.ended() && fell.has(s.hit[e.to.index]))
		}
	case nodeService:
		p.services--
	}
}

// strikes says whether anything but a place of itself falls with a node.
func (f *falls) strikes(n *node) bool {
	for _, to := range f.strike[f.off[f.start[n.index]]:f.off[f.start[n.index]+1]] {
		if to != f.hit[n.index] {
			return true
		}
	}
	return false
}

// above says of each place whether what begins there can come to a place. Where places lead
// in circles it takes more than one walk from the last to the first.
func (f *falls) above(target int32) []bool {
	can := make([]bool, len(f.node))
	can[target] = true
	for again := true; again; {
		again = false
		for p := len(f.node) - 1; p >= 0; p-- {
			for _, to := range f.strike[f.off[p]:f.off[p+1]] {
				if to < 0 {
					to = ^to
				}
				if can[to] && !can[p] {
					can[p] = true
					again = true
					break
				}
			}
		}
	}
	return can
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
