package view

import (
	"net/netip"
	"strings"

	"cassini/model"
)

// Short is an identifier as tables show it: without its kind where that is a
// service or a process, which the column tells. Commands take both forms.
func Short(id string) string {
	for _, kind := range []string{model.KindService, model.KindProcess} {
		if rest, ok := strings.CutPrefix(id, kind+":"); ok {
			return rest
		}
	}
	return id
}

// Endpoint is an address with its port, the protocol unless it is TCP, and the
// network namespace outside the host's own.
func Endpoint(addr netip.Addr, port uint16, proto, netns string) string {
	s := netip.AddrPortFrom(addr, port).String()
	if proto != "tcp" {
		s += "/" + proto
	}
	if netns != "" {
		s += "@" + netns
	}
	return s
}
