package capture

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"testing"

	"cassini/bpf"
	"cassini/model"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A router that forbids it says so over IPv6 by an error of its own (EACCES): firewalld's answer, for one.
func TestProhibitedByARouter(t *testing.T) {
	r := start(t, bpf.Limits{})
	const port = 6750
	own, far := netip.MustParseAddr("fd66:8::1"), netip.MustParseAddr("fd66:9::1")
	inNetns(t, func() {
		lay(t, cables[0])
		near, err := netlink.LinkByName(cables[0] + nearSuffix)
		if err != nil {
			t.Fatal(err)
		}
		index := near.Attrs().Index
		host := func(a netip.Addr) *net.IPNet { return &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(128, 128)} }
		err = errors.Join(
			netlink.AddrAdd(near, &netlink.Addr{IPNet: host(own), Flags: unix.IFA_F_NODAD}),
			netlink.RouteAdd(&netlink.Route{LinkIndex: index, Dst: host(far)}),
			netlink.NeighAdd(&netlink.Neigh{LinkIndex: index, State: netlink.NUD_PERMANENT, IP: far.AsSlice(), HardwareAddr: net.HardwareAddr{2, 0, 0, 0, 0, 1}}),
		)
		if err != nil {
			t.Fatal(err)
		}
		fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		heard := hearSent(t, unix.ETH_P_IPV6)
		defer closeFD(t, fd, heard)
		if err := unix.Connect(fd, sockaddr(netip.AddrPortFrom(far, port))); !errors.Is(err, unix.EINPROGRESS) {
			t.Errorf("connect: %v", err)
		}
		for given := false; !given && !t.Failed(); given = givenUp(t, fd) { // it asks again and again
			prohibit(t, heard, port)
		}
		r.settled("prohibited", func(d model.Dependency) bool { return d.Port == port && d.Direction == model.Out },
			func(d model.Dependency) bool { return d.Failed == 1 && d.Unreachable == 1 })
	})
}

// givenUp says, perhaps after a moment, whether a socket is told of an error.
func givenUp(t *testing.T, fd int) bool {
	t.Helper()
	waiting := []unix.PollFd{{Fd: int32(fd)}}
	if _, err := unix.Poll(waiting, 500); err != nil && !errors.Is(err, unix.EINTR) {
		t.Fatal(err)
	}
	return waiting[0].Revents&unix.POLLERR != 0
}

// prohibit answers the next packet of TCP to a port as a router does that forbids it (RFC 4443, 3.1).
func prohibit(t *testing.T, heard int, port uint16) {
	t.Helper()
	const header, unreachable, forbidden = 40, 1, 1
	packet := firstSent(t, heard, func(p []byte) bool {
		return len(p) >= header+20 && p[6] == unix.IPPROTO_TCP && binary.BigEndian.Uint16(p[header+2:]) == port
	})
	if packet == nil {
		return
	}
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMPV6)
	if err != nil {
		t.Fatal(err)
	}
	defer closeFD(t, fd)
	message := append([]byte{unreachable, forbidden, 0, 0, 0, 0, 0, 0}, packet...) // the kernel adds the checksum
	if err := unix.Sendto(fd, message, 0, &unix.SockaddrInet6{Addr: [16]byte(packet[8:24])}); err != nil {
		t.Error(err)
	}
}
