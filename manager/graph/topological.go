package graph

import (
	"math"
	"slices"
)

// inOrder renames places so that what falls comes behind what takes it along.
func (l *layout) inOrder() {
	off, to := l.pairs.compact(len(l.gate))
	l.pairs = nil
	order := l.withParts(topological(off, to), off, to) // by new place the old one
	name := make([]int32, len(order))
	fell, gate := make([]victims, len(order)), make([]int32, len(order))
	for now, old := range order {
		name[old] = int32(now)
		fell[now], gate[now] = l.victims[old], l.gate[old]
	}
	l.victims, l.gate = fell, gate
	for _, list := range append(l.member, l.start, l.hit) {
		for i, old := range list {
			if old >= 0 {
				list[i] = name[old]
			}
		}
	}
	l.off = make([]int32, len(off))
	for now, old := range order {
		l.off[now+1] = l.off[now] + off[old+1] - off[old] - int32(l.parts[now])
	}
	l.strike = make([]int32, l.off[len(order)])
	inParts(len(order), rulesApart, func(from, end int) {
		at := l.off[from]
		for _, old := range order[from:end] {
			for _, struck := range to[off[old]:off[old+1]] {
				if l.part[struck] {
					continue
				}
				place := name[struck]
				if gate[place] >= 0 {
					place = ^place
				}
				l.strike[at] = place
				at++
			}
		}
	})
	l.part = nil
}

// withParts puts the parts of each place behind it, and tells how many they are. Nothing else
// leads to these.
func (l *layout) withParts(order, off, to []int32) []int32 {
	l.parts = make([]uint8, len(order))
	list := make([]int32, 0, len(order))
	for _, old := range order {
		if l.part[old] {
			continue
		}
		at := len(list)
		list = append(list, old)
		for _, p := range to[off[old]:off[old+1]] {
			if l.part[p] {
				list = append(list, p)
				l.parts[at]++
			}
		}
	}
	return list
}

// topological lists places so that each comes before those that it leads to, unless they
// lead back: by strongly connected components (Tarjan, "Depth-first search and linear graph
// algorithms", 1972), without recursion.
func topological(off, to []int32) (order []int32) {
	places := len(off) - 1
	seen, low := make([]int32, places), make([]int32, places) // seen from 1; places when done
	next := slices.Clone(off[:places])
	order = make([]int32, 0, places)
	var stack, way []int32
	count := int32(0)
	enter := func(p int32) {
		count++
		seen[p], low[p] = count, count
		stack, way = append(stack, p), append(way, p)
	}
	for first := range int32(places) {
		if seen[first] != 0 {
			continue
		}
		enter(first)
		for len(way) > 0 {
			p := way[len(way)-1]
			if next[p] < off[p+1] {
				q := to[next[p]]
				next[p]++
				if seen[q] == 0 {
					enter(q)
				} else {
					low[p] = min(low[p], seen[q]) // of what is done that is the greatest there is
				}
				continue
			}
			way = way[:len(way)-1]
			if len(way) > 0 {
				up := way[len(way)-1]
				low[up] = min(low[up], low[p])
			}
			if low[p] < seen[p] {
				continue
			}
			for top := int32(-1); top != p; {
				top = stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				seen[top], low[top] = math.MaxInt32, math.MaxInt32
				order = append(order, top)
			}
		}
	}
	slices.Reverse(order)
	return order
}
