package graph

import (
	"slices"

	"cassini/model"
)

// Cycles are services that depend on each other in circles, the shortest first. When one
// of them has stopped, none of the others can be started before it.
func (g *Graph) Cycles() []model.Cycle {
	list := []model.Cycle{}
	g.read(func(v *view) {
		k := knots{v: v, index: make(map[*node]int), low: make(map[*node]int), on: make(map[*node]bool)}
		for n := range v.byID() {
			if n.kind == nodeService && k.index[n] == 0 {
				k.visit(n)
			}
		}
		for _, knot := range k.found {
			list = append(list, v.cycle(knot))
		}
	})
	slices.SortFunc(list, func(a, b model.Cycle) int {
		if d := len(a.Services) - len(b.Services); d != 0 {
			return d
		}
		return natural(a.Services[0], b.Services[0])
	})
	return list
}

// needs are the services that the program of a service is a client of, but for itself.
func (v *view) needs(service *node) (list []*node) {
	for _, p := range service.far(service.out(), edgeRunsAs) {
		for _, s := range p.far(p.out(), edgeDependsOn) {
			if s != service && !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
	}
	return list
}

// knots are strongly connected components (Tarjan, "Depth-first search and linear graph
// algorithms", 1972), walked without recursion: chains of services can be long.
type knots struct {
	v     *view
	index map[*node]int // from 1, in the order of visits
	low   map[*node]int
	on    map[*node]bool // the stack
	stack []*node
	found [][]*node
}

// step is a node on the way, with what it needs and has not been looked at.
type step struct {
	n    *node
	left []*node
}

func (k *knots) enter(n *node) step {
	k.index[n] = len(k.index) + 1
	k.low[n] = k.index[n]
	k.stack, k.on[n] = append(k.stack, n), true
	return step{n, k.v.needs(n)}
}

func (k *knots) visit(start *node) {
	way := []step{k.enter(start)}
	for len(way) > 0 {
		at := &way[len(way)-1]
		if len(at.left) == 0 {
			way = way[:len(way)-1]
			k.leave(at.n)
			if len(way) > 0 {
				up := way[len(way)-1].n
				k.low[up] = min(k.low[up], k.low[at.n])
			}
			continue
		}
		next := at.left[0]
		at.left = at.left[1:]
		switch {
		case k.index[next] == 0:
			way = append(way, k.enter(next))
		case k.on[next]:
			k.low[at.n] = min(k.low[at.n], k.index[next])
		}
	}
}

// leave takes a whole knot off the stack with its first node.
func (k *knots) leave(n *node) {
	if k.low[n] != k.index[n] {
		return
	}
	i := slices.Index(k.stack, n)
	knot := slices.Clone(k.stack[i:])
	k.stack = k.stack[:i]
	for _, m := range knot {
		k.on[m] = false
	}
	if len(knot) > 1 {
		k.found = append(k.found, knot)
	}
}

// cycle is a shortest circle through the first node of a knot.
func (v *view) cycle(knot []*node) (c model.Cycle) {
	slices.SortFunc(knot, func(a, b *node) int { return natural(a.id, b.id) })
	start := knot[0]
	from := map[*node]*node{}
	queue := []*node{start}
	var last *node
	for len(queue) > 0 && last == nil {
		n := queue[0]
		queue = queue[1:]
		for _, next := range v.needs(n) {
			switch {
			case next == start:
				last = n
			case from[next] == nil && slices.Contains(knot, next):
				from[next] = n
				queue = append(queue, next)
			}
			if last != nil {
				break
			}
		}
	}
	for n := last; n != start; n = from[n] {
		c.Services = append(c.Services, n.id)
	}
	c.Services = append(c.Services, start.id)
	slices.Reverse(c.Services)
	for _, n := range knot {
		if !slices.Contains(c.Services, n.id) {
			c.Others = append(c.Others, n.id)
		}
	}
	return c
}
