package graph

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"cassini/manager/moment"
	"cassini/model"
)

// neighbor is what an interface hears or last heard at the other end.
type neighbor struct {
	host, key                 string // of its document
	there                     string // the node that it means, in the view; "" for none
	wire                      *wire  // what it has put into the view
	Interface, Netns          string
	State                     string
	firstSeen, changed, ended moment.Moment

	SourceMAC string
	Port      model.PortID
	PortDescr string
	*device
}

// device is what all ports of a device say alike.
type device struct {
	model.Discovery // without what a neighbor has itself
}

// name is that of its document.
func (n *neighbor) name() model.Name {
	return model.Name{Host: n.host, Package: model.PackageNeighbors, Key: n.key}
}

// discovery is all that it says.
func (n *neighbor) discovery() model.Discovery {
	d := n.Discovery
	d.SourceMAC, d.Port, d.PortDescr = n.SourceMAC, n.Port, n.PortDescr
	return d
}

// endedNeighbors is how many neighbors that are not heard any more are remembered
// of a host; whoever holds a cable can invent them.
const endedNeighbors = 200

func (g *Graph) applyNeighbor(doc *Decoded, e *events) bool {
	h := g.hosts[doc.Host]
	before := h.neighbor(doc.Key)
	body, ok := doc.body.(*model.Neighbor)
	if !doc.Gone() && (!ok || body.Interface == "" || body.Protocol == "") {
		return false
	}
	var n *neighbor
	if !doc.Gone() {
		n = g.texts.neighbor(h.name, doc.Key, body)
	}
	g.changeNeighbor(h, before, n)
	if doc.Gone() {
		return true
	}
	g.tellNeighbor(before, n, e)
	g.forgetNeighbors(h)
	return true
}

func byNeighborKey(n *neighbor, key string) int { return strings.Compare(n.key, key) }

// neighbor is the one that a host's document of a key tells of, or nil.
func (h *host) neighbor(key string) *neighbor {
	if at, known := slices.BinarySearchFunc(h.neighbors, key, byNeighborKey); known {
		return h.neighbors[at]
	}
	return nil
}

// neighbors are those of all hosts.
func (g *Graph) neighbors() iter.Seq[*neighbor] {
	return func(yield func(*neighbor) bool) {
		for _, h := range g.hosts {
			for _, n := range h.neighbors {
				if !yield(n) {
					return
				}
			}
		}
	}
}

// heardAt are the neighbors that an interface hears or heard.
func (g *Graph) heardAt(n *neighbor) iter.Seq[*neighbor] {
	return func(yield func(*neighbor) bool) {
		for _, o := range g.hosts[n.host].neighbors {
			if o.Interface == n.Interface && o.Netns == n.Netns && !yield(o) {
				return
			}
		}
	}
}

func (g *Graph) keepNeighbor(h *host, n *neighbor) {
	at, _ := slices.BinarySearchFunc(h.neighbors, n.key, byNeighborKey)
	h.neighbors = slices.Insert(h.neighbors, at, n)
	g.mean(n, g.meant.add)
	if n.State != model.NeighborPresent {
		g.unheard[n.host]++
	}
}

func (g *Graph) dropNeighbor(h *host, n *neighbor) {
	at, _ := slices.BinarySearchFunc(h.neighbors, n.key, byNeighborKey)
	h.neighbors = slices.Delete(h.neighbors, at, at+1)
	g.mean(n, g.meant.drop)
	if n.State == model.NeighborPresent {
		return
	}
	if g.unheard[n.host]--; g.unheard[n.host] == 0 {
		delete(g.unheard, n.host)
	}
}

// mean adds a neighbor to those that can mean an interface, or drops it.
func (g *Graph) mean(n *neighbor, do func(mac, at string, n *neighbor)) {
	if n.State != model.NeighborPresent {
		return
	}
	for _, mac := range n.meansMACs() {
		do(mac, "", n)
	}
}

// forgetNeighbors drops those of a host that ended longest ago, a tenth at once, when
// there are more than the limit.
func (g *Graph) forgetNeighbors(h *host) {
	if g.unheard[h.name] <= endedNeighbors {
		return
	}
	var ended []*neighbor
	for _, n := range h.neighbors {
		if n.State != model.NeighborPresent {
			ended = append(ended, n)
		}
	}
	slices.SortFunc(ended, func(a, b *neighbor) int { return cmp.Compare(a.ended, b.ended) })
	for _, n := range ended[:len(ended)-endedNeighbors*9/10] {
		g.dropNeighbor(h, n)
		g.spent.note(n.name())
		g.forgotten++
	}
}

func (n *neighbor) interfaceID() string {
	return model.InterfaceID(n.host, n.Interface, n.Netns)
}

// title is how people call the other end.
func (n *neighbor) title() string {
	return or(n.SystemName, n.Chassis.ID) + " port " + n.Port.ID
}

func (g *Graph) tellNeighbor(before, n *neighbor, e *events) {
	at := n.interfaceID()
	_, label, _ := strings.Cut(at, ":")
	switch {
	case n.State == model.NeighborPresent && (before == nil || before.State != model.NeighborPresent):
		if last := g.lastHeard(n); last != nil {
			what := fmt.Sprintf("%s is wired to %s instead of %s (%s)", label, n.title(), last.title(), n.Protocol)
			e.add(model.EventWireMoved, at, what)
			g.findings.Moved(at, last.Chassis.ID, what, e.at)
			return
		}
		e.add(model.EventWireConnected, at, fmt.Sprintf("%s is wired to %s (%s)", label, n.title(), n.Protocol))
	case n.State == model.NeighborMoved:
		// What came in its place tells it.
	case n.State != model.NeighborPresent && before != nil && before.State == model.NeighborPresent:
		why := map[string]string{
			model.NeighborSilent:   fmt.Sprintf("it was not heard for the %d s that it promised", n.TTL),
			model.NeighborShutdown: "it said that it stops",
			model.NeighborUnheard:  "the link is down or gone",
		}[n.State]
		e.add(model.EventWireLost, at, fmt.Sprintf("%s no longer hears %s (%s): %s", label, n.title(), n.Protocol, or(why, n.State)))
	case before != nil && n.State == model.NeighborPresent:
		e.add(model.EventWireChanged, at, fmt.Sprintf("%s: %s says something else of itself (%s)", label, n.title(), n.Protocol))
	}
}

// lastHeard is what the interface heard last by the same protocol, if that has
// ended and was another port.
func (g *Graph) lastHeard(n *neighbor) (last *neighbor) {
	for o := range g.heardAt(n) {
		if o.Protocol != n.Protocol || o == n {
			continue
		}
		if o.State == model.NeighborPresent {
			return nil
		}
		if last == nil || o.ended.After(last.ended) {
			last = o
		}
	}
	return last
}
