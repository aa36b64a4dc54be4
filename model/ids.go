package model

import (
	"net/netip"
	"path"
	"strconv"
	"strings"
)

// HostID is "host:web-17".
func HostID(host string) string { return KindHost + ":" + host }

// RingNodeID is "ring:subnet:10.0.0.0/24".
func RingNodeID(id RingID) string { return KindRing + ":" + string(id) }

// ServiceID is "service:web-17/nginx:443", with "/udp" behind the port for
// other protocols than TCP and "@NETNS" outside the host's network namespace.
func ServiceID(host, program, proto string, port uint16, netns string) string {
	var room [128]byte // as much as most take
	return string(AppendServiceID(room[:0], host, program, proto, port, netns))
}

// AppendServiceID appends the same.
func AppendServiceID(b []byte, host, program, proto string, port uint16, netns string) []byte {
	b = append(append(append(append(b, KindService+":"...), host...), '/'), program...)
	b = strconv.AppendUint(append(b, ':'), uint64(port), 10)
	if proto != "tcp" {
		b = append(append(b, '/'), proto...)
	}
	if netns != "" {
		b = append(append(b, '@'), netns...)
	}
	return b
}

// AbsentServiceID names a service that somebody dials and that no agent knows:
// "service:10.0.0.9:5432". host is "" unless the address means that host alone
// (loopback, link-local): "service:web-17/127.0.0.1:5432", "service:web-17/[fe80::1%eth0]:22".
func AbsentServiceID(host string, at netip.AddrPort, proto string) string {
	id := KindService + ":"
	if host != "" {
		id += host + "/"
	}
	id += at.String()
	if proto != "tcp" {
		id += "/" + proto
	}
	return id
}

// EndpointID is "endpoint:web-17/tcp/0.0.0.0:443", with "@NETNS" at the end
// outside the host's network namespace.
func EndpointID(host, proto string, at netip.AddrPort, netns string) string {
	return atNetns(KindEndpoint+":"+host+"/"+proto+"/"+at.String(), netns)
}

// ProcessID is "process:web-17/usr/bin/curl": the program with its path, not one
// life of it. Programs in a systemd service bear it: "...@cron.service".
func ProcessID(host string, p Process) string {
	return KindProcess + ":" + host + processPath(p)
}

// UnknownHostID is "unknown-host:10.0.0.9".
func UnknownHostID(addr netip.Addr) string { return KindUnknownHost + ":" + addr.String() }

// UnknownHostOn is "unknown-host:web-17/fe80::1%eth0", with "@NETNS" outside the host's own network
// namespace: at a link-local address is another on each link.
func UnknownHostOn(host string, addr netip.Addr, netns string) string {
	return atNetns(KindUnknownHost+":"+host+"/"+addr.String(), netns)
}

// UnknownHostOf is "unknown-host:MAC": a machine that is known by its hardware address.
func UnknownHostOf(mac string) string { return KindUnknownHost + ":" + mac }

// InterfaceID is "interface:web-17/eth0", with "@NETNS" outside the host's own
// network namespace.
func InterfaceID(host, name, netns string) string {
	return atNetns(KindInterface+":"+host+"/"+name, netns)
}

// SwitchID is "switch:CHASSIS", as the switch calls itself.
func SwitchID(chassis string) string { return KindSwitch + ":" + chassis }

// VLANID is "vlan:30".
func VLANID(number int) string { return KindVLAN + ":" + strconv.Itoa(number) }

// SwitchPortID is "switchport:CHASSIS/PORT".
func SwitchPortID(chassis, port string) string { return KindSwitchPort + ":" + chassis + "/" + port }

// Function is what all lives of a program on a host have in common: its path from "/", and
// its systemd service, without what only one life of that has.
func (p Process) Function() string { return processPath(p) }

// processPath is the part of an identifier that stands for a program: its path
// from "/", and its systemd service if it runs in one.
func processPath(p Process) string {
	exe := strings.TrimSuffix(p.Exe, " (deleted)")
	if !strings.HasPrefix(exe, "/") {
		exe = "/" + exe
	}
	if unit := p.Unit(); unit != "" {
		exe += "@" + unit
	}
	return exe
}

// Unit is the systemd service at the end of the cgroup's path, or "". Scopes
// (logins, transient ones) are not units: their names don't outlive them. Of services that
// systemd makes for one connection, one message or one command it is what they have in
// common, so that a thousand lives of one are one: see LastingUnit.
func (p Process) Unit() string {
	if base := path.Base(p.Cgroup); strings.HasSuffix(base, ".service") {
		return LastingUnit(base)
	}
	return ""
}
