package graph

import (
	"cmp"
	"slices"
)

// ruling collects the rules of some nodes, as one of several processors does.
type ruling struct {
	*layout
	pairs   pairsOfPlaces // of places of nodes; those of the ruling's own gates are struck by inverted numbers
	gates   [][]int32     // members of each
	targets []int32       // of each gate, or -1
	far     []int32       // kept for its room

	firstGate int32 // its place
}

// ruling is one without rules. All nodes have their places.
func (l *layout) ruling() *ruling {
	return &ruling{layout: l, pairs: make(pairsOfPlaces, groupsOf(len(l.victims)))}
}

// starts is the place of a node when it dies, hits when it is hit; -1 where it has none.
func (l *layout) starts(n *node) int32 { return placeOf(l.start, l.number(n)) }
func (l *layout) hits(n *node) int32   { return placeOf(l.hit, l.number(n)) }

func placeOf(places []int32, number int32) int32 {
	if number < 0 {
		return -1
	}
	return places[number]
}

// pair lets one place strike another, where both are known.
func (r *ruling) pair(from, to int32) {
	if from >= 0 && to >= 0 {
		r.pairs.add(strikes{from, to})
	}
}

// together lets a place fall when all members have; one alone needs no gate.
func (r *ruling) together(target int32, members ...int32) {
	if len(members) == 1 {
		r.pair(members[0], target)
		return
	}
	for _, m := range members {
		r.pairs.add(strikes{m, ^int32(len(r.gates))})
	}
	r.gates, r.targets = append(r.gates, slices.Clone(members)), append(r.targets, target)
}

// rules are those by which a node falls with others, and what falls with it whatever else
// stands. See falling.spread.
func (r *ruling) rules(n *node) {
	start, hit := r.starts(n), r.hits(n)
	if hit < 0 {
		return // nothing takes it along
	}
	switch n.kind {
	case nodeSwitch:
		r.all(start, n.to(edgeHas))
	case nodeInterface:
		r.wires(n)
	case nodeHost:
		r.pair(start, hit)
		r.all(start, n.to(edgeRuns))
		r.all(start, n.to(edgeHas))
		r.uplinks(n)
	case nodeProcess:
		r.services(start, n)
	}
	r.needs(n)
}

func (r *ruling) all(from int32, edges []*edge) {
	for _, e := range edges {
		if !r.merged(e.to) {
			r.pair(from, r.hits(e.to))
		}
	}
}

// services are hit with their program, but for those that are a part of it.
func (r *ruling) services(start int32, program *node) {
	if int32(r.parts[start]) == program.told {
		return
	}
	for _, e := range program.inOf(nodeService) {
		if e.kind == edgeRunsAs && !r.merged(e.from) {
			r.pair(start, r.hits(e.from))
		}
	}
}

// wires cuts an interface off with all that it is wired to, of which one is a switch's port.
func (r *ruling) wires(i *node) {
	wires, port := r.far[:0], false
	for _, e := range i.to(edgeWiredTo) {
		wires = append(wires, r.starts(e.to))
		port = port || e.to.kind == nodeSwitchPort
	}
	if port {
		r.together(r.hits(i), wires...)
	}
	r.far = wires
}

// uplinks cuts a host off with the last of them.
func (r *ruling) uplinks(host *node) {
	links, wired := r.far[:0], host.wired()
	for _, e := range host.to(edgeOwns) {
		if e.uplinks(wired) {
			links = append(links, r.starts(e.to))
		}
	}
	if len(links) > 0 {
		r.together(r.starts(host), links...)
	}
	r.far = links
	if wired {
		return
	}
	for _, e := range host.to(edgeOwns) { // each other card is one as soon as it is lost
		if !e.to.carries() {
			r.together(r.starts(host), append(links, r.starts(e.to))...)
		}
	}
}

// needs hits a client with the last service of each kind that it depends on.
func (r *ruling) needs(client *node) {
	var several []*node // that others might stand in for
	for _, e := range client.to(edgeDependsOn) {
		if e.to.replica == 0 || r.merged(e.to) {
			r.pair(r.starts(e.to), r.hits(client))
		} else {
			several = append(several, e.to)
		}
	}
	slices.SortStableFunc(several, func(a, b *node) int { return cmp.Compare(a.replica, b.replica) })
	for len(several) > 0 {
		end := 1
		for end < len(several) && several[end].replica == several[0].replica {
			end++
		}
		r.standIns(client, several[:end])
		several = several[end:]
	}
}

// standIns hits a client with all services that stand in for each other. One that ended
// stands in for nobody: what listens has to fall beside it.
func (r *ruling) standIns(client *node, services []*node) {
	listening := r.far[:0]
	for _, s := range services {
		if s.listens() {
			listening = append(listening, r.starts(s))
		}
	}
	if len(listening) > 0 {
		r.together(r.hits(client), listening...)
	}
	for _, s := range services {
		if !s.listens() {
			r.together(r.hits(client), append(listening, r.starts(s))...)
		}
	}
	r.far = listening
}
