package graph

import (
	"net/netip"
	"slices"
	"strings"

	"cassini/model"
)

// Packet and raw sockets have no port and no clients. In the graph they are services of a
// protocol of their own, with what they hear as the port, on every address.

// placeTap brings their document into the form of the graph. It reports whether it tells
// what they hear.
func placeTap(l *model.Listener) bool {
	l.Addr, l.Port = netip.IPv4Unspecified(), l.Number
	return l.Hears != ""
}

func tapAttrs(a model.Attrs, t model.Tap) {
	a["hears"], a["protocol_number"] = t.Hears, t.Number
	if len(t.Interfaces) > 0 {
		a["interfaces"] = t.Interfaces
	}
	if len(t.Bound) > 0 {
		a["bound_to"] = t.Bound
	}
	a["promiscuous"] = t.Promiscuous
}

// hearsOthers says whether what comes from other machines is heard.
func hearsOthers(l *listening) bool {
	return l.more != nil && l.more.tap.Hears != model.HearsNothing && !slices.Equal(l.more.tap.Interfaces, []string{"lo"})
}

// hearsOn says on which interfaces.
func hearsOn(t model.Tap) string {
	on := "on every interface"
	if len(t.Interfaces) > 0 {
		on = "on " + strings.Join(t.Interfaces, ", ")
	}
	if t.Promiscuous {
		on += ", also what is not addressed to this host (promiscuous)"
	}
	return on
}
