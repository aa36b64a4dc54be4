package view

import (
	"cmp"
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

// ServerEndpoint is where a dependency leads: an address, or the name of a Unix-domain
// socket.
func ServerEndpoint(d model.DependencyView) string {
	if d.Proto == model.ProtoUnix {
		return UnixEndpoint(d.UnixName, "")
	}
	return Endpoint(d.Server.Addr, d.Port, d.Proto, "")
}

// UnixEndpoint is the name of a Unix-domain socket, with the namespace where it means
// something outside the host's own.
func UnixEndpoint(u model.UnixName, netns string) string {
	s := model.ProtoUnix + ":" + u.Path
	if space := cmp.Or(u.MntnsName, netns); space != "" {
		s += "@" + space
	}
	return s
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
