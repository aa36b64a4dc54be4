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

func (g *Graph) applyForwarding(doc model.Document, e *events) bool {
	f := &forwarding{host: doc.Host}
	if !doc.Gone() && (doc.Decode(&f.Forwarding) != nil || f.MAC == "" || f.Port == "") {
		return false
	}
	g.topology++
	before := g.forwarding[doc.Name]
	delete(g.forwarding, doc.Name)
	if doc.Gone() {
		return true
	}
	g.forwarding[doc.Name] = f
	forgetOldest(g, g.forwarding, func(f *forwarding) time.Time { return f.Changed }, func(n model.Name) { delete(g.forwarding, n) })
	if f.Before != "" && before != nil && before.Port != f.Port {
		bridge := model.InterfaceID(f.host, f.Bridge, f.Netns)
		_, label, _ := strings.Cut(bridge, ":")
		e.add(model.EventMACMoved, bridge, fmt.Sprintf("%s: %s is behind %s instead of %s", label, who(f.MAC), f.Port, before.Port))
	}
	return true
}

// forwards joins ports of bridges with the machines that are behind them.
func (b *builder) forwards(byMAC map[string][]*node) {
	for _, f := range b.g.forwarding {
		port := b.nodes[model.InterfaceID(f.host, f.Port, f.Netns)]
		if port == nil {
			continue
		}
		for _, known := range byMAC[f.MAC] {
			if known != port {
				b.edge(model.EdgeForwardsTo, port, known)
			}
		}
		if byMAC[f.MAC] != nil {
			continue
		}
		n := b.machine(f.MAC)
		n.stranger.behind = append(n.stranger.behind, f)
		b.edge(model.EdgeForwardsTo, port, n)
	}
}
