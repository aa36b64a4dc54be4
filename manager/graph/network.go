package graph

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"cassini/manager/vendors"
	"cassini/model"
)

// iface is an interface that is there.
type iface struct {
	host   string
	vendor string // of the hardware address
	model.Interface
}

// neighbor is what an interface hears or last heard at the other end.
type neighbor struct {
	name model.Name
	host string
	model.Neighbor
}

// endedNeighbors is how many neighbors that are not heard any more are remembered
// of a host; whoever holds a cable can invent them.
const endedNeighbors = 200

func (g *Graph) applyInterface(doc model.Document, e *events) bool {
	before, known := g.interfaces[doc.Name]
	var now model.Interface
	if !doc.Gone() && (doc.Decode(&now) != nil || now.Name == "") {
		return false
	}
	if known {
		g.dropInterface(doc.Name, before)
	}
	if doc.Gone() || now.State == model.InterfaceGone {
		if known {
			g.topology++
			e.add(model.EventLinkDown, before.id(), before.label()+" is gone")
		}
		return true
	}
	i := &iface{host: doc.Host, vendor: vendors.Of(now.Address), Interface: now}
	g.keepInterface(doc.Name, i)
	g.topology++
	if known {
		tellInterface(before, i, e)
		g.carrierChanged(before, i, e)
	}
	g.tellRefused(before, i, e)
	return true
}

func (i *iface) id() string    { return model.InterfaceID(i.host, i.Name, i.Netns) }
func (i *iface) label() string { _, s, _ := strings.Cut(i.id(), ":"); return s }

func (g *Graph) keepInterface(name model.Name, i *iface) {
	g.interfaces[name] = i
	if g.interfacesOf[i.host] == nil {
		g.interfacesOf[i.host] = make(map[model.Name]*iface)
	}
	g.interfacesOf[i.host][name] = i
	g.cards[i.Address]++
	g.ownAll(i, 1)
}

func (g *Graph) dropInterface(name model.Name, i *iface) {
	delete(g.interfaces, name)
	if delete(g.interfacesOf[i.host], name); len(g.interfacesOf[i.host]) == 0 {
		delete(g.interfacesOf, i.host)
	}
	if g.cards[i.Address]--; g.cards[i.Address] == 0 {
		delete(g.cards, i.Address)
	}
	g.ownAll(i, -1)
}

// ownAll remembers or forgets the addresses of an interface as its host's.
func (g *Graph) ownAll(i *iface, n int) {
	for prefix := range i.Addresses {
		if p, err := netip.ParsePrefix(prefix); err == nil {
			g.own(p.Addr(), place{i.host, i.Netns}, n)
		}
	}
}

// tellInterface says what a person may want to hear of a change.
func tellInterface(before, now *iface, e *events) {
	switch {
	case before.Carrier != 0 && now.Carrier == 0:
		e.add(model.EventLinkDown, now.id(), now.label()+" lost its carrier")
	case before.Carrier == 0 && now.Carrier != 0:
		e.add(model.EventLinkUp, now.id(), now.label()+" has a carrier")
	}
	var changes []string
	change := func(what string, a, b any) {
		if a != b {
			changes = append(changes, fmt.Sprintf("%s %v instead of %v", what, b, a))
		}
	}
	change("MTU", before.MTU, now.MTU)
	change("hardware address", before.Address, now.Address)
	if before.Carrier != 0 && now.Carrier != 0 {
		change("speed", before.Speed, now.Speed)
		change("duplex", before.Duplex, now.Duplex)
	}
	change("master", or(before.Master, "none"), or(now.Master, "none"))
	if now.Carrier != 0 || len(now.DefaultGateways) > 0 {
		change("default gateway", list(before.DefaultGateways), list(now.DefaultGateways))
	}
	if changes != nil {
		e.add(model.EventLinkChanged, now.id(), now.label()+" has "+strings.Join(changes, ", "))
	}
	for _, p := range sortedKeys(now.Addresses) {
		if _, had := before.Addresses[p]; !had {
			e.add(model.EventAddressAdded, now.id(), now.label()+" has address "+p)
		}
	}
	for _, p := range sortedKeys(before.Addresses) {
		if _, has := now.Addresses[p]; !has {
			e.add(model.EventAddressRemoved, now.id(), now.label()+" has no longer address "+p)
		}
	}
}

func or(text, instead string) string {
	if text == "" {
		return instead
	}
	return text
}

func list(addrs []netip.Addr) string {
	var texts []string
	for _, a := range addrs {
		texts = append(texts, a.String())
	}
	return or(strings.Join(texts, " "), "none")
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (g *Graph) applyNeighbor(doc model.Document, e *events) bool {
	before := g.neighbors[doc.Name]
	n := &neighbor{name: doc.Name, host: doc.Host}
	if !doc.Gone() && (doc.Decode(&n.Neighbor) != nil || n.Interface == "" || n.Protocol == "") {
		return false
	}
	g.topology++
	if before != nil {
		g.dropNeighbor(before)
	}
	if doc.Gone() {
		return true
	}
	g.keepNeighbor(n)
	g.tellNeighbor(before, n, e)
	g.forgetNeighbors(doc.Host)
	return true
}

func (g *Graph) keepNeighbor(n *neighbor) {
	g.neighbors[n.name] = n
	at := n.interfaceID()
	if g.heard[at] == nil {
		g.heard[at] = make(map[model.Name]*neighbor)
	}
	g.heard[at][n.name] = n
	if n.State != model.NeighborPresent {
		g.unheard[n.host]++
	}
}

func (g *Graph) dropNeighbor(n *neighbor) {
	delete(g.neighbors, n.name)
	at := n.interfaceID()
	if delete(g.heard[at], n.name); len(g.heard[at]) == 0 {
		delete(g.heard, at)
	}
	if n.State == model.NeighborPresent {
		return
	}
	if g.unheard[n.host]--; g.unheard[n.host] == 0 {
		delete(g.unheard, n.host)
	}
}

// forgetNeighbors drops those of a host that ended longest ago, a tenth at once, when
// there are more than the limit.
func (g *Graph) forgetNeighbors(host string) {
	if g.unheard[host] <= endedNeighbors {
		return
	}
	var ended []*neighbor
	for _, n := range g.neighbors {
		if n.host == host && n.State != model.NeighborPresent {
			ended = append(ended, n)
		}
	}
	slices.SortFunc(ended, func(a, b *neighbor) int { return a.Ended.Compare(b.Ended) })
	for _, n := range ended[:len(ended)-endedNeighbors*9/10] {
		g.dropNeighbor(n)
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
	for _, o := range g.heard[n.interfaceID()] {
		if o.Protocol != n.Protocol || o.name == n.name {
			continue
		}
		if o.State == model.NeighborPresent {
			return nil
		}
		if last == nil || o.Ended.After(last.Ended) {
			last = o
		}
	}
	return last
}
