package socket

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"

	"cassini/agent/inbox"
	"cassini/bpf"

	"golang.org/x/sys/unix"
)

// AnnouncementFilter holds back what is not news: *bpf.Announcements.
type AnnouncementFilter interface {
	Attach(what bpf.Announcement, fd int) error
	Forget(ifindex int) error
	Counters() (bpf.AnnounceCounters, error)
	Close() error
}

// Announcement is one packet that a machine sent to everyone.
type Announcement struct {
	What    bpf.Announcement
	IfIndex int
	From    netip.Addr // of the IP packet; invalid for ARP
	// Data begins with the Ethernet header for ARP, with the ICMPv6 header for ND and
	// with the IPv4 header for DHCP.
	Data []byte
}

// Announcements hears what machines tell everyone in one network namespace. Read may
// be called concurrently with the other methods.
//
// ARP comes by a packet socket for that EtherType; the others by raw sockets, which
// the kernel gives only what the IP layer takes in anyway: ICMPv6 of three types, and
// UDP to 255.255.255.255. So ordinary traffic meets neither socket nor filter, where a
// packet socket for IP would see every packet of the machine.
type Announcements struct {
	filter AnnouncementFilter
	taps   []*tap
	out    chan Announcement
	closed chan struct{}
	once   sync.Once
	wg     sync.WaitGroup
}

// announceBuffer holds announcements that wait, in bytes of each socket.
const announceBuffer = 128 << 10

// OpenAnnouncements opens the sockets. The filter serves them alone and is closed with
// them. enter calls a function inside the network namespace. Where the kernel has no
// IPv6, that is left out.
func OpenAnnouncements(filter AnnouncementFilter, enter func(func() error) error) (*Announcements, error) {
	a := &Announcements{filter: filter, out: make(chan Announcement), closed: make(chan struct{})}
	for _, kind := range []struct {
		what bpf.Announcement
		open func() (int, error)
		bind func(fd int) error
	}{
		{bpf.ARP, packetSocket, bindARP},
		{bpf.ND, icmpSocket, bindND},
		{bpf.DHCP, udpSocket, bindDHCP},
	} {
		err := a.listen(kind.what, enter, kind.open, kind.bind)
		if errors.Is(err, unix.EAFNOSUPPORT) {
			continue
		}
		if err != nil {
			return nil, errors.Join(err, a.Close())
		}
	}
	return a, nil
}

func (a *Announcements) listen(what bpf.Announcement, enter func(func() error) error, open func() (int, error), bind func(int) error) error {
	fd := -1
	if err := enter(func() (err error) { fd, err = open(); return err }); err != nil {
		return fmt.Errorf("open a socket for announcements: %w", err)
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, announceBuffer)
	if err := errors.Join(a.filter.Attach(what, fd), bind(fd)); err != nil {
		return errors.Join(fmt.Errorf("listen for announcements: %w", err), unix.Close(fd))
	}
	in, err := inbox.New(fd)
	if err != nil {
		return err
	}
	t := &tap{in}
	a.taps = append(a.taps, t)
	a.wg.Go(func() { a.read(t, what) })
	return nil
}

const socketFlags = unix.SOCK_RAW | unix.SOCK_NONBLOCK | unix.SOCK_CLOEXEC

// packetSocket is of no protocol, so that it hears nothing until it is bound.
func packetSocket() (int, error) { return unix.Socket(unix.AF_PACKET, socketFlags, 0) }

func icmpSocket() (int, error) {
	return unix.Socket(unix.AF_INET6, socketFlags, unix.IPPROTO_ICMPV6)
}

func udpSocket() (int, error) { return unix.Socket(unix.AF_INET, socketFlags, unix.IPPROTO_UDP) }

func bindARP(fd int) error {
	return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: network(unix.ETH_P_ARP)})
}

// bindND lets three types of ICMPv6 pass: router advertisements, neighbour
// solicitations and neighbour advertisements (RFC 3542, 3.2: a bit that is set blocks).
func bindND(fd int) error {
	var types unix.ICMPv6Filter
	for i := range types.Data {
		types.Data[i] = ^uint32(0)
	}
	for _, kind := range []uint{134, 135, 136} {
		types.Data[kind/32] &^= 1 << (kind % 32)
	}
	return errors.Join(
		unix.SetsockoptICMPv6Filter(fd, unix.IPPROTO_ICMPV6, 1, &types),
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1),
	)
}

// bindDHCP takes only what goes to every host of a link.
func bindDHCP(fd int) error {
	return errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_PKTINFO, 1),
		unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{255, 255, 255, 255}}),
	)
}

// read brings the announcements of one socket until it is closed.
func (a *Announcements) read(t *tap, what bpf.Announcement) {
	control := make([]byte, 256)
	for {
		data, size, from, err := t.Receive(maxFrame, control)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			continue // a link that went down is told here, once
		}
		heard := Announcement{What: what, Data: data}
		heard.IfIndex, heard.From = origin(from, control[:size])
		select {
		case a.out <- heard:
		case <-a.closed:
			return
		}
	}
}

// origin is the interface by which a packet came in, and its sender.
func origin(from unix.Sockaddr, control []byte) (ifindex int, addr netip.Addr) {
	switch from := from.(type) {
	case *unix.SockaddrLinklayer:
		return from.Ifindex, netip.Addr{}
	case *unix.SockaddrInet4:
		addr = netip.AddrFrom4(from.Addr)
	case *unix.SockaddrInet6:
		addr = netip.AddrFrom16(from.Addr)
	}
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return 0, addr
	}
	for _, m := range messages {
		switch {
		case m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_PKTINFO && len(m.Data) >= unix.SizeofInet4Pktinfo:
			return int(binary.NativeEndian.Uint32(m.Data)), addr // ipi_ifindex comes first
		case m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_PKTINFO && len(m.Data) >= unix.SizeofInet6Pktinfo:
			return int(binary.NativeEndian.Uint32(m.Data[16:])), addr // behind the address
		}
	}
	return 0, addr
}

// Read waits for the next announcement. It returns net.ErrClosed after Close.
func (a *Announcements) Read() (Announcement, error) {
	select {
	case heard := <-a.out:
		return heard, nil
	case <-a.closed:
		return Announcement{}, net.ErrClosed
	}
}

// Forget drops what is kept of an interface that has gone.
func (a *Announcements) Forget(ifindex int) error { return a.filter.Forget(ifindex) }

// Counters are the filter's.
func (a *Announcements) Counters() (bpf.AnnounceCounters, error) { return a.filter.Counters() }

// Close ends Read, lets the namespace go and closes the filter.
func (a *Announcements) Close() (err error) {
	a.once.Do(func() {
		close(a.closed)
		closeAll(a.taps)
		a.wg.Wait()
		err = a.filter.Close()
	})
	return err
}
