package graph

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"cassini/model"
)

// maxFound bounds the answer to a search.
const maxFound = 200

// Find looks for a hardware address, an IP address or a name, and says where each
// thing is that has it.
func (g *Graph) Find(text string) []model.Found {
	found := []model.Found{}
	g.read(func(v *view) {
		match := matcher(text)
		for n := range v.byID() {
			if len(found) == maxFound {
				return
			}
			if what := match(n); what != "" {
				found = append(found, model.Found{ID: n.id, Kind: n.kind.String(), Host: n.host(), What: what, Where: v.where(n)})
			}
		}
	})
	return found
}

// matcher says what of a node is what somebody looks for, or "".
func matcher(text string) func(*node) string {
	if mac, err := net.ParseMAC(text); err == nil {
		want := mac.String()
		return func(n *node) string {
			switch {
			case n.iface() != nil && n.iface().Address == want:
				return "hardware address of the interface"
			case n.iface() != nil && n.iface().PermanentAddress == want:
				return "permanent hardware address of the interface"
			case n.says() != nil && n.kind != nodeSwitchPort && n.says().Chassis.ID == want:
				return "chassis"
			case n.says() != nil && n.kind != nodeSwitch && n.says().Port.ID == want:
				return "port"
			case n.says() != nil && n.kind != nodeSwitch && n.says().SourceMAC == want:
				return "sender of its frames"
			case n.stranger() != nil && n.stranger().mac == want:
				return "hardware address"
			}
			return ""
		}
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap()
		return func(n *node) string { return n.hasAddress(addr) }
	}
	want := strings.ToLower(text)
	return func(n *node) string {
		_, rest, _ := strings.Cut(n.id, ":")
		switch {
		case n.kind == nodeIP || n.kind == nodeMAC || n.kind == nodeEndpoint:
			return ""
		case strings.Contains(strings.ToLower(rest), want):
			return "name"
		case n.says() != nil && strings.Contains(strings.ToLower(n.says().SystemName), want):
			return "system name"
		case n.says() != nil && n.kind == nodeSwitchPort && strings.Contains(strings.ToLower(n.says().PortDescr), want):
			return "port description"
		case n.stranger() != nil && n.stranger().named(want):
			return "name by DHCP"
		case slices.ContainsFunc(n.askedAs(), func(name string) bool { return strings.Contains(name, want) }):
			return "name that it was asked for as"
		case n.iface() != nil && strings.Contains(strings.ToLower(n.iface().Alias), want):
			return "alias"
		}
		return ""
	}
}

// isAt says whether an address is the one that somebody looks for, on any link where none is named.
func isAt(a, want netip.Addr) bool { return a == want || a.WithZone("") == want }

func (n *node) hasAddress(addr netip.Addr) string {
	switch {
	case n.iface() != nil:
		addr = addr.WithZone("") // which names the link as another machine calls it
		for _, prefix := range n.iface().prefixes() {
			if p, err := netip.ParsePrefix(prefix); err == nil && p.Addr() == addr {
				return "address " + prefix
			}
		}
	case n.says() != nil && n.kind == nodeSwitch:
		for _, m := range n.says().Management {
			if m.Address == addr.String() {
				return "management address"
			}
		}
	case n.kind == nodeUnknownHost && (isAt(n.addr(), addr) || n.stranger() != nil && n.stranger().has(addr)):
		return "address"
	case n.kind == nodeService && n.state() == StateAbsent && isAt(n.dialledAt(), addr):
		return "address that is dialled"
	}
	return ""
}

// where says in words where a node is.
func (v *view) where(n *node) string {
	wires := func(here *node) (texts []string) {
		for _, e := range here.out() {
			if e.kind == edgeWiredTo {
				texts = append(texts, strings.TrimPrefix(here.id, model.KindInterface+":")+" -> "+v.callEnd(e.to))
			}
		}
		return texts
	}
	var texts []string
	switch n.kind {
	case nodeInterface:
		texts = wires(n)
		for _, e := range n.in() {
			if e.kind == edgeForwardsTo {
				texts = append(texts, "behind "+strings.TrimPrefix(e.from.id, model.KindInterface+":"))
			}
		}
	case nodeHost:
		for _, e := range n.out() {
			if e.kind == edgeOwns {
				texts = append(texts, wires(e.to)...)
			}
		}
	case nodeSwitchPort, nodeUnknownHost:
		for _, e := range n.in() {
			switch e.kind {
			case edgeWiredTo:
				texts = append(texts, wires(e.from)...)
			case edgeSees:
				texts = append(texts, "seen by "+strings.TrimPrefix(e.from.id, model.KindInterface+":"))
			case edgeForwardsTo:
				texts = append(texts, "behind "+strings.TrimPrefix(e.from.id, model.KindInterface+":"))
			}
		}
	case nodeSwitch:
		texts = []string{fmt.Sprintf("%d ports with hosts", len(n.out()))}
	}
	return strings.Join(texts, ", ")
}

// callEnd is how people call the other end of a cable.
func (v *view) callEnd(n *node) string {
	if n.says() == nil {
		return strings.TrimPrefix(n.id, model.KindInterface+":")
	}
	return n.says().title()
}
