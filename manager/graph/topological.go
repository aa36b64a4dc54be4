package graph

import (
	"math"
	"slices"
)

// inOrder renames places so that what falls comes behind what takes it along, and parts behind what they
// are parts of.
func (l *layout) inOrder() {
	off, to := l.compact()
	nodes, gates := int32(len(l.victims)), len(l.member)
	l.victims, l.parts = append(l.victims, make([]victims, gates)...), append(l.parts, make([]uint8, gates)...)
	l.rulings = nil
	l.visits = again(l.before.visits, len(off)-1)
	order := topological(l.visits, l.parts, off, to) // the old places without parts
	name := make([]int32, len(off)-1)                // by old place
	next := int32(0)
	for _, old := range order {
		name[old] = next
		next += 1 + int32(l.parts[old])
	}
	l.rename(order, name, nodes, off)
	l.off[0] = 0
	for p := range name {
		l.off[p+1] += l.off[p]
	}
	l.strike = again(l.before.strike, len(to))
	inParts(len(order), rulesApart, func(from, end int) {
		for _, old := range order[from:end] {
			at := l.off[name[old]]
			for _, struck := range to[off[old]:off[old+1+int32(l.parts[name[old]])]] {
				place := name[struck]
				if struck >= nodes {
					place = ^place
				}
				l.strike[at] = place
				at++
			}
		}
	})
}

// rename gives places what is known by old ones, and how many strikes each has. Those from nodes on are
// of gates.
func (l *layout) rename(order, name []int32, nodes int32, off []int32) {
	fell, parts, gate := again(l.before.victims, len(name)), again(l.before.parts, len(name)), again(l.before.gate, len(name))
	l.off = again(l.before.off, len(off))
	inParts(len(order), rulesApart, func(from, end int) {
		for _, old := range order[from:end] {
			now := name[old]
			fell[now], parts[now] = l.victims[old], l.parts[old]
			for part := range int32(l.parts[old]) + 1 {
				name[old+part], gate[now+part] = now+part, max(-1, old-nodes)
				l.off[now+part+1] = off[old+part+1] - off[old+part]
			}
		}
	})
	l.victims, l.parts, l.gate = fell, parts, gate
	for _, list := range append(l.member, l.start, l.hit) {
		inParts(len(list), rulesApart, func(from, end int) {
			for i, old := range list[from:end] {
				if old >= 0 {
					list[from+i] = name[old]
				}
			}
		})
	}
}

// visit is what knotting knows of a place, in one piece of memory.
type visit struct {
	seen, low int32 // seen from 1; the greatest there is when it is done
	next, end int32 // of what it leads to: what was not looked at
}

// knotting looks for strongly connected components (Tarjan, "Depth-first search and linear graph
// algorithms", 1972), without recursion.
type knotting struct {
	to         []int32
	at         []visit // by place
	stack, way []int32
	count      int32
	order      []int32 // what is done, the last first
}

// topological lists places so that each comes before those that it leads to, unless they lead back. Parts
// stand behind their place; it leads where they lead, nothing leads to them, and they are not listed.
func topological(at []visit, parts []uint8, off, to []int32) (order []int32) {
	s := knotting{to: to, at: at, order: make([]int32, 0, len(off)-1)}
	for p := 0; p < len(s.at); p += 1 + int(parts[p]) {
		s.at[p].next, s.at[p].end = off[p], off[p+1+int(parts[p])]
	}
	for first := int32(0); first < int32(len(s.at)); first += 1 + int32(parts[first]) {
		if s.at[first].seen != 0 {
			continue
		}
		s.enter(first)
		for len(s.way) > 0 {
			if p := s.way[len(s.way)-1]; !s.deeper(&s.at[p]) {
				s.leave(p)
			}
		}
	}
	slices.Reverse(s.order)
	return s.order
}

// enter begins with a place that was not seen. One that leads nowhere is done at once.
func (s *knotting) enter(p int32) (leads bool) {
	v := &s.at[p]
	if v.next == v.end {
		v.seen = math.MaxInt32
		s.order = append(s.order, p)
		return false
	}
	s.count++
	v.seen, v.low = s.count, s.count
	s.stack, s.way = append(s.stack, p), append(s.way, p)
	return true
}

// deeper goes on to the next place that was not seen and leads on; false when there is none.
func (s *knotting) deeper(v *visit) bool {
	for v.next < v.end {
		q := s.to[v.next]
		v.next++
		if seen := s.at[q].seen; seen != 0 {
			v.low = min(v.low, seen)
		} else if s.enter(q) {
			return true
		}
	}
	return false
}

// leave goes back from the last place on the way. Where nothing behind it leads back farther, it is done
// with all of those.
func (s *knotting) leave(p int32) {
	v := &s.at[p]
	s.way = s.way[:len(s.way)-1]
	if len(s.way) > 0 {
		up := &s.at[s.way[len(s.way)-1]]
		up.low = min(up.low, v.low)
	}
	if v.low < v.seen {
		return
	}
	for top := int32(-1); top != p; {
		top = s.stack[len(s.stack)-1]
		s.stack = s.stack[:len(s.stack)-1]
		s.at[top].seen, s.at[top].low = math.MaxInt32, math.MaxInt32
		s.order = append(s.order, top)
	}
}
