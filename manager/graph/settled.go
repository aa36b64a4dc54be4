package graph

import "slices"

// victims is what falls at a place: so many services, or a host.
type victims uint8

const aHost victims = 255

func (v victims) hosts() int { return b2i(v == aHost) }

func (v victims) services() int {
	if v == aHost {
		return 0
	}
	return int(v)
}

// mostMerged is how many services a program runs at most of which some are hit at its place.
const mostMerged = 100

// mergesWith is the program of a service that is hit by nothing that does not hit the program, and
// whose clients are hit whatever else stands; nil where that is not so.
func (n *node) mergesWith() *node {
	p := n.soleProgram()
	if p == nil || p.told > mostMerged || n.hasClients() && !n.g.replicas.alone(n.replica) && !n.irreplaceable() {
		return nil
	}
	return p
}

// hasClients says whether anybody is a client of a service.
func (n *node) hasClients() bool {
	return slices.ContainsFunc(n.in(), func(e *edge) bool { return e.kind == edgeDependsOn })
}

// mostAsked is how many clients a service has at most that are looked at for others that stand in.
const mostAsked = 64

// irreplaceable says that none of the clients of a service, which are few, is one of another that
// could stand in for it.
func (n *node) irreplaceable() bool {
	if len(n.in()) > mostAsked {
		return false
	}
	return !slices.ContainsFunc(n.in(), func(e *edge) bool {
		return e.kind == edgeDependsOn && slices.ContainsFunc(e.from.out(), func(other *edge) bool {
			return other.kind == edgeDependsOn && other.to != n && other.to.replica == n.replica
		})
	})
}

// lies tells how places of a node lie.
type lies uint8

const (
	nowhere  lies = iota
	asHost        // where it is down, and where it is cut off or a client
	asVictim      // a service that has not ended
	asOther
	mergedVictim
	mergedOther
)

// merged says that a service is hit at the place of its program.
func (l lies) merged() bool { return l >= mergedVictim }

// look tells of a node by itself. Of a service that merges, hit is the number of its program.
func (l *layout) look(n *node, i int) lies {
	switch n.kind {
	case nodeHost:
		return asHost
	case nodeEndpoint, nodeIP, nodeMAC, nodeSubnet, nodeVLAN, nodeRing: // nothing falls with them
		return nowhere
	case nodeService:
	default:
		return asOther
	}
	p := (*node)(nil)
	if l.merges {
		p = n.mergesWith()
	}
	switch {
	case p == nil && n.ended():
		return asOther
	case p == nil:
		return asVictim
	}
	l.hit[i] = l.number(p)
	if n.ended() {
		return mergedOther
	}
	return mergedVictim
}

// settle gives nodes their places. What is told of each by itself is found out on all processors.
func (l *layout) settle(list []*node, apart int) {
	how := make([]lies, len(list))
	inParts(len(list), apart, func(from, end int) {
		isService := func(n *node) bool { return n.kind == nodeService }
		withEdges(list[from:end], isService, func(i int, n *node) { how[from+i] = l.look(n, from+i) })
	})
	behind := make([]uint8, len(list)) // each so many services that are hit at its place
	for i, lies := range how {
		if lies.merged() {
			behind[l.hit[i]]++
		}
	}
	places := int32(0)
	for i, lies := range how {
		switch lies {
		case nowhere:
			l.start[i], l.hit[i] = -1, -1
		case asHost:
			l.start[i], l.hit[i] = places, places+1
			places += 2
		case asVictim, asOther:
			l.start[i], l.hit[i] = places, places
			places += 1 + int32(behind[i])
		}
	}
	l.victims, l.parts = make([]victims, places), make([]uint8, places)
	for i, lies := range how {
		l.fill(i, lies)
	}
}

// fill tells what falls at the place of a node and, where it merges, gives it the next place behind
// that of its program.
func (l *layout) fill(i int, lies lies) {
	switch lies {
	case asHost:
		l.victims[l.hit[i]] = aHost
	case asVictim:
		l.victims[l.hit[i]] = 1
	case mergedVictim, mergedOther:
		program := l.hit[l.hit[i]]
		l.parts[program]++
		l.start[i], l.hit[i] = program+int32(l.parts[program]), program
		l.victims[program] += victims(b2i(lies == mergedVictim))
	}
}

// merged says whether a service is hit at the place of its program.
func (l *layout) merged(n *node) bool {
	if !l.merges || n.kind != nodeService {
		return false
	}
	i := l.number(n)
	return i >= 0 && l.hit[i] != l.start[i]
}
