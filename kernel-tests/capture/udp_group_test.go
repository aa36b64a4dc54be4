package capture

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"cassini/bpf"
	"cassini/model"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Whoever sends to all of a multicast group is no client of each of its members, but of those that
// answer, although these never sent to all before.
func TestUDPMembersOfAGroup(t *testing.T) {
	r := startUDP(t, bpf.Limits{})
	group := netip.MustParseAddr("239.255.17.3")
	var port int
	inNetns(t, func() {
		port = freePort(t)
		if err := multicastOnLoopback(); err != nil {
			t.Fatal(err)
		}
		member := bind(t, "udp4", "0.0.0.0", port, unix.SO_REUSEADDR)
		join(t, member, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, group)
		fellow := bind(t, "udp4", "127.0.0.2", port, unix.SO_REUSEADDR) // as multicast DNS has it
		asks := bind(t, "udp4", "127.0.0.3", 0)                         // as discovery of devices does
		for range 2 {
			for _, c := range []*net.UDPConn{fellow, fellow, asks, asks} { // in turn, and one after the other
				if _, err := c.WriteToUDPAddrPort([]byte("x"), netip.AddrPortFrom(group, uint16(port))); err != nil {
					t.Fatal(err)
				}
				hear(t, member)
			}
		}
		if _, err := member.WriteToUDPAddrPort([]byte("x"), asks.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
			t.Fatal(err)
		}
		hear(t, asks)
	})
	got := r.udpEdge("who was answered", model.In, uint16(port), func(model.Dependency) bool { return true })
	if got.Client.String() != "127.0.0.3" || got.Connections != 1 {
		t.Errorf("%+v", got)
	}
	for _, d := range bodies(r, model.PackageDependencies, func(d model.Dependency) bool {
		return d.Proto == "udp" && d.Direction == model.Out && (d.Port == uint16(port) || d.Client.String() == "127.0.0.3")
	}) {
		t.Errorf("what went to all is a dependency: %+v", d)
	}
}

// What comes to a socket that is bound to a subnet's broadcast address is for all; who sends there first is a
// service on its own port nevertheless (NetBIOS).
func TestUDPOnABroadcastAddress(t *testing.T) {
	r := startUDP(t, bpf.Limits{})
	var port int
	inNetns(t, func() {
		port = freePort(t)
		all := bind(t, "udp4", "127.255.255.255", port, unix.SO_REUSEADDR)
		own := bind(t, "udp4", "127.0.0.2", port, unix.SO_REUSEADDR)
		asks := bind(t, "udp4", "127.0.0.3", 0)
		for _, c := range []*net.UDPConn{own, asks} {
			if _, err := c.WriteToUDPAddrPort([]byte("x"), all.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
				t.Fatal(err)
			}
			hear(t, all)
		}
		r.listener("a service that sends to all first", func(l model.Listener) bool {
			return l.Proto == "udp" && l.Port == uint16(port) && l.Addr.String() == "127.0.0.2"
		})
	})
	r.refresh()
	for _, d := range bodies(r, model.PackageDependencies, func(d model.Dependency) bool {
		return d.Proto == "udp" && (d.Port == uint16(port) || d.Client.String() == "127.0.0.3")
	}) {
		t.Errorf("what went to all is a dependency: %+v", d)
	}
}

// Members of groups of IPv6 likewise, also of both protocols.
func TestUDPMembersOfIPv6Groups(t *testing.T) {
	r := startUDP(t, bpf.Limits{})
	for _, c := range []struct {
		name, network, bound, dial string
		level, option              int
		group                      string
	}{
		{"IPv6", "udp6", "::1", "::1", unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, "ff15::17:3"},
		{"IPv4 by a socket of both", "udp", "::", "127.0.0.1", unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, "239.255.17.3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			member := bind(t, c.network, c.bound, freePort(t))
			join(t, member, c.level, c.option, netip.MustParseAddr(c.group))
			first, second := bind(t, "udp", c.dial, 0), bind(t, "udp", c.dial, 0)
			to := netip.AddrPortFrom(netip.MustParseAddr(c.dial), udpPort(member))
			for _, client := range []*net.UDPConn{first, second} { // nobody can tell that it is not for all
				if _, err := client.WriteToUDPAddrPort([]byte("x"), to); err != nil {
					t.Fatal(err)
				}
				hear(t, member)
			}
			if _, err := member.WriteToUDPAddrPort([]byte("x"), netip.AddrPortFrom(to.Addr(), udpPort(second))); err != nil {
				t.Fatal(err)
			}
			r.udpEdge("who was answered", model.In, to.Port(), func(d model.Dependency) bool { return d.Connections == 1 })
		})
	}
}

// multicastOnLoopback lets groups of IPv4 be reached over lo.
func multicastOnLoopback() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	_, all, err := net.ParseCIDR("224.0.0.0/4")
	return errors.Join(err, netlink.RouteAdd(&netlink.Route{LinkIndex: lo.Attrs().Index, Dst: all, Scope: netlink.SCOPE_LINK}))
}

// join makes a socket a member of a group, on loopback.
func join(t *testing.T, c *net.UDPConn, level, option int, group netip.Addr) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var joined error
	err = raw.Control(func(fd uintptr) {
		if level == unix.IPPROTO_IPV6 {
			joined = unix.SetsockoptIPv6Mreq(int(fd), level, option, &unix.IPv6Mreq{Multiaddr: group.As16(), Interface: 1})
		} else {
			joined = unix.SetsockoptIPMreqn(int(fd), level, option, &unix.IPMreqn{Multiaddr: group.As4(), Ifindex: 1})
		}
	})
	if err := errors.Join(err, joined); err != nil {
		t.Fatal(err)
	}
}
