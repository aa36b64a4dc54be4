package graph

import (
	"hash/fnv"
	"net/netip"
	"strings"

	"cassini/model"
)

// A Unix-domain socket has a name instead of an address, and it means something in one
// place alone. So in the graph it is an address of IPv6 loopback with the name as its zone,
// and all that joins connections on loopback joins these. No answer shows that address.

// unixAddr stands for a name in a place.
func unixAddr(u model.UnixName) netip.Addr {
	return netip.IPv6Loopback().WithZone(u.SocketType + " " + u.Path)
}

// unixPort stands for the port, by which what listens and what is dialled is found.
func unixPort(u model.UnixName) uint16 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(u.Path))
	return uint16(h.Sum32())
}

// unixName is the name that an address stands for, in a place that is called space.
func unixName(a netip.Addr, space string) (name model.UnixName, netns string) {
	name.SocketType, name.Path, _ = strings.Cut(a.Zone(), " ")
	if strings.HasPrefix(space, "mnt:") {
		name.MntnsName = space
		return name, ""
	}
	return name, space
}

// placeListener brings the document of a listener into the form of the graph. It reports
// whether there is an address.
func placeListener(l *model.Listener) bool {
	if l.Proto == model.ProtoUnix {
		l.Addr, l.Port, l.NetnsName = unixAddr(l.UnixName), unixPort(l.UnixName), l.Space()
		return l.Path != ""
	}
	if model.IsTap(l.Proto) {
		return placeTap(l)
	}
	l.Addr = l.Addr.Unmap()
	return l.Addr.IsValid()
}

// placeDependency does likewise for a dependency.
func placeDependency(d *model.Dependency) bool {
	if d.Proto == model.ProtoUnix {
		d.Client, d.Server, d.Port = netip.Addr{}, unixAddr(d.UnixName), unixPort(d.UnixName)
		d.NetnsName = d.Space()
		return d.Path != "" && d.Direction == model.Out
	}
	d.Client, d.Server = d.Client.Unmap(), d.Server.Unmap()
	return d.Client.IsValid() && d.Server.IsValid() && d.Proto != ""
}

// absentUnix is a socket that a program dials and that nobody serves.
func absentUnix(d *dependency) end {
	name, _ := unixName(d.link.target.server.Addr, d.netns)
	return end{id: model.AbsentUnixServiceID(d.host, name.Path, d.netns), kind: nodeService, host: d.host}
}

// standsAt is where a service listens, as people write it.
func standsAt(s model.Service) string {
	switch {
	case s.Proto == model.ProtoUnix:
		return s.Path
	case model.IsTap(s.Proto):
		return s.Proto + ":" + s.Hears
	}
	return netip.AddrPortFrom(s.Addr, s.Port).String()
}

func unixAttrs(a model.Attrs, u model.UnixName, netns string) {
	a["path"] = u.Path
	set(a, "socket_type", u.SocketType)
	set(a, "mntns", u.MntnsName)
	set(a, "netns", netns)
}
