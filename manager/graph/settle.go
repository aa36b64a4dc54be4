package graph

// changes are what the view has to follow. While there is no view there are none.
type changes struct {
	links    []*link
	services map[string]struct{}
	hosts    []string
	rings    map[string]struct{}
}

// mostDue is how many changes wait for somebody who asks. Making them takes a part of a second, for
// which who asks first waits, and whoever tells something meanwhile.
const mostDue = 1 << 16

func (c *changes) count() int { return len(c.links) + len(c.services) + len(c.hosts) + len(c.rings) }

// waiting is how much waits: changes, and what may hang on nothing any more since others were made at once.
func (g *Graph) waiting() int {
	if g.built == nil {
		return 0
	}
	return g.due.count() + len(g.built.suspects)
}

// follow lets the view follow the facts where somebody has asked since it last did, and will
// probably ask again, or where more has changed than one who asks should wait for. Otherwise
// changes wait: of what hosts bring that come one after the other most is joined several times, as
// the other ends of their connections come, and so once for all. The caller holds the lock.
func (g *Graph) follow() {
	if g.question.Swap(false) || g.waiting() > g.dueMost {
		g.settle()
	}
}

// touch marks a link whose documents, or whatever decides how they join, change. It has to
// come before they do.
func (g *Graph) touch(l *link) {
	g.topology++
	if g.built == nil || l.touched() {
		return
	}
	l.toJoin()
	g.built.partLink(l)
	g.due.links = append(g.due.links, l)
}

// touchAddress marks what an address joins, when a place comes to own it or no longer does.
func (g *Graph) touchAddress(a *address) {
	g.topology++
	if g.built == nil {
		return
	}
	for _, l := range a.clients {
		g.touch(l)
	}
	for _, t := range a.targets {
		for _, l := range t.links {
			g.touch(l)
		}
	}
}

// touchService marks a service that has changed and, where others see a difference, what
// can reach it.
func (g *Graph) touchService(s *service, reach bool) {
	g.topology++
	if g.built == nil {
		return
	}
	if g.due.services == nil {
		g.due.services = make(map[string]struct{})
	}
	g.due.services[s.id] = struct{}{}
	if !reach {
		return
	}
	for _, o := range s.owned {
		for _, t := range o.targets[o.from(s.port):] {
			if t.port != s.port {
				break
			}
			g.touchTarget(t, s.proto)
		}
	}
	for _, t := range s.loopback {
		if t.port == s.port {
			g.touchTarget(t, s.proto)
		}
	}
	for _, l := range s.odd {
		if l.target.port == s.port && l.target.proto == s.proto {
			g.touch(l)
		}
	}
}

func (g *Graph) touchTarget(t *target, proto string) {
	if t.proto != proto {
		return
	}
	for _, l := range t.links {
		g.touch(l)
	}
}

func (g *Graph) touchHost(name string) {
	g.topology++
	if g.built != nil {
		g.due.hosts = append(g.due.hosts, name)
	}
}

func (g *Graph) touchRing(key string) {
	g.topology++
	if g.built == nil {
		return
	}
	if g.due.rings == nil {
		g.due.rings = make(map[string]struct{})
	}
	g.due.rings[key] = struct{}{}
}

// rewire makes the next question join everything anew.
func (g *Graph) rewire() {
	g.topology++
	g.built = nil
	g.due = changes{}
}

// settle makes the view follow the facts, in time that depends on what has changed. The
// caller holds the lock, and nobody reads.
func (g *Graph) settle() {
	v := g.built
	if v == nil || v.topology == g.topology {
		return
	}
	c := g.due
	g.due = changes{}
	for _, name := range c.hosts {
		n := v.host(name)
		if v.unsum(n); g.hosts[name] == nil {
			v.suspects = append(v.suspects, n)
		}
	}
	// Links have been parted before anything else changed. Which documents tell of a service
	// depends on whether a listener's does: so services come before links.
	for id := range c.services {
		if n := v.named(id); n != nil && n.fact != nil {
			v.dropService(n)
		}
		if s := g.services.named(id); s != nil {
			v.addService(s)
		}
	}
	for _, l := range c.links {
		l.joins()
		v.joinLink(l)
	}
	for key := range c.rings {
		v.dropRing(key)
		v.addRing(key)
	}
	v.sweep()
	if v.unranked > unrankedMost+v.size()/unrankedPart {
		v.rank()
	}
	if v.topology = g.topology; v.lost {
		g.rewire()
	}
}
