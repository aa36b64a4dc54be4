package capture

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"testing"

	"cassini/model"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// The addresses that sctpNetns has, and one where nobody answers.
var (
	ownSCTP     = netip.MustParseAddr("10.99.0.2")
	anotherSCTP = netip.MustParseAddr("10.99.0.3")
	blackhole   = netip.MustParseAddr("10.98.0.1")
)

// sctpNetns runs fn on a thread of its own in a network namespace with these.
func sctpNetns(t *testing.T, fn func()) {
	t.Helper()
	inNetns(t, func() {
		lo, err := netlink.LinkByName("lo")
		if err != nil {
			t.Error(err)
			return
		}
		host := func(a netip.Addr) *net.IPNet { return &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(32, 32)} }
		err = errors.Join(
			netlink.AddrAdd(lo, &netlink.Addr{IPNet: host(ownSCTP)}), netlink.AddrAdd(lo, &netlink.Addr{IPNet: host(anotherSCTP)}),
			netlink.RouteAdd(&netlink.Route{LinkIndex: lo.Attrs().Index, Dst: host(blackhole), Src: ownSCTP.AsSlice()}),
		)
		if err != nil {
			t.Error(err)
			return
		}
		fn()
	})
}

// sctpQuick opens a socket that gives up soon to begin an association: it tries twice.
func sctpQuick(t *testing.T, kind int) int {
	t.Helper()
	fd := sctpSocket(t, unix.AF_INET, kind)
	order := binary.NativeEndian
	first := order.AppendUint16(order.AppendUint16(order.AppendUint16(order.AppendUint16(nil, 10), 10), 1), 50)
	err := errors.Join(setSCTP(fd, sctpRTOInfo, 0, 50, 100, 20), unix.SetsockoptString(fd, sctpLevel, sctpInitMessage, string(first)))
	if err != nil {
		t.Error(err)
	}
	return fd
}

// connectSCTP connects and reports whether that ended as it should.
func connectSCTP(t *testing.T, fd int, to netip.AddrPort, want error) {
	t.Helper()
	if err := uninterrupted(func() error { return unix.Connect(fd, sockaddr(to)) }); !errors.Is(err, want) {
		t.Errorf("connect to %v: %v, want %v", to, err, want)
	}
}

// Attempts that come to nothing are failures, by what became of them, whichever kind of socket
// dialled: of those with many associations the socket itself does not tell.
func sctpFailures(t *testing.T, r *rig) {
	for i, style := range sctpStyles {
		port := func(n int) uint16 { return uint16(5000 + 10*i + n) }
		at := func(a netip.Addr, n int) netip.AddrPort { return netip.AddrPortFrom(a, port(n)) }
		sctpNetns(t, func() {
			refused, timedOut, aborted, nobody := sctpQuick(t, style.kind), sctpQuick(t, style.kind), sctpSocket(t, unix.AF_INET, style.kind), sctpSocket(t, unix.AF_INET, style.kind)
			connectSCTP(t, refused, at(ownSCTP, 0), unix.ECONNREFUSED)
			connectSCTP(t, timedOut, at(blackhole, 1), unix.ETIMEDOUT)
			for _, fd := range []int{aborted, nobody} {
				if err := unix.SetNonblock(fd, true); err != nil {
					t.Error(err)
				}
			}
			connectSCTP(t, aborted, at(blackhole, 2), unix.EINPROGRESS)
			heard := hearSent(t, unix.ETH_P_IP)
			connectSCTP(t, nobody, at(blackhole, 3), unix.EINPROGRESS)
			noSCTPThere(t, heard, port(3))
			closeFD(t, refused, timedOut, aborted, nobody)
		})
		for n, c := range []struct {
			what  string
			count func(*model.Counters) uint64
		}{
			{"refused", func(c *model.Counters) uint64 { return c.Refused }},
			{"timed out", func(c *model.Counters) uint64 { return c.TimedOut }},
			{"aborted", func(c *model.Counters) uint64 { return c.Aborted }},
			{"unreachable", func(c *model.Counters) uint64 { return c.Unreachable }},
		} {
			t.Run(style.name+" "+c.what, func(t *testing.T) {
				d := r.dependency(c.what, func(d model.Dependency) bool { return sctpEdge(port(n), model.Out)(d) && d.Failed > 0 })
				if d.Attempts != 1 || d.Failed != 1 || c.count(&d.Counters) != 1 || d.Connections != 0 || d.Open != 0 || d.Closed != 0 {
					t.Errorf("%+v", d.Counters)
				}
				checkSelf(t, d.Process)
			})
		}
	}
}

// hearSent hears what is sent of a protocol that has an EtherType, from now on.
func hearSent(t *testing.T, protocol uint16) int {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Error(err)
		return -1
	}
	all := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, protocol))
	limit := unix.NsecToTimeval(sctpPatience.Nanoseconds())
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: all}), unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit)); err != nil {
		t.Error(err)
	}
	return fd
}

// noSCTPThere answers the first packet to a port as a host does that speaks no SCTP (RFC 792:
// protocol unreachable, with that packet).
func noSCTPThere(t *testing.T, heard int, port uint16) {
	defer closeFD(t, heard)
	const header, protocolUnreachable = 20, 2
	packet := firstSent(t, heard, func(p []byte) bool {
		return len(p) > header+8 && p[9] == unix.IPPROTO_SCTP && binary.BigEndian.Uint16(p[header+2:]) == port
	})
	if packet == nil {
		return
	}
	message := append([]byte{3, protocolUnreachable, 0, 0, 0, 0, 0, 0}, packet...)
	binary.BigEndian.PutUint16(message[2:], internetChecksum(message))
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP)
	if err != nil {
		t.Error(err)
		return
	}
	defer closeFD(t, fd)
	if err := unix.Sendto(fd, message, 0, &unix.SockaddrInet4{Addr: [4]byte(packet[12:16])}); err != nil {
		t.Error(err)
	}
}

// firstSent is the first packet of those that were heard which matches; nil, with an error, where none comes.
func firstSent(t *testing.T, heard int, match func([]byte) bool) []byte {
	buf := make([]byte, 2048)
	for {
		n, _, err := unix.Recvfrom(heard, buf, 0)
		if err != nil {
			t.Error(err)
			return nil
		}
		if match(buf[:n]) {
			return buf[:n]
		}
	}
}

func internetChecksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	if len(b)%2 != 0 {
		sum += uint32(b[len(b)-1]) << 8
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// The server's end has the address that the client dialled, not the one that it would answer
// from.
func sctpDialledAddress(t *testing.T, r *rig) {
	var port uint16
	sctpNetns(t, func() {
		var listener int
		listener, port = sctpListen(t, unix.SOCK_STREAM, "0.0.0.0")
		client := sctpSocket(t, unix.AF_INET, unix.SOCK_STREAM)
		if err := unix.Bind(client, sockaddr(netip.AddrPortFrom(ownSCTP, 0))); err != nil {
			t.Error(err)
		}
		sctpSend(t, client, unix.SOCK_STREAM, netip.AddrPortFrom(anotherSCTP, port))
		closeFD(t, sctpTake(t, listener, unix.SOCK_STREAM), client, listener)
	})
	for _, direction := range []model.Direction{model.Out, model.In} {
		d := r.dependency(string(direction), sctpEdge(port, direction))
		if d.Client != ownSCTP || d.Server != anotherSCTP || d.NetnsName == "" {
			t.Errorf("%s: %v -> %v in %q", direction, d.Client, d.Server, d.NetnsName)
		}
	}
}
