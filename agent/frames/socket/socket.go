// Package socket hears LLDP, CDP and FDP frames in one network namespace, by packet
// sockets that an eBPF filter lets nothing else through to.
//
// Three sockets serve all interfaces, one for EtherType LLDP, one for IEEE 802.2 and
// one for frames with a second VLAN tag: the kernel gives them only frames of those
// kinds, so that other traffic does not even meet the filter. A bridge takes frames
// from its ports before that; there a socket of the port's own hears everything, and
// the filter drops the rest.
package socket

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"

	"cassini/agent/inbox"

	"golang.org/x/sys/unix"
)

// Filter is attached to each socket before it hears anything: *bpf.Frames.
type Filter interface {
	Attach(fd int) error
	Forget(ifindex int) error
	Limited() uint64
	Close() error
}

// Frame is one frame as it came in, from the destination address on, without the
// tag that the kernel took off. VLAN is that tag's id where the kernel still tells
// it: on a bridge's port.
type Frame struct {
	IfIndex int // of the device that received it: a bond's slave, not the bond
	VLAN    uint16
	Data    []byte
}

// groups are the addresses that discovery frames go to: nearest bridge, nearest
// non-TPMR bridge, nearest customer bridge (IEEE 802.1AB, 7.1), Cisco's and Foundry's.
var groups = [][6]byte{
	{0x01, 0x80, 0xc2, 0, 0, 0x0e}, {0x01, 0x80, 0xc2, 0, 0, 0x03}, {0x01, 0x80, 0xc2, 0, 0, 0x00},
	{0x01, 0x00, 0x0c, 0xcc, 0xcc, 0xcc}, {0x01, 0xe0, 0x52, 0xcc, 0xcc, 0xcc},
}

// maxFrame is the longest frame that is read, in bytes; longer ones are cut.
const maxFrame = 9216

// receiveBuffer holds frames that wait, in bytes of each socket.
const receiveBuffer = 256 << 10

// Socket hears in one network namespace. Read may be called
// concurrently with the other methods.
type Socket struct {
	filter Filter
	enter  func(func() error) error
	shared []*tap // one for each kind of frame
	out    chan Frame
	closed chan struct{}
	once   sync.Once
	wg     sync.WaitGroup

	mu    sync.Mutex
	links map[int]*link // by index
	lost  uint64        // by sockets that are closed
}

// link is an interface that is listened on; own is the socket of a bridge's port.
type link struct{ own *tap }

// Open opens the sockets. The filter serves them alone and is closed with them. enter
// calls a function inside the network namespace.
func Open(filter Filter, enter func(func() error) error) (*Socket, error) {
	s := &Socket{filter: filter, enter: enter, out: make(chan Frame), closed: make(chan struct{}), links: make(map[int]*link)}
	for _, protocol := range []uint16{etherLLDP, unix.ETH_P_802_2, unix.ETH_P_8021Q} {
		t, err := s.tap(protocol, 0)
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s.shared = append(s.shared, t)
	}
	return s, nil
}

const etherLLDP = 0x88cc

// tap opens a socket for frames of a kind on one interface, or with 0 on all, and
// begins to read it.
func (s *Socket) tap(protocol uint16, ifindex int) (*tap, error) {
	fd := -1
	err := s.enter(func() (err error) {
		// Of no protocol, it hears nothing until it is bound.
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open a packet socket: %w", err)
	}
	if err := s.prepare(fd, protocol, ifindex); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	in, err := inbox.New(fd)
	if err != nil {
		return nil, err
	}
	t := &tap{in}
	s.wg.Go(func() { s.read(t, ifindex) })
	return t, nil
}

func (s *Socket) prepare(fd int, protocol uint16, ifindex int) error {
	if err := s.filter.Attach(fd); err != nil {
		return err
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1) // from Linux 4.20; else the filter drops them
	for _, option := range []int{unix.PACKET_AUXDATA, unix.PACKET_ORIGDEV} {
		if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, option, 1); err != nil {
			return fmt.Errorf("set option %d of a packet socket: %w", option, err)
		}
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: network(protocol), Ifindex: ifindex}); err != nil {
		return fmt.Errorf("bind a packet socket: %w", err)
	}
	return nil
}

// Join begins to listen on an interface; bridged says that it is a bridge's port.
// Joining again changes that.
func (s *Socket) Join(ifindex int, bridged bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.links[ifindex]
	if l == nil {
		for _, group := range groups {
			if err := s.membership(unix.PACKET_ADD_MEMBERSHIP, ifindex, group); err != nil {
				return err
			}
		}
		l = &link{}
		s.links[ifindex] = l
	}
	if bridged == (l.own != nil) {
		return nil
	}
	if !bridged {
		s.drop(l.own)
		l.own = nil
		return nil
	}
	own, err := s.tap(unix.ETH_P_ALL, ifindex)
	if err != nil {
		return err
	}
	l.own = own
	return nil
}

// membership makes a device accept a group's frames, or no longer.
func (s *Socket) membership(option, ifindex int, group [6]byte) (err error) {
	request := unix.PacketMreq{Ifindex: int32(ifindex), Type: unix.PACKET_MR_MULTICAST, Alen: 6}
	copy(request.Address[:], group[:])
	control := s.shared[0].Control(func(fd int) {
		err = unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, option, &request)
	})
	if err = errors.Join(control, err); err != nil {
		return fmt.Errorf("listen for group %s: %w", net.HardwareAddr(group[:]), err)
	}
	return nil
}

// Leave ends listening on an interface, which may have gone.
func (s *Socket) Leave(ifindex int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.links[ifindex]
	if l == nil {
		return nil
	}
	delete(s.links, ifindex)
	for _, group := range groups {
		_ = s.membership(unix.PACKET_DROP_MEMBERSHIP, ifindex, group) // gone with the interface
	}
	if l.own != nil {
		s.drop(l.own)
	}
	return s.filter.Forget(ifindex)
}

// drop closes a socket; what it lost is kept. Called with mu held.
func (s *Socket) drop(t *tap) {
	s.lost += t.lost()
	_ = t.Close()
}

// Lost is how many frames found no room in a socket's buffer.
func (s *Socket) Lost() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.shared {
		s.lost += t.lost()
	}
	for _, l := range s.links {
		if l.own != nil {
			s.lost += l.own.lost()
		}
	}
	return s.lost
}

// Limited is how many frames the filter held back: a flood.
func (s *Socket) Limited() uint64 { return s.filter.Limited() }

// Read waits for the next frame of an interface that was joined. It returns
// net.ErrClosed after Close.
func (s *Socket) Read() (Frame, error) {
	select {
	case f := <-s.out:
		return f, nil
	case <-s.closed:
		return Frame{}, net.ErrClosed
	}
}

// Close ends Read, lets the namespace go and closes the filter.
func (s *Socket) Close() (err error) {
	s.once.Do(func() {
		close(s.closed)
		s.mu.Lock()
		taps := slices.Clone(s.shared)
		for _, l := range s.links {
			if l.own != nil {
				taps = append(taps, l.own)
			}
		}
		closeAll(taps)
		s.mu.Unlock()
		s.wg.Wait()
		err = s.filter.Close()
	})
	return err
}

// read brings the frames of one socket until it is closed. only is the interface
// whose own socket it is.
func (s *Socket) read(t *tap, only int) {
	control := make([]byte, 256)
	for {
		f, err := t.frame(control)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil || !s.wanted(f.IfIndex, only) {
			continue // a link that went down is told here, once
		}
		select {
		case s.out <- f:
		case <-s.closed:
			return
		}
	}
}

// wanted says whether a frame is of an interface that was joined, and comes by the
// socket that serves it.
func (s *Socket) wanted(ifindex, only int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.links[ifindex]
	return l != nil && (l.own != nil) == (only != 0)
}
