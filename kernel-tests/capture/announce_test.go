package capture

import (
	"encoding/binary"
	"errors"
	"net"
	"testing"
	"time"

	"cassini/agent/frames/announce"
	"cassini/agent/frames/socket"
	"cassini/bpf"

	"golang.org/x/sys/unix"
)

// The filters of announcements load on this kernel, and each socket brings its own
// kind, once. kernel-tests/frames tries the rest, with real programs. It is alone in its
// network namespace: what others announce would count.
func TestFiltersOfAnnouncements(t *testing.T) {
	inNetns(t, func() { hearAnnouncements(t) })
}

func hearAnnouncements(t *testing.T) {
	t.Helper()
	filter, err := bpf.OpenAnnouncements()
	if err != nil {
		t.Fatalf("%+v", err)
	}
	ears, err := socket.OpenAnnouncements(filter, func(open func() error) error { return open() })
	if err != nil {
		t.Fatal(errors.Join(err, filter.Close()))
	}
	defer func() { _ = ears.Close() }()
	heard := make(chan socket.Announcement, 16)
	go func() {
		for {
			a, err := ears.Read()
			if err != nil {
				close(heard)
				return
			}
			heard <- a
		}
	}()
	for range 2 { // the second time nothing is new, but for DHCP
		sendOnLoopback(t, announcements()...)
	}
	got := map[bpf.Announcement]int{}
	for range 4 {
		select {
		case a := <-heard:
			got[a.What]++
			checkAnnouncement(t, a)
		case <-time.After(patience):
			t.Fatalf("heard only %v", got)
		}
	}
	c, err := ears.Counters()
	for deadline := time.Now().Add(patience); err == nil && c.Known < 2 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		c, err = ears.Counters()
	}
	if err != nil || got[bpf.ARP] != 1 || got[bpf.ND] != 1 || got[bpf.DHCP] != 2 || c.Known != 2 {
		t.Errorf("heard %v; %+v, %v", got, c, err)
	}
}

func checkAnnouncement(t *testing.T, a socket.Announcement) {
	t.Helper()
	lo, err := net.InterfaceByName("lo")
	if err != nil || a.IfIndex != lo.Index {
		t.Errorf("came in by interface %d; %v", a.IfIndex, err)
	}
	switch a.What {
	case bpf.ARP:
		if said, err := announce.ARP(a.Data); err != nil || said.Addr.String() != "10.0.0.9" {
			t.Errorf("ARP: %+v, %v", said, err)
		}
	case bpf.ND:
		if said, err := announce.ND(a.Data, a.From); err != nil || said.Addr.String() != "2001:db8::9" {
			t.Errorf("ND: %+v, %v", said, err)
		}
	case bpf.DHCP:
		if said, err := announce.DHCP(a.Data); err != nil || said.HostName != "desk" {
			t.Errorf("DHCP: %+v, %v", said, err)
		}
	}
}

// announcements are Ethernet frames: ARP, a neighbour advertisement, a DHCP request,
// and others that no socket must bring.
func announcements() [][]byte {
	frame := func(kind uint16, parts ...[]byte) []byte {
		f := binary.BigEndian.AppendUint16([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9}, kind)
		for _, p := range parts {
			f = append(f, p...)
		}
		return f
	}
	ipv4 := func(port uint16, payload []byte) []byte {
		h := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 9, 255, 255, 255, 255}
		binary.BigEndian.PutUint16(h[2:], uint16(28+len(payload)))
		binary.BigEndian.PutUint16(h[10:], ^checksum(h, 0))
		u := []byte{0, 68, 0, 0, 0, 0, 0, 0}
		binary.BigEndian.PutUint16(u[2:], port)
		binary.BigEndian.PutUint16(u[4:], uint16(8+len(payload)))
		return append(append(h, u...), payload...)
	}
	dhcp := make([]byte, 240)
	dhcp[0], dhcp[1], dhcp[2], dhcp[28], dhcp[33] = 1, 1, 6, 2, 9
	binary.BigEndian.PutUint32(dhcp[236:], 0x63825363)
	dhcp = append(dhcp, 53, 1, 1, 12, 4, 'd', 'e', 's', 'k', 255)
	arp := []byte{0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 9, 10, 0, 0, 9, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1}
	return [][]byte{
		frame(unix.ETH_P_IP, ipv4(9, make([]byte, 300))),
		frame(unix.ETH_P_IPV6, icmp6(128, 255)), // an echo
		frame(unix.ETH_P_IPV6, icmp6(136, 64)),  // from beyond a router
		frame(unix.ETH_P_ARP, arp),
		frame(unix.ETH_P_IPV6, icmp6(136, 255)),
		frame(unix.ETH_P_IP, ipv4(67, dhcp)),
	}
}

// icmp6 is an IPv6 packet on the loopback with an ICMPv6 message, which holds what a
// neighbour advertisement of 2001:db8::9 does.
func icmp6(kind, hops byte) []byte {
	m := append([]byte{kind, 0, 0, 0, 0x20, 0, 0, 0}, net.ParseIP("2001:db8::9")...)
	m = append(m, 2, 1, 2, 0, 0, 0, 0, 9)
	h := append([]byte{0x60, 0, 0, 0, 0, byte(len(m)), unix.IPPROTO_ICMPV6, hops}, net.IPv6loopback...)
	h = append(h, net.IPv6loopback...)
	pseudo := uint32(len(m)) + unix.IPPROTO_ICMPV6 + 2 // ::1, twice
	binary.BigEndian.PutUint16(m[2:], ^checksum(m, pseudo))
	return append(h, m...)
}

// checksum is the sum of RFC 1071, not yet inverted.
func checksum(b []byte, sum uint32) uint16 {
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}

func sendOnLoopback(t *testing.T, frames ...[]byte) {
	t.Helper()
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	for _, f := range frames {
		if err := unix.Sendto(fd, f, 0, &unix.SockaddrLinklayer{Ifindex: lo.Index}); err != nil {
			t.Fatal(err)
		}
	}
}
