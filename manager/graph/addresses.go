package graph

import (
	"cmp"
	"net/netip"
	"slices"
	"sort"
	"strings"
)

// place is one network namespace of one host: where an address means something. There is
// one for all that is in it.
type place struct {
	host, netns string     // netns is "" for the host's own
	services    []*service // that listen or listened here, by port
	owned       []owned    // addresses that are this place's own
	loopback    []*target  // on addresses that mean nothing elsewhere
	odd         []*link    // that end here at other addresses: nobody can own them, or lives had them; and those of one interface
	refs        int32
}

// address is an IP address that something has or uses.
type address struct {
	netip.Addr
	owners  []*place
	clients []*link   // whose client's it is
	targets []*target // on it, by port; loopback's are at their place
	refs    int32     // of links, targets and owners
}

// owned is an address that was seen so many times to be a place's own; at says where the
// place is among its owners.
type owned struct {
	*address
	times, at int32
}

// target is what programs dial: a port of an address.
type target struct {
	server *address
	proto  string
	at     *place // only where an address means nothing elsewhere
	links  []*link
	port   uint16
}

// holdPlace is the place of a network namespace of a host that reported. Whoever has it
// lets it go in the end.
func (g *Graph) holdPlace(host, netns string) *place {
	h := g.hosts[host]
	for _, p := range h.places {
		if p.netns == netns {
			p.refs++
			return p
		}
	}
	p := &place{host: h.name, netns: strings.Clone(netns), refs: 1}
	h.places = append(h.places, p)
	return p
}

func (g *Graph) dropPlace(p *place) {
	if p.refs--; p.refs == 0 {
		h := g.hosts[p.host]
		h.places = remove(h.places, p)
	}
}

// remove takes one out of a list, whose order does not matter.
func remove[T comparable](list []T, one T) []T {
	i := slices.Index(list, one)
	if i < 0 {
		return list
	}
	last := len(list) - 1
	list[i] = list[last]
	var none T
	list[last] = none
	if last == 0 {
		return nil
	}
	return list[:last]
}

func (g *Graph) holdAddress(a netip.Addr) *address {
	known := g.addresses.of(a)
	if known == nil {
		known = &address{Addr: a}
		g.addresses.keep(known)
	}
	known.refs++
	return known
}

func (g *Graph) dropAddress(a *address) {
	if a.refs--; a.refs == 0 {
		g.addresses.forget(a)
	}
}

// holdTarget is what is dialled there. It stays while it has links.
func (g *Graph) holdTarget(server netip.Addr, port uint16, proto string, at *place) *target {
	switch proto {
	case "tcp":
		proto = "tcp" // one text
	case "udp":
		proto = "udp"
	case "sctp":
		proto = "sctp"
	default:
		proto = strings.Clone(proto)
	}
	if server.IsLoopback() {
		for _, t := range at.loopback {
			if t.port == port && t.proto == proto && t.server.Addr == server {
				return t
			}
		}
		at.refs++
		t := &target{server: g.holdAddress(server), port: port, proto: proto, at: at}
		at.loopback = append(at.loopback, t)
		return t
	}
	a := g.holdAddress(server)
	i := a.from(port)
	for _, t := range a.targets[i:] {
		if t.port != port {
			break
		}
		if t.proto == proto && t.at == at {
			g.dropAddress(a)
			return t
		}
	}
	if at != nil {
		at.refs++
	}
	t := &target{server: a, port: port, proto: proto, at: at}
	a.targets = slices.Insert(a.targets, i, t)
	return t
}

// from is where the targets of a port begin.
func (a *address) from(port uint16) int {
	return sort.Search(len(a.targets), func(i int) bool { return a.targets[i].port >= port })
}

func (g *Graph) dropTarget(t *target) {
	if t.server.IsLoopback() {
		t.at.loopback = remove(t.at.loopback, t)
	} else {
		a := t.server
		i := a.from(t.port)
		i += slices.Index(a.targets[i:], t)
		if a.targets = slices.Delete(a.targets, i, i+1); len(a.targets) == 0 {
			a.targets = nil
		}
	}
	if t.at != nil {
		g.dropPlace(t.at)
	}
	g.dropAddress(t.server)
}

// global reports whether an address can tell one place from another.
func global(a netip.Addr) bool {
	return a.IsValid() && !a.IsUnspecified() && !a.IsLoopback() && !a.IsLinkLocalUnicast() && !a.IsMulticast()
}

// own remembers, or with a negative n forgets, that an address belongs to a place.
func (g *Graph) own(addr netip.Addr, p *place, n int32) {
	if !global(addr) {
		return
	}
	a := g.holdAddress(addr)
	defer g.dropAddress(a)
	g.ownKnown(a, p, n)
}

// ownKnown does so with an address that something holds.
func (g *Graph) ownKnown(a *address, p *place, n int32) {
	if !global(a.Addr) {
		return
	}
	i := p.holds(a)
	if i < 0 {
		p.refs++
		a.refs++
		i = len(p.owned)
		p.owned = append(p.owned, owned{address: a, at: int32(len(a.owners))})
		a.owners = append(a.owners, p)
		g.touchAddress(a)
	}
	if p.owned[i].times += n; p.owned[i].times <= 0 {
		g.disown(p, i)
	}
}

func (g *Graph) disown(p *place, i int) {
	o := p.owned[i]
	g.touchAddress(o.address)
	p.owned = slices.Delete(p.owned, i, i+1)
	last := len(o.owners) - 1
	if moved := o.owners[last]; moved != p {
		o.owners[o.at] = moved
		moved.owned[moved.holds(o.address)].at = o.at
	}
	o.owners[last] = nil
	o.owners = o.owners[:last]
	g.dropAddress(o.address)
	g.dropPlace(p)
}

// holds says where an address is among a place's own; below 0 when it is not.
func (p *place) holds(a *address) int {
	return slices.IndexFunc(p.owned, func(o owned) bool { return o.address == a })
}

// isLocal reports whether a place reaches itself at an address.
func (p *place) isLocal(a *address) bool { return a.IsLoopback() || p.holds(a) >= 0 }

// fewOwners are looked at one by one: most addresses have one owner.
const fewOwners = 4

// isOf reports whether an address is known as some place's of a host.
func (g *Graph) isOf(a *address, host string) bool {
	if len(a.owners) <= fewOwners {
		return slices.ContainsFunc(a.owners, func(p *place) bool { return p.host == host })
	}
	h := g.hosts[host]
	return h != nil && slices.ContainsFunc(h.places, func(p *place) bool { return p.holds(a) >= 0 })
}

// maxOwners is of how many places one is looked for that an address may mean.
const maxOwners = 256

// whose finds the one place that an address belongs to as seen from somewhere: the
// host's own namespaces come before other hosts', and those that have it on an interface
// now before those that are known from connections to have had it. nil when several places have it.
func (g *Graph) whose(a *address, from vantage) *place {
	if len(a.owners) == 0 {
		return nil
	}
	if h := g.hosts[from.host]; h != nil {
		var own []*place
		for _, p := range h.places {
			if p.holds(a) >= 0 {
				own = append(own, p)
			}
		}
		if p, some := g.among(a, from, own); some {
			return p
		}
	}
	if len(a.owners) > maxOwners {
		return nil
	}
	p, _ := g.among(a, from, slices.DeleteFunc(slices.Clone(a.owners), func(p *place) bool { return p.host == from.host }))
	return p
}

// among is the one of some places that an address means; some says whether it can be any.
func (g *Graph) among(a *address, from vantage, places []*place) (found *place, some bool) {
	best, several := -1, false
	for _, p := range places {
		at := vantage{host: p.host, netns: p.netns, own: a.Addr}
		rank := 0
		switch g.means(from, a.Addr, at) {
		case no:
			continue
		case yes:
			rank = 4
		}
		switch {
		case len(places) == 1:
		case g.holder(at, a.Addr) != nil:
			rank += 2
		case g.floats(at, a.Addr):
			rank++
		}
		switch {
		case rank > best:
			found, best, several = p, rank, false
		case rank == best:
			several = true
		}
	}
	if several {
		return nil, true
	}
	return found, found != nil
}

// compareServices orders the services of a place: by port, so that those of a port are
// found at once.
func compareServices(a, b *service) int {
	return cmp.Or(cmp.Compare(a.port, b.port), strings.Compare(a.id, b.id))
}

// onPort are the services of a place on a port, of any protocol.
func (p *place) onPort(port uint16) []*service {
	from := sort.Search(len(p.services), func(i int) bool { return p.services[i].port >= port })
	end := from
	for end < len(p.services) && p.services[end].port == port {
		end++
	}
	return p.services[from:end]
}
