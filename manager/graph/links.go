package graph

import (
	"cmp"
	"net/netip"
	"slices"
	"sort"
	"strings"

	"cassini/model"
)

// link is what both ends of the same connections see, with the documents of both.
type link struct {
	client   *address
	target   *target
	docList         // Out, then In, then Unknown; each by host
	atC, atT int32  // among the links of client and target
	outs     int32  // how many are Out
	marks    uint32 // twice how many are Out or In, and whether it is to be joined anew
}

// both is how many documents are Out or In.
func (l *link) both() int { return int(l.marks >> 1) }

// touched says whether the link is to be joined anew.
func (l *link) touched() bool { return l.marks&1 != 0 }

// toJoin marks a link that is to be joined anew.
func (l *link) toJoin() { l.marks |= 1 }

// joins takes the mark away.
func (l *link) joins() { l.marks &^= 1 }

// holdLink is the link of a document. It stays while it has documents.
func (g *Graph) holdLink(p *place, d *model.Dependency) *link {
	var at *place
	if d.Client.IsLoopback() || d.Server.IsLoopback() {
		at = p
	}
	c, t := g.holdAddress(d.Client), g.holdTarget(d.Server, d.Port, d.Proto, at)
	fewer := c.clients
	if len(t.links) < len(fewer) {
		fewer = t.links
	}
	for _, l := range fewer {
		if l.client == c && l.target == t {
			g.dropAddress(c)
			return l
		}
	}
	l := &link{client: c, target: t, atC: int32(len(c.clients)), atT: int32(len(t.links))}
	c.clients = append(c.clients, l)
	t.links = append(t.links, l)
	return l
}

func (g *Graph) dropLink(l *link) {
	c, t := l.client, l.target
	if last := len(c.clients) - 1; last >= 0 {
		c.clients[l.atC] = c.clients[last]
		c.clients[l.atC].atC = l.atC
		c.clients[last] = nil
		c.clients = c.clients[:last]
	}
	if last := len(t.links) - 1; last >= 0 {
		t.links[l.atT] = t.links[last]
		t.links[l.atT].atT = l.atT
		t.links[last] = nil
		t.links = t.links[:last]
	}
	if len(t.links) == 0 {
		g.dropTarget(t)
	}
	g.dropAddress(c)
}

// order is the place of a direction among a link's documents.
func (d *dependency) order() int {
	switch d.direction() {
	case model.Out:
		return 0
	case model.In:
		return 1
	}
	return 2
}

func compareEnds(a, b *dependency) int {
	return cmp.Or(cmp.Compare(a.order(), b.order()), strings.Compare(a.host, b.host))
}

func (l *link) count(d *dependency, n int32) {
	switch d.direction() {
	case model.Out:
		l.outs += n
	case model.In:
	default:
		return
	}
	l.marks += uint32(2 * n) // also of less
}

func (l *link) add(d *dependency) {
	docs := l.docs()
	l.insert(sort.Search(len(docs), func(i int) bool { return compareEnds(docs[i], d) > 0 }), d)
	l.count(d, 1)
}

func (l *link) remove(d *dependency) {
	l.drop(func(_ int, o *dependency) bool { return o == d })
	l.count(d, -1)
}

// outDocs are the documents of the client's end, by host.
func (l *link) outDocs() []*dependency { return l.docs()[:l.outs] }

// inDocs are those of the service's end, by host.
func (l *link) inDocs() []*dependency { return l.docs()[l.outs:l.both()] }

// otherEnd are the documents of the end that a document is not of.
func (d *dependency) otherEnd() []*dependency {
	if d.direction() == model.In {
		return d.link.outDocs()
	}
	return d.link.inDocs()
}

// ofHost are those of a host among documents that are sorted by host.
func ofHost(docs []*dependency, host string) []*dependency {
	from := sort.Search(len(docs), func(i int) bool { return docs[i].host >= host })
	end := from
	for end < len(docs) && docs[end].host == host {
		end++
	}
	return docs[from:end]
}

// sameConnections finds the documents of the other end: those of the same host
// before others', and others' only if a single host can be meant. An address that
// a host has itself (a bridge, say) comes from there, not from another host that
// has one like it.
func (g *Graph) sameConnections(d *dependency) []*dependency {
	among := d.otherEnd()
	if here := g.ofVantage(d, among); len(here) > 0 {
		return here
	}
	var there []*dependency
	best, several := perhaps, false
	for len(among) > 0 {
		same := ofHost(among, among[0].host)
		among = among[len(same):]
		if same = g.onLink(d, same); len(same) == 0 {
			continue
		}
		switch is := g.sameLink(clientFirst(d, same[0])); {
		case is == no || is == perhaps && best == yes:
		case there != nil && is == best:
			several = true
		default:
			there, best, several = same, is, false
		}
	}
	if several {
		return nil
	}
	return there
}

// onLink are those of the documents of another host that can be of the same link: of link-local addresses each
// document has its own.
func (g *Graph) onLink(d *dependency, same []*dependency) []*dependency {
	if d.on() == "" && same[0].on() == "" {
		return same
	}
	return slices.DeleteFunc(slices.Clone(same), func(o *dependency) bool { return g.sameLink(clientFirst(d, o)) == no })
}

// clientFirst are the documents of both ends, the client's first.
func clientFirst(a, b *dependency) (out, in *dependency) {
	if a.direction() == model.In {
		return b, a
	}
	return a, b
}

// ofVantage are the documents of the other end of the host from where the server's address is meant.
func (g *Graph) ofVantage(d *dependency, among []*dependency) []*dependency {
	if d.direction() != model.In {
		return ofHost(among, g.vantage(d).host)
	}
	if len(g.translations.branches) == 0 {
		return ofHost(among, d.host)
	}
	var here []*dependency
	for _, out := range among {
		if g.vantage(out).host == d.host {
			here = append(here, out)
		}
	}
	return here
}

// sameLink says whether documents of two hosts tell of the same connections.
func (g *Graph) sameLink(out, in *dependency) answer {
	client, server := out.link.client, out.link.target.server
	from, at := g.vantage(out), g.vantage(in)
	is := g.means(from, server.Addr, at)
	if is == no {
		return no
	}
	back := g.means(at, client.Addr, g.asSeen(out))
	switch {
	case back == no || is == perhaps && back == perhaps && (g.isOf(client, in.host) || g.isOf(server, from.host)):
		return no
	case back == yes:
		return yes
	}
	return is
}

// asSeen is where the server sees the client of an Out document.
func (g *Graph) asSeen(out *dependency) vantage {
	at := g.vantage(out)
	if out.branch() != nil && !g.isOf(out.link.client, at.host) {
		return vantage{host: out.host, netns: out.netns, own: at.own} // the address was left as it was
	}
	return at
}

// meets says whether an In document has the other end. While nothing touches the link, it has
// it as before.
func (g *Graph) meets(d *dependency) bool {
	joined := g.built != nil && !d.link.touched()
	if joined && d.met() {
		return true
	}
	met := g.sameConnections(d) != nil
	if joined && met {
		d.hasMet()
	}
	return met
}

// server is the address and port of the service's end.
func (l *link) server() netip.AddrPort {
	return netip.AddrPortFrom(l.target.server.Addr, l.target.port)
}
