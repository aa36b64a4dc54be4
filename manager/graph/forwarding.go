package graph

import (
	"fmt"
	"strings"
	"time"

	"cassini/model"
)

// forwarding is behind which port of a host's bridge a machine is.
type forwarding struct {
	host string
	model.Forwarding
}

func (g *Graph) applyForwarding(doc *Decoded, e *events) bool {
	f := &forwarding{host: doc.Host}
	if !doc.Gone() && (!take(doc, &f.Forwarding) || f.MAC == "" || f.Port == "") {
		return false
	}
	g.topology++
	before := g.forwarding[doc.Name]
	g.dropForwarding(doc.Name)
	if doc.Gone() {
		return true
	}
	g.forwarding[doc.Name] = f
	g.behind.add(f.MAC, f.at(), f)
	if g.built != nil {
		g.built.addForwarding(f)
	}
	forgetOldest(g, g.forwarding, func(f *forwarding) time.Time { return f.Changed }, g.dropForwarding)
	if f.Before != "" && before != nil && before.Port != f.Port {
		bridge := model.InterfaceID(f.host, f.Bridge, f.Netns)
		_, label, _ := strings.Cut(bridge, ":")
		e.add(model.EventMACMoved, bridge, fmt.Sprintf("%s: %s is behind %s instead of %s", label, who(f.MAC), f.Port, before.Port))
	}
	return true
}

// at is the port.
func (f *forwarding) at() string { return model.InterfaceID(f.host, f.Port, f.Netns) }

// dropForwarding forgets what a document of a name told.
func (g *Graph) dropForwarding(name model.Name) {
	f := g.forwarding[name]
	if f == nil {
		return
	}
	delete(g.forwarding, name)
	g.behind.drop(f.MAC, f.at(), f)
	if g.built != nil {
		g.built.dropForwarding(f)
	}
}

// addForwarding joins a port of a bridge with the machine that is behind it.
func (v *view) addForwarding(f *forwarding) {
	port := v.named(f.at())
	if port == nil {
		return
	}
	if v.otherCards(f.MAC, port, func(card *node) { v.hold(edgeForwardsTo, port, card) }) {
		return
	}
	n, _ := v.node(model.UnknownHostOf(f.MAC), nodeUnknownHost, "")
	m := v.machine(n, f.MAC)
	m.behind = append(m.behind, f)
	v.hold(edgeForwardsTo, port, n)
}

// dropForwarding undoes addForwarding, as long as interfaces are what they were.
func (v *view) dropForwarding(f *forwarding) {
	port := v.named(f.at())
	if port == nil {
		return
	}
	if v.otherCards(f.MAC, port, func(card *node) { v.release(v.find(edgeForwardsTo, port, card)) }) {
		return
	}
	n := v.named(model.UnknownHostOf(f.MAC))
	m := n.stranger()
	m.behind = remove(m.behind, f)
	v.release(v.find(edgeForwardsTo, port, n))
	v.forgets(n)
}

// otherCards tells of the interfaces that have a hardware address, but for one; known is
// whether there is any.
func (v *view) otherCards(mac string, but *node, tell func(*node)) (known bool) {
	cards := v.cards(mac)
	for _, card := range cards {
		if card != but {
			tell(card)
		}
	}
	return cards != nil
}

// cards are the interfaces that have a hardware address.
func (v *view) cards(mac string) []*node {
	n := v.named(model.KindMAC + ":" + mac)
	if n == nil {
		return nil
	}
	return n.far(n.in(), edgeHas)
}
